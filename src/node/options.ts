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
  /** How long to wait before asking a leader again that refused or did not answer, ms. Default 50. */
  readonly retryIntervalMs: number;
  /** How long an attempt to have a read confirmed may take before a fresh one is made, ms. Default 500. */
  readonly readAttemptMs: number;
  /** How often deadlines are looked at, ms: a call may end this much late. Default 20. */
  readonly sweepIntervalMs: number;
}

export const defaultNodeOptions: NodeOptions = {
  maxWaitingProposals: 20_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxWaitingReads: 100_000,
  maxApplyBytes: 1024 * 1024,
  maxForwardBytes: 1024 * 1024,
  retryIntervalMs: 50,
  readAttemptMs: 500,
  sweepIntervalMs: 20,
};
