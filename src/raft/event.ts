/** What happens to a member: the only inputs of the core, together with the time at which they arrive. */
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
  /** The transport lost its connection to this peer: what was in flight may be gone. */
  | { readonly kind: 'unreachable'; readonly peer: MemberId };
