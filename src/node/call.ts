/** What every call to a node brings along. */

/** The bounds of one call. */
export interface CallContext {
  /** Give up then; milliseconds on the node's own clock (`Scheduler.now`). */
  readonly deadline: number;
}

/**
 * The part of a node that the services use. `Result` is what the state machine gives for a command.
 */
export interface Proposer<Result> {
  /**
   * Replicates a command and applies it on this member, wherever the leader is.
   *
   * @param command opaque bytes, at most the log's entry limit
   * @returns the result, once the command is durable on a majority and applied here
   * @throws QuorateError with outcome `not-done`: `no-leader`, `overloaded`, `superseded`, `stopping`; with outcome
   *   `unknown`: `outcome-unknown` (deadline passed or this member stops while the entry may be in a log)
   */
  propose(command: Uint8Array, call: CallContext): Promise<Result>;
  /**
   * Returns once this member's state machine reflects everything acknowledged, by any member, before the call
   * (ReadIndex, thesis §6.4).
   *
   * @throws QuorateError `no-leader`, `no-quorum`, `overloaded`, `stopping`; all `not-done`
   */
  readBarrier(call: CallContext): Promise<void>;
}
