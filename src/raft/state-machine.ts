/** What the replicated state machine must be. The core never calls it; the driver does. */
import type { Entry } from './types';

/**
 * A deterministic state machine: the same entries in the same order give the same state and the same results on every
 * member and in every replay (invariant N5). It reads no clock, no chance, no environment.
 *
 * Called on one thread, never concurrently.
 *
 * @typeParam Result what applying a command gives the caller who proposed it
 */
export interface StateMachine<Result> {
  /**
   * Applies consecutive entries, first to last, in one atomic step: after a crash either all of them are applied or
   * none, and `appliedIndex` changes with them (invariant N2). The first index is `appliedIndex + 1`.
   *
   * Not yet durable on return: after a power cut the state may be an older one, which the log then replays.
   *
   * @returns one result per entry; `undefined` for entries that are not commands
   * @throws when an entry cannot be understood or stored; the member must then stop, since skipping it would diverge
   */
  apply(entries: readonly Entry[]): readonly (Result | undefined)[];
  /** Index of the last applied entry; 0 when none. Durable state may be older. */
  readonly appliedIndex: number;
  /** Term of that entry; 0 when none. */
  readonly appliedTerm: number;
  /** Releases what it holds. No call may follow. */
  close(): void;
}
