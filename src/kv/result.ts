/** What applying a command gives, and what reads give. Equal on every member. */
import type { AlarmKind, KeyRange, RangeOperation, RequestId, TxnOperation, ValueForm } from './command';

export type { KeyRange } from './command';

/** One key as it stands, or stood at some revision. */
export interface KeyRecord {
  readonly key: Uint8Array;
  /** Empty when only keys were asked for. */
  readonly value: Uint8Array;
  readonly form: ValueForm;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** The lease it is attached to; 0 for none. */
  readonly lease: bigint;
}

/** Result of a put. */
export interface PutResult {
  readonly kind: 'put';
  /** The revision this put made. */
  readonly revision: number;
  readonly createRevision: number;
  /** 1 when this put created the key. */
  readonly version: number;
  /** The record before, if it was asked for and there was one. */
  readonly previous: KeyRecord | undefined;
}

/** Result of a delete. */
export interface DeleteResult {
  readonly kind: 'delete';
  /** The store's revision afterwards; a new one only if a key was there. */
  readonly revision: number;
  /** How many keys were removed. */
  readonly deleted: number;
  /** The records that were removed, in the order of their keys, if they were asked for; otherwise empty. */
  readonly previous: readonly KeyRecord[];
}

/** Result of a range. */
export interface RangeResult {
  readonly kind: 'range';
  /** The store's revision it was read at (of the newest state, also when an older one was asked for). */
  readonly revision: number;
  readonly records: readonly KeyRecord[];
  /** True if the limit left records out. */
  readonly more: boolean;
  /** Keys of the range, whatever the limit and the revision bounds. */
  readonly count: number;
}

/** Result of a transaction. */
export interface TxnResult {
  readonly kind: 'txn';
  /** The store's revision afterwards; a new one only if something changed. */
  readonly revision: number;
  /** Whether the comparisons held. */
  readonly succeeded: boolean;
  /** One for each operation of the list that was done. */
  readonly results: readonly OperationResult[];
}

export type OperationResult = PutResult | DeleteResult | RangeResult | TxnResult;

/** Result of a command that answers with nothing but the revision: compact, clock, alarms, settings. */
export interface DoneResult {
  readonly kind: 'done';
  readonly revision: number;
  /** False if it changed nothing: the alarm was there already, or was not there; the term was another. */
  readonly changed: boolean;
}

/** Result of granting, revoking, renewing or expiring leases. */
export interface LeaseResult {
  readonly kind: 'lease';
  readonly revision: number;
  /** The leases concerned that were there (or are there now), with their time to live in seconds. */
  readonly leases: readonly { readonly id: bigint; readonly ttl: number }[];
}

/** Why a command had no effect although it is in the log. The same on every member. */
export type Refusal =
  | 'key-not-found'
  | 'duplicate-key'
  | 'lease-not-found'
  | 'lease-exists'
  | 'compacted'
  | 'future-revision'
  | 'no-space'
  | 'corrupt'
  | 'request-expired'
  | 'request-mismatch';

/** Result of a command that was refused: nothing changed, and never will by it. */
export interface RefusedResult {
  readonly kind: 'refused';
  readonly revision: number;
  readonly refusal: Refusal;
  /**
   * `compacted`: the compacted revision; `future-revision`: the store's; `request-expired`: the time in the greatest id that
   * was forgotten, milliseconds since 1970.
   */
  readonly limit: number | undefined;
}

/** What a command gives, without its envelope. */
export type PlainResult = OperationResult | DoneResult | LeaseResult | RefusedResult;

/** What the commands of one entry give, in their order. */
export interface BatchResult {
  readonly kind: 'batch';
  /** The store's revision afterwards. */
  readonly revision: number;
  readonly results: readonly CommandResult[];
}

interface Replayable {
  /** True if this is the answer that an earlier command with the same request id got; it was not done again. */
  readonly replayed?: boolean;
}

/** What a command gives. */
export type CommandResult = PlainResult & Replayable;

/** What an entry gives. */
export type Result = (PlainResult | BatchResult) & Replayable;

/** A page of a range for the native listing. */
export interface RangeQuery extends KeyRange {
  /** State at this revision; 0 for the newest. */
  readonly revision: number;
  /** Most keys, 1 or more. */
  readonly limit: number;
  /** Stop before the keys and values exceed this many bytes, but return at least one record. */
  readonly maxBytes: number;
  readonly keysOnly: boolean;
}

/** Records of one instant, in ascending byte order of their keys. */
export interface RangePage {
  readonly records: readonly KeyRecord[];
  /** True if the range holds keys after the last record. */
  readonly more: boolean;
}

/** One change of one key, as the history holds it and watches tell it. */
export interface Change {
  readonly revision: number;
  /** Orders the changes of one revision, from 0. */
  readonly sub: number;
  readonly kind: 'put' | 'delete';
  /** The key as it is since; for a delete, only the key and `modRevision` count, and the rest is empty or 0. */
  readonly record: KeyRecord;
}

