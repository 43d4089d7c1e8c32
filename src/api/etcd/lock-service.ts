/** `v3lockpb.Lock`: check, wait, map, reply. */
import type {
  LockRequest,
  LockResponse,
  LockServer,
  UnlockRequest,
  UnlockResponse,
} from '../../gen/etcd/v3lockpb/lock';
import type { KvReader } from '../../kv/result';
import type { CallContext } from '../../node/call';
import type { Recipes } from '../recipes/recipes';
import type { WaitingCall } from '../waiting-calls';
import { contenderOf } from './contender';
import { EtcdError } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';
import { bufferOf } from './kv-messages';

/** What the service needs of a member. */
export interface LockServiceDependencies {
  readonly facts: HeaderFacts;
  readonly reader: Pick<KvReader, 'revision'>;
}

type Needs = LockServiceDependencies & Pick<Recipes, 'locks'>;

/** The gRPC handlers of the service. */
export function lockServiceHandlers(
  member: LockServiceDependencies,
  calls: EtcdCalls,
  { locks, waiting }: Recipes,
): LockServer {
  const needs = { ...member, locks };
  return {
    lock: calls.waiting(waiting, (request: LockRequest, call) => lock(needs, request, call)),
    unlock: calls.unary((request: UnlockRequest, call) => unlock(needs, request, call)),
  };
}

async function lock(needs: Needs, request: LockRequest, call: WaitingCall): Promise<LockResponse> {
  const contender = contenderOf({ ...request, value: Buffer.alloc(0) });
  const place = await needs.locks.acquire(contender, call.signal);
  if (place === undefined) throw new EtcdError('session-expired');
  return { header: headerOf(needs.facts, needs.reader.revision), key: bufferOf(place.key) };
}

/** etcd frees whatever key it is told, whoever holds the lock by it. */
async function unlock(needs: Needs, { key }: UnlockRequest, call: CallContext): Promise<UnlockResponse> {
  if (key.length === 0) throw new EtcdError('empty-key');
  const { revision } = await needs.locks.release({ key, createRevision: undefined, requestId: undefined }, call);
  return { header: headerOf(needs.facts, revision) };
}
