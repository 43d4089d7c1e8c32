/** How the one funnel for errors speaks to the clients of each API: the same errors, other words. */
import { QuorateError } from '../base/error';
import { type CallStatus, type LeaderHint, statusOfBug, statusOfError } from './errors';

/** The words of one API. */
export interface ErrorDialect {
  /** The status of an error that this API knows; `undefined` for any other, which is a bug of ours. */
  statusOf(error: unknown, leaderHint: (id: bigint) => LeaderHint | undefined): CallStatus | undefined;
  /** What a client is told of a bug: nothing of its cause, which goes to the log. */
  statusOfBug(): CallStatus;
}

/** `quorate.v1`: the table in `errors.ts`, with details for programs. */
export const nativeErrors: ErrorDialect = {
  statusOf: (error, leaderHint) => (error instanceof QuorateError ? statusOfError(error, leaderHint) : undefined),
  statusOfBug,
};
