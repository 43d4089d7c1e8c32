/** What a client of the native API is told when the store refused its command. The one place where refusals become errors. */
import { assert } from '../base/assert';
import { type ErrorCode, type ErrorContext, QuorateError } from '../base/error';
import type { Refusal, RefusedResult, Result } from '../kv/result';

/** A result of one command that is not a refusal. */
export type AcceptedResult = Exclude<Result, { readonly kind: 'refused' | 'batch' }>;

/** Milliseconds since 1970: what the times in request ids are of. */
export type WallClock = () => number;

/**
 * Lets through what is not a refusal.
 *
 * @throws QuorateError `not-found`, `already-exists`, `invalid-argument`, `compacted`, `future-revision`, `no-space`,
 *   `corrupt`, `request-expired`, `request-mismatch`; all surely not done but `request-expired`
 */
export function accepted(result: Result, wallClock: WallClock): AcceptedResult {
  if (result.kind === 'refused') throw errorOfRefusal(result, wallClock);
  assert(result.kind !== 'batch', 'a command that travels alone has one result');
  return result;
}

/** Where nothing depends on the time. */
const noClock: WallClock = () => 0;

/** The same for a command without a request id, which nothing is refused for. */
export function acceptedUnnamed(result: Result): AcceptedResult {
  const isOfNames = result.kind === 'refused' && result.refusal === 'request-expired';
  assert(!isOfNames, 'a command without a request id is not refused for its age');
  return accepted(result, noClock);
}

/** The error that stands for a refusal. */
export function errorOfRefusal(refused: RefusedResult, wallClock: WallClock): QuorateError {
  const { code, message } = refusalTable[refused.refusal];
  return new QuorateError(code, message, contextOf(refused, wallClock));
}

const refusalTable: Readonly<Record<Refusal, { readonly code: ErrorCode; readonly message: string }>> = {
  'key-not-found': { code: 'not-found', message: 'the key whose value or lease shall be kept is not there' },
  'duplicate-key': { code: 'invalid-argument', message: 'the transaction would change a key more than once' },
  'lease-not-found': { code: 'not-found', message: 'there is no such lease' },
  'lease-exists': { code: 'already-exists', message: 'there is a lease with this id' },
  compacted: { code: 'compacted', message: 'the revision was compacted' },
  'future-revision': { code: 'future-revision', message: 'the revision has not been made yet' },
  'no-space': { code: 'no-space', message: 'the quota of the cluster is used up; deletes and compaction still work' },
  corrupt: {
    code: 'corrupt',
    message: 'an alarm says that members hold different data; nothing is changed until it is cleared',
  },
  'request-expired': {
    code: 'request-expired',
    message: 'the request id is older than what is remembered; it was not done now, and may have been before',
  },
  'request-mismatch': { code: 'request-mismatch', message: 'the request id was used before for another request' },
};

function contextOf({ refusal, limit }: RefusedResult, wallClock: WallClock): ErrorContext {
  if (refusal === 'request-expired') {
    // Others' clocks may be ahead of this member's.
    return { outcome: 'unknown', details: { requestTimeMs: Math.max(wallClock(), (limit ?? 0) + 1) } };
  }
  return limit === undefined ? {} : { details: { limit: `revision ${String(limit)}` } };
}
