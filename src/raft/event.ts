/** What happens to a member: the only inputs of the core, together with the time at which they arrive. */
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
}

export type Event =
  /** Time has passed; look at the timeouts. */
  | { readonly kind: 'tick' }
  /** A message came from a member of this cluster. */
  | { readonly kind: 'receive'; readonly from: MemberId; readonly message: Message }
  /** Append a batch to the log. Answered in `Update.proposed` by its `id`. */
  | ({ readonly kind: 'propose' } & ProposalBatch)
  /** Confirm leadership and tell the commit index (ReadIndex, thesis §6.4). Answered in `Update.reads` by `id`. */
  | { readonly kind: 'read'; readonly id: number }
  /** Everything up to this `Persist.sequence` is durable. Sequence numbers come back in order. */
  | { readonly kind: 'persisted'; readonly sequence: number }
  /** Entries that `Update.loads` asked for; possibly fewer, from the start of what was asked, but at least one. */
  | { readonly kind: 'loaded'; readonly peer: MemberId; readonly entries: readonly Entry[] }
  /** The state machine has applied everything up to here. */
  | { readonly kind: 'applied'; readonly index: number }
  /** The log up to here was removed from storage; at most the applied index. */
  | { readonly kind: 'prefix-removed'; readonly index: number }
  /** The driver is done with a wish of `Update.snapshots`: the peer has the whole snapshot, or never got it. */
  | { readonly kind: 'snapshot-sent'; readonly peer: MemberId; readonly lastIndex: number; readonly delivered: boolean }
  /** Change who belongs to the cluster. Answered in `Update.changes` by `id` when appended, or refused. */
  | {
      readonly kind: 'change-configuration';
      readonly id: number;
      readonly changes: readonly MemberChange[];
      /** Stored with the configuration, opaque to the core. */
      readonly context: Uint8Array;
    }
  /** Hand leadership to a voter (thesis §3.10). Answered in `Update.transfers` by `id`. */
  | { readonly kind: 'transfer-leadership'; readonly id: number; readonly to: MemberId }
  /** The transport lost its connection to this peer: what was in flight may be gone. */
  | { readonly kind: 'unreachable'; readonly peer: MemberId };
