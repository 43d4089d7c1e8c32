/** What the verbs on keys take and give: plain values, free of gRPC and protobuf. */

/** A value: text (valid UTF-8 on the wire) or bytes. A reader gets it back in the form in which it was written. */
export type Value = string | Uint8Array;

/** One key with its value and its counters. */
export interface KeyValue {
  readonly key: string;
  /** `undefined` when only keys were asked for. */
  readonly value: Value | undefined;
  /** Revision of the store at which the key was created. */
  readonly createRevision: number;
  /** Revision of the store at which the key was last written. */
  readonly modRevision: number;
  /** Number of writes since the key was created; 1 after the first. */
  readonly version: number;
  /** The lease the key ends with; `undefined` for none. */
  readonly leaseId: bigint | undefined;
}

/** Which keys. `start <= key < end` in byte order (each may be empty: no bound), or all keys that begin with `prefix`. */
export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'range'; readonly start: string; readonly end: string };

/** Bounds of one call. */
export interface CallOptions {
  /** Time for the call with all its attempts, in milliseconds. Default: the client's. */
  readonly timeoutMs?: number;
}

/** Bounds of one change. */
export interface MutationOptions extends CallOptions {
  /**
   * The request id that names this change: a UUID of version 7, as `newRequestId` makes it. By default each call gets one
   * of its own, so that it is repeated safely until its time is over. Give one to go on after the call has failed, or the
   * program: the same change with the same id is done once. `false`: none; then the call is never repeated once it may
   * have reached a member.
   */
  readonly requestId?: string | false;
}

/** Bounds and meaning of one read. */
export interface ReadOptions extends CallOptions {
  /** `linearizable` (default) reflects everything acknowledged before the call; `stale` is any member's own copy. */
  readonly consistency?: 'linearizable' | 'stale';
  /** With `stale`: reflects everything acknowledged longer ago than this, milliseconds. Default: no bound. */
  readonly maxStalenessMs?: number;
  /** With `stale`: reflects at least this revision. Default: no bound. */
  readonly minRevision?: number;
}

/** A read of the state as it is, or as it was. */
export interface RevisionReadOptions extends ReadOptions {
  /** The state at this revision. Default: the newest. Rejects with `compacted` or `future-revision` when it is not there. */
  readonly revision?: number;
}

/** How long a put lasts, and its conditions. */
export interface PutOptions extends MutationOptions, ExpiryOptions {
  /** Only if the key's `modRevision` is this; otherwise rejects with `precondition-failed`. */
  readonly ifRevision?: number;
  /** Only if the key is not there; otherwise rejects with `precondition-failed`. */
  readonly ifAbsent?: boolean;
  /** Answer with the key as it was. */
  readonly returnPrevious?: boolean;
}

/** What ends a key beside a delete; at most one of them. Without any, a lease that the key had is detached. */
export interface ExpiryOptions {
  /** Time to live in milliseconds, rounded up to whole seconds: the key gets a lease of its own. */
  readonly ttlMs?: number;
  /** The key ends with this lease. Rejects with `not-found` if it is not there. */
  readonly leaseId?: bigint;
  /** The key keeps the lease it has, or has none. Rejects with `not-found` if the key is not there. */
  readonly keepLease?: boolean;
}

/** Answer to a put. */
export interface PutAnswer {
  /** The revision this put made. */
  readonly revision: number;
  readonly createRevision: number;
  readonly version: number;
  /** The key as it was, if that was asked for and there was one. */
  readonly previous: KeyValue | undefined;
  /** The lease that `ttlMs` made. */
  readonly leaseId: bigint | undefined;
  /** This is the answer to an earlier attempt with the same request id. */
  readonly replayed: boolean;
}

/** Answer to a get. */
export interface GetAnswer {
  /** `undefined` if there is no such key. */
  readonly kv: KeyValue | undefined;
  /** The store's revision the answer was read at (the newest, also when an older one was asked for). */
  readonly revision: number;
}

/** How to read several keys. */
export interface BatchGetOptions extends RevisionReadOptions {
  /** Leave the values out. */
  readonly keysOnly?: boolean;
}

/** Answer to a batch of gets: all of them read at one revision. */
export interface BatchGetAnswer {
  /** One for each key, in the order asked; `undefined` if there is no such key. */
  readonly kvs: readonly (KeyValue | undefined)[];
  /** The revision they were read at. */
  readonly revision: number;
}

/** The conditions of a delete. */
export interface DeleteOptions extends MutationOptions {
  /** Only if the key's `modRevision` is this; otherwise rejects with `precondition-failed`. */
  readonly ifRevision?: number;
  /** Answer with the key as it was. */
  readonly returnPrevious?: boolean;
}

/** Answer to a delete. */
export interface DeleteAnswer {
  /** Whether the key existed. */
  readonly deleted: boolean;
  /** The store's revision afterwards. */
  readonly revision: number;
  /** The key as it was, if that was asked for and there was one. */
  readonly previous: KeyValue | undefined;
  /** This is the answer to an earlier attempt with the same request id. */
  readonly replayed: boolean;
}

/** Answer to a delete of many keys. */
export interface DeleteRangeAnswer {
  /** How many keys were removed. */
  readonly deleted: number;
  /** The store's revision afterwards; a new one only if a key was removed. */
  readonly revision: number;
  /** This is the answer to an earlier attempt with the same request id. */
  readonly replayed: boolean;
}

/** How to list. */
export interface ListOptions extends RevisionReadOptions {
  /** Default: all keys. */
  readonly selection?: Selection;
  /** Most keys in one page, 1 to 1000. Default: the server's. */
  readonly pageSize?: number;
  /** Most bytes of keys and values in one page; it holds one key all the same. Default: the server's. */
  readonly pageBytes?: number;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
}

/** One page of a listing, in ascending byte order of the keys. */
export interface ListPage {
  readonly kvs: readonly KeyValue[];
  /** Token of the next page; `undefined` on the last. */
  readonly nextPageToken: string | undefined;
  /** The store's revision of the whole listing. */
  readonly revision: number;
}

/** How to list in one stream. */
export interface StreamListOptions extends RevisionReadOptions {
  /** Default: all keys. */
  readonly selection?: Selection;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
  /** Most time without a part, in milliseconds; `timeoutMs` bounds the first. Default 60,000. */
  readonly maxSilenceMs?: number;
}

/** A part of a listing in one stream. */
export interface ListPart {
  readonly kvs: readonly KeyValue[];
  /** The store's revision of the whole listing. */
  readonly revision: number;
}

/** One change of one key. */
export interface KeyEvent {
  readonly type: 'put' | 'delete';
  /** The key as it is since. Of a deletion: the key, and the revision that removed it as `modRevision`; nothing else. */
  readonly kv: KeyValue;
  /** The key as it was, if that was asked for, there was one and it is not compacted. */
  readonly previous: KeyValue | undefined;
}

/** How to read the history of a key. */
export interface HistoryOptions extends ReadOptions {
  /** Most versions in one page, 1 to 1000. Default: the server's. */
  readonly pageSize?: number;
  /** Only versions older than this revision. Default: no bound. */
  readonly beforeRevision?: number;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
}

/** A page of the history of a key. */
export interface HistoryPage {
  /** Puts and deletions, newest first. */
  readonly events: readonly KeyEvent[];
  /** There are older versions that are not compacted. */
  readonly more: boolean;
  /** The store's revision it was read at. */
  readonly revision: number;
  /** History before this revision was compacted; 0 when it is complete. */
  readonly compactRevision: number;
}
