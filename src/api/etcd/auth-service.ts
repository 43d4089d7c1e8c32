/** `etcdserverpb.Auth`: there are no users yet, and every call but those that are right about it says so. */
import type { AuthDisableResponse, AuthServer, AuthStatusResponse } from '../../gen/etcd/etcdserverpb/auth';
import type { KvReader } from '../../kv/result';
import { EtcdError } from './errors';
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
  const refuse = calls.unary<unknown, never>(() => Promise.reject(new EtcdError('auth-not-enabled')));
  return {
    authStatus: calls.unary<unknown, AuthStatusResponse>(() =>
      Promise.resolve({ header: header(), enabled: false, authRevision: firstAuthRevision }),
    ),
    // It is what it is asked to be.
    authDisable: calls.unary<unknown, AuthDisableResponse>(() => Promise.resolve({ header: header() })),
    authEnable: refuse,
    authenticate: refuse,
    userAdd: refuse,
    userGet: refuse,
    userList: refuse,
    userDelete: refuse,
    userChangePassword: refuse,
    userGrantRole: refuse,
    userRevokeRole: refuse,
    roleAdd: refuse,
    roleGet: refuse,
    roleList: refuse,
    roleDelete: refuse,
    roleGrantPermission: refuse,
    roleRevokePermission: refuse,
  };
}
