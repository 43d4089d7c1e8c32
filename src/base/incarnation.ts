/** Which life of which disk a member speaks for, so that data that was lost or set back does not go unnoticed. */

/** Told to every peer. A member id stays with one disk, and its lives follow each other (invariant M7). */
export interface Incarnation {
  /** Drawn when the log's directory was made: 64 bits, not 0. */
  readonly disk: bigint;
  /** How often the directory was opened, this time included: at least 1. Durable before anything is sent. */
  readonly boots: number;
  /** Drawn at every opening: 64 bits, not 0. Tells apart two lives that began from copies of one state. */
  readonly run: bigint;
}
