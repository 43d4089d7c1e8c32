/**
 * The rules for trying again, as a pure function.
 *
 * A read may be repeated on another member. A mutation is repeated only when the attempt surely had no effect: nothing was
 * sent, or a member said so. In every other case its outcome is unknown and the caller is told so.
 */
import { QuorateError, type ErrorCode } from '../base/error';
import type { Failure } from './failure';
import { FIRST_BACKOFF_MS } from './options';

/** The numbers of gRPC's status codes that are looked at. */
const grpcStatus = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** What is known when an attempt has failed. */
export interface Attempted {
  /** Whether the call changes something. */
  readonly mutation: boolean;
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
  if (spent || !mayRepeat(failure, attempted.mutation)) {
    return { kind: 'give-up', error: errorOf(failure, attempted.mutation) };
  }
  return { kind: 'retry', delayMs };
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

// These come back however often and wherever one asks.
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['invalid-argument', 'wrong-cluster']);

// gRPC statuses that say the method never ran: it does not exist there, or the caller was turned away.
const turnedAway: ReadonlySet<number> = new Set([
  grpcStatus.permissionDenied,
  grpcStatus.unimplemented,
  grpcStatus.unauthenticated,
]);

function mayRepeat(failure: Failure, mutation: boolean): boolean {
  switch (failure.kind) {
    case 'not-connected':
      return true;
    case 'told':
      if (mutation) return failure.outcome === 'not-done' && failure.code !== undefined && passing.has(failure.code);
      return failure.code === undefined || !lasting.has(failure.code);
    case 'bare':
      return !mutation && !turnedAway.has(failure.grpcCode) && !isRejection(failure);
  }
}

function pause(failure: Failure, attempted: Attempted): number {
  if (failure.kind === 'told') return Math.max(attempted.backoffMs, failure.details.retryAfterMs ?? 0);
  // Another member may well be there: go on at once, and pause after each full round.
  return attempted.made % attempted.endpointCount === 0 ? attempted.backoffMs : 0;
}

/** The error that tells a caller of a failure nobody tries again after. */
export function errorOf(failure: Failure, mutation: boolean): QuorateError {
  switch (failure.kind) {
    case 'not-connected':
      return new QuorateError('unreachable', `cannot connect to ${failure.address}: ${failure.message}`);
    case 'told':
      return toldError(failure, mutation);
    case 'bare':
      return bareError(failure, mutation);
  }
}

function toldError(failure: Failure & { kind: 'told' }, mutation: boolean): QuorateError {
  const outcome = mutation ? failure.outcome : 'not-done';
  const code = failure.code ?? (outcome === 'unknown' ? 'outcome-unknown' : 'unreachable');
  return new QuorateError(code, failure.message, { outcome, details: failure.details });
}

function bareError(failure: Failure & { kind: 'bare' }, mutation: boolean): QuorateError {
  const said = `${failure.address}: ${failure.message} (gRPC status ${String(failure.grpcCode)})`;
  // Said by the gRPC library before the method ran, in either direction; an answer to a mutation is never large.
  if (isOversized(failure)) return new QuorateError('invalid-argument', `the message is too large: ${said}`);
  if (turnedAway.has(failure.grpcCode)) return new QuorateError('unreachable', `the call was turned away by ${said}`);
  if (mutation) {
    return new QuorateError(
      'outcome-unknown',
      `no answer came, and the call may have taken effect or may still: ${said}`,
      {
        outcome: 'unknown',
      },
    );
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
