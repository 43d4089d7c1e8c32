/** The durable log: what a member must find again after a crash or a power cut. */
import type { Incarnation } from '../base/incarnation';
import type { ConfigurationAt, Entry, HardState, LogStart, MemberId, Persist } from '../raft';

/** Whose data a directory holds. Written once, when the directory is first used. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: MemberId;
}

/** What was found at opening. */
export interface LoadedLog extends LogStart {
  readonly hardState: HardState;
  /**
   * The configuration in force at the log's beginning: the one given at the first opening of this directory, at index 0,
   * until the log begins after an entry or a snapshot that brought another.
   */
  readonly configuration: ConfigurationAt;
  /** The configuration entries of the log, in order. */
  readonly configurationEntries: readonly Entry[];
  /** Of this opening: no other, of this or any other directory, ever had it. */
  readonly incarnation: Incarnation;
  /** The newest that was noted of each peer. */
  readonly peerIncarnations: ReadonlyMap<MemberId, Incarnation>;
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
   * Makes one `Persist` durable: hard state, snapshot and entries together or not at all. Calls may overlap; they take
   * effect and complete in call order, and what waits while one is being written is written as one group.
   *
   * With a snapshot the log is replaced: it begins after `snapshot.last` with that configuration, and of the entries
   * before only those of this `Persist` are left.
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
   *   `superseded` when the range is not held, or not any more: a truncation or a snapshot may have come first
   */
  readEntries(range: EntryRange): Promise<readonly Entry[]>;
  /**
   * Removes entries up to and including `index`, in chunks that delay no `persist` noticeably. They must be applied, and
   * durable in the state database. The configuration in force there becomes that of the log's beginning. Idempotent; does
   * nothing when the log already begins later.
   */
  truncatePrefix(index: number): Promise<void>;
  /**
   * Remembers what a peer is known by from now on.
   *
   * @returns once it would survive a power cut; nothing that is handed over later is durable before it
   */
  notePeer(peer: MemberId, incarnation: Incarnation): Promise<void>;
  /**
   * Makes the directory unusable: no storage will be opened on it again.
   *
   * @returns once that would survive a power cut
   */
  condemn(): Promise<void>;
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
