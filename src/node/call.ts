/** What every call to a node brings along. */
import type { MemberId } from '../raft';
import type { ListedMember } from './member-directory';
import type { Wish } from './membership-plan';

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

/** The part of a node that knows the members and changes them. */
export interface MembershipAuthority {
  /** The members of the configuration in force, by name. */
  members(): readonly ListedMember[];
  /** An id for a new member; never one that was used before. */
  newMemberId(): MemberId;
  /**
   * Has the leader, wherever it is, change the members or hand over leadership, and waits until that is committed, in
   * force and known here.
   *
   * @returns the log index since which it holds
   * @throws QuorateError with outcome `not-done`: `change-refused`, `no-leader`, `overloaded`, `stopping`; with outcome
   *   `unknown`: `outcome-unknown`
   */
  changeMembers(wish: Wish, call: CallContext): Promise<number>;
}
