/** The bounds of the driver, each with unit and default. */

export interface NodeOptions {
  /** Most proposals of this member's own clients that wait for an answer; beyond, calls are refused. Default 20,000. */
  readonly maxWaitingProposals: number;
  /** Most payload bytes of those. Default 64 MiB. */
  readonly maxWaitingBytes: number;
  /** Most reads that wait for a confirmed index; beyond, calls are refused. Default 100,000. */
  readonly maxWaitingReads: number;
  /** Most payload bytes applied in one turn, so that messages and timers get their turn too. Default 1 MiB. */
  readonly maxApplyBytes: number;
  /** Most payload bytes in one batch forwarded to the leader; a single larger one travels alone. Default 1 MiB. */
  readonly maxForwardBytes: number;
  /** Most bytes of the commands that share an entry; a larger one has its own. 0: each has its own. Default 64 KiB. */
  readonly maxSharedEntryBytes: number;
  /** Longest that a command waits to share an entry with others while one is under way, ms. Default 2; 0: it never waits. */
  readonly maxGatherMs: number;
  /** How long to wait before asking a leader again that refused or did not answer, ms. Default 50. */
  readonly retryIntervalMs: number;
  /** How long an attempt to have a read confirmed may take before a fresh one is made, ms. Default 500. */
  readonly readAttemptMs: number;
  /** How often deadlines are looked at, ms: a call may end this much late. Default 20. */
  readonly sweepIntervalMs: number;
  /** Most changes of members or leader that wait for an answer. Default 64. */
  readonly maxWaitingChanges: number;
  /** The log is cut when this many entries can go. Default 10,000, range 1 to 10,000,000. */
  readonly compactLogEntries: number;
  /** Or this many payload bytes. Default 64 MiB. */
  readonly compactLogBytes: number;
  /** Entries kept for members that lag a little: what lags more is sent the whole state. Default 10,000. */
  readonly trailingLogEntries: number;
  /** But no more payload bytes than this. Default 64 MiB. */
  readonly trailingLogBytes: number;
  /** How long to wait before a member is sent another snapshot after one that did not arrive, ms. Default 1000. */
  readonly snapshotRetryMs: number;
  /** A leader whose own disk has worked at one write for so long hands leadership over, ms. Default 500. */
  readonly slowDiskMs: number;
}

export const defaultNodeOptions: NodeOptions = {
  maxWaitingProposals: 20_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxWaitingReads: 100_000,
  maxApplyBytes: 1024 * 1024,
  maxForwardBytes: 1024 * 1024,
  maxSharedEntryBytes: 64 * 1024,
  maxGatherMs: 2,
  retryIntervalMs: 50,
  readAttemptMs: 500,
  sweepIntervalMs: 20,
  maxWaitingChanges: 64,
  compactLogEntries: 10_000,
  compactLogBytes: 64 * 1024 * 1024,
  trailingLogEntries: 10_000,
  trailingLogBytes: 64 * 1024 * 1024,
  snapshotRetryMs: 1000,
  slowDiskMs: 500,
};
