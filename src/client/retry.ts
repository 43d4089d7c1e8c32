/**
 * The rules for trying again, as a pure function.
 *
 * A read may be repeated on another member, and so may a mutation with a request id, which takes effect at most once. A
 * mutation without one is repeated only when the attempt surely had no effect: nothing was sent, or a member said so. In
 * every other case its outcome is unknown and the caller is told so.
 */
import { QuorateError, type ErrorCode } from '../base/error';
import type { Failure } from './failure';
import { FIRST_BACKOFF_MS, MAX_ANSWER_BYTES } from './options';

/** The numbers of gRPC's status codes that are looked at. */
const grpcStatus = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** What a call does: nothing; a change each time it is carried out; a change once, however often it is sent. */
export type CallKind = 'read' | 'mutation' | 'named-mutation';

/**
 * What may have happened before an attempt: nothing; whatever the caller did with a request id of its own; an earlier
 * attempt of this call may have taken effect, or may still.
 */
export type Doubt = 'none' | 'given-id' | 'attempted';

/** What is known when an attempt has failed. */
export interface Attempted {
  readonly kind: CallKind;
  readonly doubt: Doubt;
  /** Attempts made so far, the failed one included. */
  readonly made: number;
  readonly maxAttempts: number;
  /** Time of the whole call, in milliseconds. */
  readonly timeoutMs: number;
  /** What is left of it. */
  readonly remainingMs: number;
  /** How many members can be tried. */
  readonly endpointCount: number;
  /** The pause to make if one is needed, in milliseconds. */
  readonly backoffMs: number;
}

/** What to do after a failed attempt. */
export type Decision =
  { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'give-up'; readonly error: QuorateError };

/** Decides whether to try again, and after which pause. */
export function decide(failure: Failure, attempted: Attempted): Decision {
  const delayMs = pause(failure, attempted);
  const leftMs = attempted.remainingMs - delayMs;
  const spent = attempted.made >= attempted.maxAttempts || leftMs < leastUseful(attempted.timeoutMs);
  if (spent || !mayRepeat(failure, attempted.kind)) {
    return { kind: 'give-up', error: errorOf(failure, attempted.kind, attempted.doubt) };
  }
  return { kind: 'retry', delayMs };
}

/** Whether the attempt that failed may have taken effect, or may still. */
export function leavesDoubt(failure: Failure, kind: CallKind): boolean {
  if (kind === 'read') return false;
  switch (failure.kind) {
    case 'not-connected':
      return false;
    case 'told':
      // A member that says so did nothing now; what it cannot tell is whether an attempt before did.
      return failure.outcome === 'unknown' && failure.code !== 'request-expired';
    case 'bare':
      return !turnedAway.has(failure.grpcCode) && !isOversizedRequest(failure);
  }
}

/** A failure of a change because of the time in its request id. */
type OutOfTime = Failure & { readonly kind: 'told'; readonly details: { readonly requestTimeMs: number } };

/**
 * Whether nothing was done, and only the time in the request id is wrong: the clock of this client, or of the others. An id
 * that was tried before, or given, may be known to somebody: it is not replaced.
 */
export function isIdOutOfTime(failure: Failure, doubt: Doubt): failure is OutOfTime {
  return doubt === 'none' && failure.kind === 'told' && failure.details.requestTimeMs !== undefined;
}

/**
 * The pause before attempt `made + 1`, in milliseconds: doubled each time, capped, and spread over its upper half so that
 * clients that failed together do not come back together.
 *
 * @param random uniform over 0 to 1, 1 excluded
 */
export function backoff(made: number, maxBackoffMs: number, random: number): number {
  const full = Math.min(maxBackoffMs, FIRST_BACKOFF_MS * 2 ** Math.min(made - 1, 20));
  return full * (0.5 + random / 2);
}

/**
 * The least time worth an attempt, in milliseconds. A mutation tried at the last moment would turn an outcome that is known
 * (not done) into an unknown one, and members answer a little before the deadline, which leaves just such a moment.
 */
function leastUseful(timeoutMs: number): number {
  return Math.min(150, timeoutMs * 0.15);
}

// Told by a member, together with the outcome `not-done`: these pass.
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'no-leader',
  'no-quorum',
  'superseded',
  'overloaded',
  'stopping',
  'snapshot-failed',
  'deadline-exceeded',
]);

// Decided by the store in the order of its log, and remembered with the request id: an earlier attempt with the same id had
// the same end, or will have it.
const decided: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'precondition-failed',
  'not-found',
  'already-exists',
  'compacted',
  'future-revision',
  'request-mismatch',
]);

