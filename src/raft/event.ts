/**
 * What happens to a member: the only inputs of the core, together with the time at which they arrive. What the core
 * wants done in return, and in which order, stands in `update.ts`; together the two files are the driver's contract.
 */
import type { MemberChange } from './membership';
import type { Message } from './messages';
import type { Entry, EntryKind, MemberId } from './types';

/** Something to append to the log. */
export interface Proposal {
  readonly kind: EntryKind;
  readonly payload: Uint8Array;
}

/** Appended together and in order, or refused together. */
export interface ProposalBatch {
  readonly id: number;
  /** Append only while leading in exactly this term: who knows the term knows, later, what became of the batch. */
  readonly term: number;
  readonly proposals: readonly Proposal[];
  /** The member whose callers wait for it, if it is another one: it hears of the commit at once. */
  readonly askedBy?: MemberId;
}

/**
 * Change who belongs to the cluster (thesis §4). Answered in `Update.changes` by `id`, at once: the new configuration
 * stands in the log, or why not. It is in force from then on; it is certain once `Update.commitIndex` reaches its index
 * with the leader still in the same term, and undone if a later leader removes it from the log. A change of more than
 * one voter goes through a joint configuration, which the leader leaves by itself (`autoLeave`): the change is complete
 * when an entry with a configuration that is not joint has been committed.
 */
export interface ConfigurationChange {
  readonly id: number;
  /** Done together or not at all; each member named at most once. None, to change the context alone. */
  readonly changes: readonly MemberChange[];
  /** What the program keeps with the new configuration, such as names and addresses; opaque to the core. */
  readonly context: Uint8Array;
  /**
   * For disaster work: true skips the refusals `not-caught-up` and `unhealthy`, and so may leave the cluster without a
   * quorum that answers. All other refusals stay. Default false.
   */
  readonly force?: boolean;
}

export type Event =
  /** Time has passed; look at the timeouts. */
  | { readonly kind: 'tick' }
  /** A message came from a member of this cluster. */
  | { readonly kind: 'receive'; readonly from: MemberId; readonly message: Message }
  /** Append a batch to the log. Answered in `Update.proposed` by its `id`. */
  | ({ readonly kind: 'propose' } & ProposalBatch)
  /**
   * Confirm leadership and tell the commit index (ReadIndex, thesis §6.4). Answered in `Update.reads` by `id`. `askedBy` is
   * the member that asks, if it is another one: it must have asked after the read began, and only whom it followed then.
   */
  | { readonly kind: 'read'; readonly id: number; readonly askedBy?: MemberId }
  /** Everything up to this `Persist.sequence` is durable. Sequence numbers come back in order. */
  | { readonly kind: 'persisted'; readonly sequence: number }
  /**
   * Entries that `Update.loads` asked for; possibly fewer, from the start of what was asked. None at all only if the log
   * was shortened meanwhile, which `prefix-removed` has told before.
   */
  | { readonly kind: 'loaded'; readonly peer: MemberId; readonly entries: readonly Entry[] }
  /** The state machine has applied everything up to here, or was replaced by a snapshot that ends here. */
  | { readonly kind: 'applied'; readonly index: number }
  /**
   * Compaction: the log up to here is gone from storage. At most the last `applied` index that was told, and only what a
   * durable state machine stands for. The driver decides when, and keeps a trailing window for peers that lag a little
   * (`Raft.peers`); the core follows. It must be told before an empty `loaded` that is the consequence.
   */
  | { readonly kind: 'prefix-removed'; readonly index: number }
  /**
   * The driver is done with a wish of `Update.snapshots`: the peer has the whole snapshot, checked and handed to its
   * core, or did not get it. `lastIndex` is the snapshot's last entry (0 if none was made). A driver that could not
   * deliver may wait before it says so: the next wish comes at the next heartbeat. Told also when this member no longer
   * leads; then it changes nothing.
   */
  | { readonly kind: 'snapshot-sent'; readonly peer: MemberId; readonly lastIndex: number; readonly delivered: boolean }
  /**
   * Whether this member is to hear of every commit at once, since it has watches, say, or serves reads; at first it is not.
   * Concerns a member that follows: the leader may tell others with the next entries, if those come within milliseconds.
   */
  | { readonly kind: 'follow-closely'; readonly wanted: boolean }
  /** Change who belongs to the cluster. Answered in `Update.changes` by `id`. */
  | ({ readonly kind: 'change-configuration' } & ConfigurationChange)
  /**
   * Hand leadership to a voter (thesis §3.10); without `to`, to the voter that answers and lacks least, as on shutdown or
   * when this member's disk is slow. Answered in `Update.transfers` by `id`, within one election timeout. Until then
   * proposals are refused as `not-leader` (surely not done) and changes as `unfinished`.
   */
  | { readonly kind: 'transfer-leadership'; readonly id: number; readonly to: MemberId | undefined }
  /** The transport lost its connection to this peer: what was in flight may be gone. A running snapshot is not meant. */
  | { readonly kind: 'unreachable'; readonly peer: MemberId }
  /**
   * Nobody listens any more where this peer was reached before: most likely its process has ended. A sign, not a proof; if it
   * is the leader, its followers wait for a few heartbeats only, not for an election timeout, and lose nothing if it lives.
   */
  | { readonly kind: 'peer-gone'; readonly peer: MemberId }
  /**
   * A connection to this peer stands. A member that has just started and reaches a quorum need not wait for an election
   * timeout to learn that nobody leads: it would hear of a leader within a heartbeat.
   */
  | { readonly kind: 'peer-reached'; readonly peer: MemberId };
