/** The durable log: what a member must find again after a crash or a power cut. */
import type { Configuration, Entry, HardState, LogStart, MemberId, Persist } from '../raft';

/** Whose data a directory holds. Written once, when the directory is first used. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: MemberId;
}

/** What was found at opening. */
export interface LoadedLog extends LogStart {
  readonly hardState: HardState;
  /** The configuration the log starts from: the one given at the first opening of this directory. */
  readonly configuration: Configuration;
}

/**
 * A durable log with its hard state. One instance per directory, in one process.
 *
 * Any failure to write is final: the outcome of a failed commit is ambiguous, so the instance refuses every later call
 * and the member must stop (architecture §1.5). Nothing is retried.
 */
export interface Storage {
  /** What was found at opening. */
  readonly loaded: LoadedLog;
  /**
   * Makes one `Persist` durable: hard state and entries together or not at all. Calls may overlap; they take effect and
   * complete in call order, and what waits while one is being written is written as one group.
   *
   * @returns once all of it would survive a power cut
   * @throws QuorateError `damaged` once any write has failed
   */
  persist(persist: Persist): Promise<void>;
  /**
   * Reads entries `firstIndex` to `lastIndex`, both inclusive and held, each checked against its checksum. Sees
   * everything whose `persist` has completed.
   *
   * @param range.maxBytes stop before exceeding this much payload, but return at least one entry
   * @throws QuorateError `damaged` when a record fails its check, which is final as a failed write is;
   *   `superseded` when the range is not held, or not any more: a truncation may have come first
   */
  readEntries(range: EntryRange): Promise<readonly Entry[]>;
  /**
   * Removes entries up to and including `index`, in chunks that delay no `persist` noticeably. They must be applied, and
   * durable in the state database. Idempotent.
   */
  truncatePrefix(index: number): Promise<void>;
  /** Bytes on disk, all files of the log together. */
  sizeBytes(): number;
  /** Settles when the storage fails; never before. Its error is a QuorateError `damaged`. */
  readonly failed: Promise<Error>;
  /** Finishes what was handed over, then releases the directory. */
  close(): Promise<void>;
}

/** A stretch of the log. */
export interface EntryRange {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly maxBytes: number;
}
