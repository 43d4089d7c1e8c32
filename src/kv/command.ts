/** The commands of the key-value state machine: what a log entry asks for. Plain values; a codec gives them bytes. */

/** How the writer gave the value, so that a reader gets it back in the same form. */
export type ValueForm = 'text' | 'bytes';

/** Which keys: `start <= key < end` in byte order. A single key k is the range from k to k followed by a zero byte. */
export interface KeyRange {
  readonly start: Uint8Array;
  /** `undefined` means to the last key. */
  readonly end: Uint8Array | undefined;
}

/** No lease: the key stays until it is deleted. */
export const noLease = 0n;

/** Stores a value under a key. */
export interface PutOperation {
  readonly kind: 'put';
  /** Not empty. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly form: ValueForm;
  /** Attach the key to this lease, detached from the one before; `noLease` only detaches. A signed 64-bit number. */
  readonly lease: bigint;
  /**
   * Seconds, above 0: grants `lease` with this time to live in the same step (a `ttl` given with a put); the put is
   * refused with `lease-exists` if the id is taken. 0: the lease must be there already.
   */
  readonly grantTtl: number;
  /** Keep the value and its form as they are; refused with `key-not-found` if the key is not there. */
  readonly keepValue: boolean;
  /** Keep the lease as it is; refused with `key-not-found` if the key is not there. */
  readonly keepLease: boolean;
  /** The result tells the record before. */
  readonly returnPrevious: boolean;
}

/** Removes the keys of a range that are there. */
export interface DeleteOperation {
  readonly kind: 'delete';
  readonly range: KeyRange;
  /** The result tells the records that were removed. */
  readonly returnPrevious: boolean;
}

/** What a range is sorted by. `key` is the order of the bytes of the keys. */
export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

