/** The one class of expected errors, and the list of their codes. */

/**
 * What an error tells about the call's effect: it surely had none and never will, or nobody can say.
 * (The third possibility, done, is not an error.)
 */
export type Outcome = 'not-done' | 'unknown';

/**
 * Every expected error, by its stable code.
 *
 * - `invalid-argument`: a field of the request is wrong; `field`, `limit` and `actual` say how
 * - `no-leader`: no leader was found in time
 * - `no-quorum`: a leader could not be confirmed by a quorum in time (reads only: nothing was changed)
 * - `outcome-unknown`: the mutation reached the log of a leader, but whether it commits is not known
 * - `superseded`: the entry was replaced by another leader's; it will never be applied
 * - `deadline-exceeded`: the deadline passed before the call did anything
 * - `overloaded`: a named queue is full
 * - `change-refused`: the cluster's members or leader cannot be changed in this way now; the message says why
 * - `stopping`: this member is shutting down
 * - `wrong-cluster`: the caller belongs to another cluster, or takes this member for another
 * - `damaged`: stored data failed its check; the member must not go on with it
 * - `refused-to-start`: the environment or an option is unusable; the message says what to do
 * - `snapshot-failed`: a copy of the state could not be made, read or taken in; the state itself is as it was
 * - `compacted`: the revision was compacted; `limit` is the oldest that is there
 * - `future-revision`: the revision has not been made yet; `limit` is the store's
 * - `precondition-failed`: a condition of the call does not hold; nothing was changed
 * - `not-found`: a key or lease that must be there is not
 * - `already-exists`: a lease with this id is there
 * - `no-space`: the quota is used up; deletes and compaction still work
 * - `corrupt`: an alarm says that members hold different data; nothing is changed until an operator clears it
 * - `request-expired`: the request id is older than what is remembered: whether it was done before is not known, it was not done now
 * - `request-mismatch`: the request id was used before for another request
 * - `unreachable`: (client) no member could be reached
 */
export type ErrorCode =
  | 'invalid-argument'
  | 'no-leader'
  | 'no-quorum'
  | 'outcome-unknown'
  | 'superseded'
  | 'deadline-exceeded'
  | 'overloaded'
  | 'change-refused'
  | 'stopping'
  | 'wrong-cluster'
  | 'damaged'
  | 'refused-to-start'
  | 'snapshot-failed'
  | 'compacted'
  | 'future-revision'
  | 'precondition-failed'
  | 'not-found'
  | 'already-exists'
  | 'no-space'
  | 'corrupt'
  | 'request-expired'
  | 'request-mismatch'
  | 'unreachable';

/** Facts about an error, for people and programs. */
export interface ErrorDetails {
  /** The request field or option that is wrong. */
  readonly field?: string;
  /** The limit that was not met, with its unit. */
  readonly limit?: string;
  /** What was met instead. */
  readonly actual?: string;
  /** The leader this member knows, if any. */
  readonly leaderId?: bigint;
  /** The time that a request id must have to be taken, milliseconds since 1970, if that of the id was wrong. */
  readonly requestTimeMs?: number;
  /** How long to wait before trying again, if that helps. */
  readonly retryAfterMs?: number;
}

/** An expected error: it has a stable code, says what happened to the call, and has its place in the table of `api/errors`. */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, more: ErrorContext = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.outcome = more.outcome ?? 'not-done';
    this.details = more.details ?? {};
  }
}

/** What may accompany an error. */
export interface ErrorContext {
  /** What happened to the call; `not-done` unless told otherwise. */
  readonly outcome?: Outcome;
  readonly details?: ErrorDetails;
  /** The error underneath. */
  readonly cause?: unknown;
}