// These come back however often and wherever one asks.
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...decided,
  'invalid-argument',
  'wrong-cluster',
  'request-expired',
  'no-space',
]);

// gRPC statuses that say the method never ran: it does not exist there, or the caller was turned away.
const turnedAway: ReadonlySet<number> = new Set([
  grpcStatus.permissionDenied,
  grpcStatus.unimplemented,
  grpcStatus.unauthenticated,
]);

/** Whether a stream that ended with this error may be opened again, with another member or later. */
export function mayResume({ code }: QuorateError): boolean {
  return !lasting.has(code);
}

function mayRepeat(failure: Failure, kind: CallKind): boolean {
  switch (failure.kind) {
    case 'not-connected':
      return true;
    case 'told':
      return mayRepeatTold(failure, kind);
    case 'bare':
      return kind !== 'mutation' && !turnedAway.has(failure.grpcCode) && !isRejection(failure);
  }
}

function mayRepeatTold({ code, outcome }: Failure & { kind: 'told' }, kind: CallKind): boolean {
  if (kind === 'read') return code === undefined || !lasting.has(code);
  if (outcome === 'not-done') return code !== undefined && passing.has(code);
  return kind === 'named-mutation' && (code === undefined || !lasting.has(code));
}

function pause(failure: Failure, attempted: Attempted): number {
  if (failure.kind === 'told') return Math.max(attempted.backoffMs, failure.details.retryAfterMs ?? 0);
  // Another member may well be there: go on at once, and pause after each full round.
  return attempted.made % attempted.endpointCount === 0 ? attempted.backoffMs : 0;
}

/** The error that tells a caller of a failure nobody tries again after. */
export function errorOf(failure: Failure, kind: CallKind, doubt: Doubt = 'none'): QuorateError {
  const error = errorOfLast(failure, kind, doubt);
  const isDecided = failure.kind === 'told' && failure.code !== undefined && decided.has(failure.code);
  if (doubt !== 'attempted' || isDecided || error.outcome === 'unknown') return error;
  const message = `an earlier attempt may have taken effect or may still; the last one ended so: ${error.message}`;
  return new QuorateError('outcome-unknown', message, { outcome: 'unknown', details: error.details, cause: error });
}

function errorOfLast(failure: Failure, kind: CallKind, doubt: Doubt): QuorateError {
  switch (failure.kind) {
    case 'not-connected':
      return new QuorateError('unreachable', `cannot connect to ${failure.address}: ${failure.message}`);
    case 'told':
      return toldError(failure, kind, doubt);
    case 'bare':
      return bareError(failure, kind);
  }
}

function toldError(failure: Failure & { kind: 'told' }, kind: CallKind, doubt: Doubt): QuorateError {
  // A member cannot know that the id was never used before; this client can.
  const neverTried = failure.code === 'request-expired' && doubt === 'none';
  const outcome = kind === 'read' || neverTried ? 'not-done' : failure.outcome;
  const code = failure.code ?? (outcome === 'unknown' ? 'outcome-unknown' : 'unreachable');
  return new QuorateError(code, failure.message, { outcome, details: failure.details });
}

function bareError(failure: Failure & { kind: 'bare' }, kind: CallKind): QuorateError {
  const said = `${failure.address}: ${failure.message} (gRPC status ${String(failure.grpcCode)})`;
  // Said by the gRPC library, in either direction.
  if (isOversizedRequest(failure) || (kind === 'read' && isOversized(failure)))
    return new QuorateError('invalid-argument', `the message is too large: ${said}`);
  if (turnedAway.has(failure.grpcCode)) return new QuorateError('unreachable', `the call was turned away by ${said}`);
  if (kind !== 'read') {
    const message = `no answer came, and the call may have taken effect or may still: ${said}`;
    return new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
  }
  if (failure.grpcCode === grpcStatus.deadlineExceeded) {
    return new QuorateError('deadline-exceeded', `no answer came in time from ${said}`);
  }
  if (failure.grpcCode === grpcStatus.invalidArgument) return new QuorateError('invalid-argument', said);
  return new QuorateError('unreachable', `no usable answer came from ${said}`);
}

function isRejection(failure: Failure & { kind: 'bare' }): boolean {
  return failure.grpcCode === grpcStatus.invalidArgument || isOversized(failure);
}

function isOversized(failure: Failure & { kind: 'bare' }): boolean {
  return failure.grpcCode === grpcStatus.resourceExhausted && failure.message.includes('larger than max');
}

/** The method never ran. An answer above this client's own limit comes after it did. */
function isOversizedRequest(failure: Failure & { kind: 'bare' }): boolean {
  return isOversized(failure) && !failure.message.includes(`vs ${String(MAX_ANSWER_BYTES)}`);
}