/** Reads a range; within a transaction it sees what the operations before it did. */
export interface RangeOperation {
  readonly kind: 'range';
  readonly range: KeyRange;
  /** State at this revision; 0 for the newest; -1 for one below all, which is always refused with `compacted`. */
  readonly revision: number;
  /**
   * Most records; 0 for all. With the order `none` and without bounds, only the first keys, one more than the limit, take part
   * in the sorting (etcd's way).
   */
  readonly limit: number;
  readonly sortTarget: SortTarget;
  readonly sortOrder: 'none' | 'ascend' | 'descend';
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /**
   * Only records whose revisions are within these bounds, inclusive; 0 for no bound, and -1 for one below everything:
   * nothing is within such an upper one. `count` ignores them.
   */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

/**
 * What a comparison looks at. A key that is not there has version, revisions and lease 0, and no value. `number` is any safe
 * integer, also a negative one: nothing is equal to that.
 */
export type CompareTarget =
  | { readonly kind: 'version' | 'create' | 'mod'; readonly number: number }
  | { readonly kind: 'value'; readonly value: Uint8Array }
  | { readonly kind: 'lease'; readonly lease: bigint };

/**
 * A condition on every key of a range. A range without keys, be it of one key or of many, counts as one key that is not
 * there; a comparison of `value`, also `not-equal`, is then false. (So does etcd v3.5.)
 */
export interface Comparison {
  readonly range: KeyRange;
  readonly operator: 'equal' | 'greater' | 'less' | 'not-equal';
  readonly target: CompareTarget;
}

/**
 * Tests all comparisons against the state before the transaction, then does one of two lists of operations, all of it at
 * one revision or nothing at all. Transactions nest; the comparisons of a nested one see the state before the outermost.
 */
export interface TxnOperation {
  readonly kind: 'txn';
  readonly compares: readonly Comparison[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export type Operation = PutOperation | DeleteOperation | RangeOperation | TxnOperation;

/** Forgets what was before a revision: reads below it are refused, and space is given back bit by bit. */
export interface CompactCommand {
  readonly kind: 'compact';
  /** Above the last compacted one, at most the store's; otherwise refused with `compacted` or `future-revision`. */
  readonly revision: number;
}

/** Makes a lease. Refused with `lease-exists`. */
export interface LeaseGrantCommand {
  readonly kind: 'lease-grant';
  /** Signed 64 bits, not 0; chosen by the member that proposes. */
  readonly id: bigint;
  /** Seconds, 1 or more. */
  readonly ttl: number;
}

/** Ends a lease now, and deletes its keys at one revision, in the order of their bytes. Refused with `lease-not-found`. */
export interface LeaseRevokeCommand {
  readonly kind: 'lease-revoke';
  readonly id: bigint;
}

/** Renews leases: the time to live of each begins anew. Ids that are not there are told, and change nothing. */
export interface LeaseRenewCommand {
  readonly kind: 'lease-renew';
  readonly ids: readonly bigint[];
}

/** A lease as the leader saw it when its time was up. */
export interface LeaseDeadline {
  readonly id: bigint;
  /** As the leader knew it: if it was revoked and granted again since, it stays. */
  readonly grantIndex: number;
  /** As many renewals as the leader knew of: if it was renewed since, it stays. */
  readonly renewals: number;
}

/**
 * Ends leases whose time is up, as a revoke each (one revision for each lease that has keys). Has no effect unless the
 * entry that holds it is of `term`: only the leader that measured the time may end them (invariant E2).
 */
export interface LeaseExpireCommand {
  readonly kind: 'lease-expire';
  readonly term: number;
  readonly leases: readonly LeaseDeadline[];
}

/**
 * While the store holds leases, one entry moves the clock by no more than this, whatever it says; milliseconds. So what a
 * lease seems to have aged by is more than it did by at most two such steps, however long an entry took to be committed:
 * the grace that a new leader gives (docs/adr/0006-time-in-the-store.md).
 */
export const maxLeaseClockStepMs = 1000;

/**
 * Moves the store's own clock: milliseconds for which the cluster has had a leader, measured by the leaders, each on its
 * monotonic clock. It only tells a new leader how much time a lease had left, and request ids how old they are. Has no
 * effect unless the entry is of `term`; the step is cut to `maxLeaseClockStepMs` while there are leases.
 */
export interface AdvanceClockCommand {
  readonly kind: 'advance-clock';
  readonly term: number;
  /** Added to the clock; 0 or more. */
  readonly elapsedMs: number;
}

/**
 * What an alarm says: `no-space`, puts and grants are refused; `corrupt`, everything that changes data is. `quota` says what
 * `no-space` does, and is the leader's own: raised and cleared as space goes and comes, about no member (0). Clients see it
 * as `no-space` and can only clear it, so that no alarm of theirs is ever taken for it.
 */
export type AlarmKind = 'no-space' | 'corrupt' | 'quota';

/** Raises or clears an alarm. To clear `no-space` about no member clears `quota`, too. */
export interface AlarmCommand {
  readonly kind: 'alarm';
  readonly action: 'raise' | 'clear';
  readonly alarm: AlarmKind;
  /** The member it is about; opaque to the store. */
  readonly memberId: bigint;
}

/** Settings of the whole cluster; a field that is `undefined` stays. */
export interface ConfigureCommand {
  readonly kind: 'configure';
  /** Bytes of the database above which puts and grants are refused; 0 for no bound. */
  readonly quotaBytes: number | undefined;
}

/** A command without its request id. */
export type PlainCommand =
  | PutOperation
  | DeleteOperation
  | TxnOperation
  | CompactCommand
  | LeaseGrantCommand
  | LeaseRevokeCommand
  | LeaseRenewCommand
  | LeaseExpireCommand
  | AdvanceClockCommand
  | AlarmCommand
  | ConfigureCommand;

/**
 * A name for one intended change, by which a repetition is recognised: a UUID of version 7 (RFC 9562), 16 bytes. Its first
 * 48 bits are the milliseconds since 1970 at which the client made it, which is how the store knows ids that it may have
 * forgotten: all that are not above the greatest one it has forgotten are refused with `request-expired`.
 */
export type RequestId = Uint8Array;

/** A command as the log holds it. With a request id, it takes effect at most once (invariants X1 to X5). */
export interface Command {
  readonly requestId: RequestId | undefined;
  readonly command: PlainCommand;
}
