/** What goes into a client and what comes out: plain values, free of gRPC and protobuf. */

/** A value: text (valid UTF-8 on the wire) or bytes. A reader gets it back in the form in which it was written. */
export type Value = string | Uint8Array;

/** One key with its value and its counters. */
export interface KeyValue {
  readonly key: string;
  /** `undefined` only in a listing of keys without values. */
  readonly value: Value | undefined;
  /** Revision of the store at which the key was created. */
  readonly createRevision: number;
  /** Revision of the store at which the key was last written. */
  readonly modRevision: number;
  /** Number of writes since the key was created; 1 after the first. */
  readonly version: number;
}

/** Answer to a put. */
export interface PutAnswer {
  /** The revision this put made. */
  readonly revision: number;
  readonly createRevision: number;
  readonly version: number;
}

/** Answer to a get. */
export interface GetAnswer {
  /** `undefined` if there is no such key. */
  readonly kv: KeyValue | undefined;
  /** The store's revision the answer was read at. */
  readonly revision: number;
}

/** Answer to a delete. */
export interface DeleteAnswer {
  /** Whether the key existed. */
  readonly deleted: boolean;
  /** The store's revision afterwards. */
  readonly revision: number;
}

/** One page of a listing, in ascending byte order of the keys. */
export interface ListPage {
  readonly kvs: readonly KeyValue[];
  /** Token of the next page; `undefined` on the last. */
  readonly nextPageToken: string | undefined;
  /** The store's revision this page was read at; pages of one listing may differ in it. */
  readonly revision: number;
}

/** Which keys to list; everything by default. `start <= key < end` in byte order, or all keys that begin with `prefix`. */
export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'range'; readonly start: string; readonly end: string };

/** A member's part in its term. */
export type MemberRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader' | 'unknown';

/** What a member counts for: a learner does not, a leaving voter still does. */
export type MemberStanding = 'voter' | 'learner' | 'leaving' | 'unknown';

/** Who a member is, where it listens, and what it counts for. */
export interface MemberDescription {
  readonly id: bigint;
  readonly name: string;
  /** `host:port` for its peers. */
  readonly peerAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  readonly standing: MemberStanding;
}

/** A member that is to join. */
export interface NewMember {
  /** Unique in the cluster: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 63. */
  readonly name: string;
  /** Where its peers will reach it, `host:port`. */
  readonly peerAddress: string;
  /** Where clients will reach it, `host:port`. */
  readonly clientAddress: string;
}

/** Where a member is reached from now on; what is left out stays. */
export interface MemberMove {
  readonly peerAddress?: string;
  readonly clientAddress?: string;
}

/** What the leader knows of one peer. */
export interface PeerProgress {
  readonly memberId: bigint;
  /** Finding out where the logs agree, sending entries as they come, or sending the whole state. */
  readonly state: 'probe' | 'replicate' | 'snapshot' | 'unknown';
  /** The last log index known to be durable there. */
  readonly matchIndex: number;
  /** Milliseconds since it was last heard from. */
  readonly silentMs: number;
}

/** The members as one of them knows them. */
export interface MembersAnswer {
  readonly clusterId: bigint;
  readonly members: readonly MemberDescription[];
  /** `undefined` while the answering member knows no leader. */
  readonly leaderId: bigint | undefined;
}

/** The state of one member at one instant. Indexes are of the Raft log. */
export interface MemberStatus {
  readonly clusterId: bigint;
  readonly member: MemberDescription;
  readonly role: MemberRole;
  readonly term: number;
  readonly leaderId: bigint | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly firstLogIndex: number;
  readonly lastLogIndex: number;
  readonly durableLogIndex: number;
  readonly stateDatabaseBytes: number;
  readonly logDatabaseBytes: number;
  readonly revision: number;
  readonly version: string;
  readonly hasQuorum: boolean;
  /** Every peer, if this member leads; otherwise empty. */
  readonly peers: readonly PeerProgress[];
}

/**
 * A copy of one member's database on its way. Iterate it once, to get its bytes in order; leaving the loop early cancels it.
 * The iteration ends normally only when exactly `sizeBytes` with the digest `sha256` have come.
 */
export interface SnapshotDownload extends AsyncIterable<Uint8Array> {
  readonly clusterId: bigint;
  /** The last log index applied to the copy. */
  readonly appliedIndex: number;
  readonly sizeBytes: number;
  /** SHA-256 of the whole, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Bounds of a snapshot. */
export interface SnapshotOptions {
  /**
   * Most time without a byte, in milliseconds: before the first, while the member makes the copy, and between two. Default
   * 60,000. The whole may take as long as it needs.
   */
  readonly maxSilenceMs?: number;
}

/** Bounds of one call. */
export interface CallOptions {
  /** Time for the call with all its attempts, in milliseconds. Default: the client's. */
  readonly timeoutMs?: number;
}

/** Bounds and meaning of one read. */
export interface ReadOptions extends CallOptions {
  /** `linearizable` (default) reflects everything acknowledged before the call; `stale` is any member's own copy. */
  readonly consistency?: 'linearizable' | 'stale';
}

/** How to list. */
export interface ListOptions extends ReadOptions {
  /** Default: all keys. */
  readonly selection?: Selection;
  /** Most keys in one page, 1 to 1000. Default: the server's. */
  readonly pageSize?: number;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
}
