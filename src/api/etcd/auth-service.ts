/** `etcdserverpb.Auth`: what an etcd answers in which nobody has made users or roles, since here nobody can. */
import type {
  AuthDisableResponse,
  AuthRoleListResponse,
  AuthServer,
  AuthStatusResponse,
  AuthUserListResponse,
} from '../../gen/etcd/etcdserverpb/auth';
import type { KvReader } from '../../kv/result';
import { EtcdError, type EtcdErrorName } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';

/** What the service needs of a member. */
export interface AuthServiceDependencies {
  readonly facts: HeaderFacts;
  readonly reader: Pick<KvReader, 'revision'>;
}

/** The revision of users and roles in an etcd where nobody has made any. */
const firstAuthRevision = 1n;

/** The gRPC handlers of the service. */
export function authServiceHandlers({ facts, reader }: AuthServiceDependencies, calls: EtcdCalls): AuthServer {
  const header = () => headerOf(facts, reader.revision);
  const refuse = (reason: EtcdErrorName) => calls.unary<unknown, never>(() => Promise.reject(new EtcdError(reason)));
  const userMissing = refuse('user-not-found');
  const roleMissing = refuse('role-not-found');
  return {
    authStatus: calls.unary<unknown, AuthStatusResponse>(() =>
      Promise.resolve({ header: header(), enabled: false, authRevision: firstAuthRevision }),
    ),
    // It is what it is asked to be.
    authDisable: calls.unary<unknown, AuthDisableResponse>(() => Promise.resolve({ header: header() })),
    authEnable: refuse('root-user-missing'),
    authenticate: refuse('auth-not-enabled'),
    userList: calls.unary<unknown, AuthUserListResponse>(() => Promise.resolve({ header: header(), users: [] })),
    userGet: userMissing,
    userDelete: userMissing,
    userChangePassword: userMissing,
    userGrantRole: userMissing,
    userRevokeRole: userMissing,
    roleList: calls.unary<unknown, AuthRoleListResponse>(() => Promise.resolve({ header: header(), roles: [] })),
    roleGet: roleMissing,
    roleDelete: roleMissing,
    roleGrantPermission: roleMissing,
    roleRevokePermission: roleMissing,
    // The only ones that etcd would not answer like this.
    userAdd: refuse('auth-not-enabled'),
    roleAdd: refuse('auth-not-enabled'),
  };
}
