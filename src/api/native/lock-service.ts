/** `quorate.v1.LockService`: check, wait, map, reply. */
import { QuorateError } from '../../base/error';
import type {
  GetLockRequest,
  GetLockResponse,
  LockRequest,
  LockResponse,
  LockServiceServer,
  UnlockRequest,
  UnlockResponse,
} from '../../gen/quorate/v1/lock';
import { noLease } from '../../kv/command';
import type { KvReader } from '../../kv/result';
import type { CallContext } from '../../node/call';
import type { ReadGate } from '../read-gate';
import type { Contender } from '../recipes/queues';
import type { Recipes } from '../recipes/recipes';
import { checkedRequestId } from '../request-ids';
import type { UnaryCalls } from '../unary-calls';
import { checkedKey, invalid } from '../validate';
import type { WaitingCall } from '../waiting-calls';
import { checkedQueueName, checkedToken, leaseOfHold } from './contender';
import type { RequestBounds } from './mutation';

/** What the service needs of a member. */
export interface LockServiceDependencies extends RequestBounds {
  readonly reads: ReadGate;
  readonly reader: Pick<KvReader, 'revision'>;
}

/** Most bytes of what a holder says of itself. */
const maxOwnerBytes = 1024;

type Needs = LockServiceDependencies & Pick<Recipes, 'locks'>;

/** The gRPC handlers of the service. */
export function lockServiceHandlers(
  member: LockServiceDependencies,
  calls: UnaryCalls,
  { locks, waiting }: Recipes,
): LockServiceServer {
  const needs = { ...member, locks };
  return {
    lock: waiting.handler((request: LockRequest, call) => lock(needs, request, call)),
    unlock: calls.handler((request: UnlockRequest, call) => unlock(needs, request, call)),
    getLock: calls.handler((request: GetLockRequest, call) => getLock(needs, request, call)),
  };
}

async function lock(needs: Needs, request: LockRequest, call: WaitingCall): Promise<LockResponse> {
  const contender = contenderOf(needs, request);
  const place = request.noWait
    ? await needs.locks.tryAcquire(contender)
    : await needs.locks.acquire(contender, call.signal);
  if (place === undefined) throw request.noWait ? held() : lost();
  const { key, createRevision: fencingToken, lease: leaseId } = place;
  return { key: text(key), fencingToken, leaseId, revision: needs.reader.revision };
}

async function unlock(needs: Needs, request: UnlockRequest, call: CallContext): Promise<UnlockResponse> {
  const { limits, wallClock } = needs;
  const place = {
    key: checkedKey(request.key, limits.maxKeyBytes),
    createRevision: checkedToken(request.fencingToken),
    requestId: checkedRequestId(request.requestId, wallClock()),
  };
  const { freed: unlocked, revision, replayed } = await needs.locks.release(place, call);
  return { unlocked, revision, replayed };
}

async function getLock(
  needs: Needs,
  { name, consistency }: GetLockRequest,
  call: CallContext,
): Promise<GetLockResponse> {
  const queue = checkedQueueName(name, needs.limits.maxKeyBytes);
  await needs.reads.admit({ consistency, maxStaleness: undefined, minRevision: 0 }, call);
  const { first, waiting, revision } = needs.locks.standing(queue);
  return {
    held: first !== undefined,
    key: first === undefined ? '' : text(first.key),
    fencingToken: first?.createRevision ?? 0,
    leaseId: first?.lease ?? noLease,
    owner: first === undefined ? '' : text(first.value),
    waiting,
    revision,
  };
}

function contenderOf({ limits, wallClock }: Needs, request: LockRequest): Contender {
  const name = checkedQueueName(request.name, limits.maxKeyBytes);
  const value = Buffer.from(request.owner, 'utf8');
  if (value.length > maxOwnerBytes) {
    const limit = `at most ${String(maxOwnerBytes)} bytes`;
    throw invalid('owner', 'is too long', { limit, actual: `${String(value.length)} bytes` });
  }
  const requestId = checkedRequestId(request.requestId, wallClock());
  return { name, value, form: 'text', lease: leaseOfHold(request.hold, requestId) };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function lost(): QuorateError {
  return new QuorateError('not-found', 'the lease has ended, or the key was deleted, while the lock was waited for');
}

function held(): QuorateError {
  return new QuorateError('precondition-failed', 'the lock is held by another');
}