/** A page of the history of one key. */
export interface HistoryQuery {
  /** Only changes of revisions below this; 0 for no bound. */
  readonly beforeRevision: number;
  /** Most changes, 1 or more. */
  readonly limit: number;
  /** Stop before the keys and values exceed this many bytes, but return at least one change. */
  readonly maxBytes: number;
  readonly keysOnly: boolean;
}

/** Changes of one key, newest first. */
export interface HistoryPage {
  readonly changes: readonly Change[];
  /** True if there are older ones. */
  readonly more: boolean;
}

/** What is known of a lease. */
export interface LeaseInfo {
  readonly id: bigint;
  /** Time to live as granted, seconds. */
  readonly ttl: number;
  /** The log index of the entry that granted it: tells it from an earlier lease of the same id. */
  readonly grantIndex: number;
  /** How often it was renewed. */
  readonly renewals: number;
  /** The store's clock when it was granted or last renewed, milliseconds. */
  readonly renewedAt: number;
}

/** An alarm that stands. */
export interface Alarm {
  readonly alarm: AlarmKind;
  readonly memberId: bigint;
}

/** How HashKV answers: the hash of etcd v3.5 over everything up to a revision. */
export interface KvHash {
  readonly hash: number;
  readonly revision: number;
  readonly compactRevision: number;
}

/**
 * Reads of the store as it stands now: everything applied, nothing else.
 *
 * Reads at a revision throw QuorateError `compacted` when it is below the compacted one, and `future-revision` when it is
 * above the store's.
 */
export interface KvReader {
  /** The store-wide revision: 1 for an empty store, one more with each mutation. */
  readonly revision: number;
  /** The last compaction; 0 when there was none. Reads at this revision still work. */
  readonly compactRevision: number;
  /** The store's own clock, milliseconds; see `AdvanceClockCommand`. */
  readonly clockMs: number;
  /** The quota in force, bytes; 0 for none. */
  readonly quotaBytes: number;
  readonly alarms: readonly Alarm[];
  /** Keys that are there now. */
  readonly keyCount: number;
  /** @param revision 0 for the newest */
  get(key: Uint8Array, revision?: number): KeyRecord | undefined;
  /** A page; what is beyond it is not read. */
  range(query: RangeQuery): RangePage;
  /** A range as etcd means it. */
  select(operation: Omit<RangeOperation, 'kind'>): RangeResult;
  /**
   * What a transaction without puts and deletes, nested ones among it, gives on the state as it stands: the answer that
   * applying it would give, without an entry in the log.
   */
  readTxn(operation: TxnOperation): TxnResult;
  /**
   * The changes of revisions from `fromRevision` on, in order, whole revisions only: as many as fit into `maxChanges` and
   * `maxBytes`, but at least one revision if there is one.
   *
   * @throws QuorateError `compacted` if `fromRevision` is below the compacted revision
   */
  changes(fromRevision: number, maxChanges: number, maxBytes: number): readonly Change[];
  /** The versions of one key that are not compacted, newest first, and its deletions. What is beyond the page is not read. */
  keyHistory(key: Uint8Array, query: HistoryQuery): HistoryPage;
  lease(id: bigint): LeaseInfo | undefined;
  /** All leases, in no order that means anything. */
  leases(): IterableIterator<LeaseInfo>;
  readonly leaseCount: number;
  /** The keys attached to a lease, in the order of their bytes. */
  leaseKeys(id: bigint): readonly Uint8Array[];
  /** Requests whose results are remembered. */
  readonly requestCount: number;
  /** Whether a request id would be refused, replayed or executed now; for tests and status. */
  requestState(id: RequestId): 'known' | 'expired' | 'new';
  /** Bytes on disk, all files of the store together. */
  sizeBytes(): number;
  /** Of those, the bytes that hold something. */
  sizeInUseBytes(): number;
  /** In steps short enough for other work in between. @param revision 0 for the newest */
  hashKv(revision: number): Promise<KvHash>;
  /** Returns when this member no longer stores anything that is compacted (at once if that is so). */
  spaceReclaimed(): Promise<void>;
}

/** What the state machine tells whoever wants to know, in order, on the thread of `apply`, after each batch is written. */
export interface ApplyListener {
  /** Changes of keys, whole revisions, ascending; never empty. `revision` of the store is that of the last one. */
  onChanges(changes: readonly Change[]): void;
  /** A lease was granted or renewed at this moment. */
  onLeaseRenewed(lease: LeaseInfo): void;
  /** A lease was revoked or has expired. */
  onLeaseEnded(id: bigint): void;
  /** Everything up to `revision` was compacted. */
  onCompacted(revision: number): void;
  /** A snapshot took the place of the state: anything may have changed; revisions did not fall. */
  onReplaced(): void;
}
