/** What the core asks of its driver after a turn: the only outputs of the core. */
import type { Envelope } from './messages';
import type { ChangeRefusal } from './membership';
import type { Entry, HardState, MemberId, Role, SnapshotDescription } from './types';

/** What must be made durable, as one unit. */
export interface Persist {
  /** Grows by one with each; told back in the event `persisted` once durable. */
  readonly sequence: number;
  /** The new term and vote, if they changed. */
  readonly hardState: HardState | undefined;
  /**
   * Replaces the whole log: it now begins after `last`, and `entries` follow. Everything older that is still on its way
   * to the disk may be dropped or written, in order. Before this is reported durable, the state that the snapshot
   * brought must be durable, or be certain to be found again at the next start; never may the log begin after `last`
   * without it (invariant N2).
   */
  readonly snapshot: SnapshotDescription | undefined;
  /** Consecutive entries to append. Whatever the log holds from the first one's index on is removed first. */
  readonly entries: readonly Entry[];
}

/** The answer to a `propose` event. A refused batch has no effect, now or later. */
export type ProposeResult =
  | { readonly id: number; readonly accepted: true; readonly firstIndex: number }
  | { readonly id: number; readonly accepted: false; readonly reason: 'not-leader' | 'overloaded' };

/** The answer to a `read` event: serve it once `readIndex` is applied, or try again elsewhere. */
export type ReadResult =
  | { readonly id: number; readonly confirmed: true; readonly readIndex: number }
  | { readonly id: number; readonly confirmed: false; readonly reason: 'not-leader' | 'overloaded' };

/** The answer to a `change-configuration` event: it stands in the log at `index`, or was refused and changed nothing. */
export type ChangeAnswer =
  | { readonly id: number; readonly accepted: true; readonly index: number }
  | {
      readonly id: number;
      readonly accepted: false;
      readonly reason: ChangeRefusal | RefusedByLeader;
    };

/** Why a leader refuses a change that the configuration alone would allow. */
export type RefusedByLeader =
  | 'not-leader'
  /** An earlier change or the beginning of the term is not committed yet, or leadership is being handed over. */
  | 'unfinished'
  /** A learner that shall vote lacks more than `maxPromotionLag` committed entries, or is silent (invariant M8). */
  | 'not-caught-up'
  /** Of the voters after the change, or during it, no majority answered within an election timeout (invariant M8). */
  | 'unhealthy';

/** The answer to a `transfer-leadership` event: this member no longer leads (or was meant itself), or why it still does. */
export type TransferAnswer =
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly done: false; readonly reason: TransferRefusal };

/** Why leadership was not handed over. */
export type TransferRefusal =
  | 'not-leader'
  /** The successor named does not vote, or will not once the joint configuration is left. */
  | 'not-a-voter'
  /** Another transfer is going on. */
  | 'busy'
  /** No voter but this one answered within an election timeout. */
  | 'no-successor'
  /** Nothing came of it within an election timeout; this member leads on. */
  | 'timed-out';

/** Something that must not be, met and contained: to be shown to whoever runs the cluster. */
export interface Warning {
  /**
   * A peer lacks entries that it had acknowledged as durable in this term: its disk was wiped or set back. What rested on
   * its word may rest on too few members. It counts for nothing until it has acknowledged anew, and is sent all it lacks.
   */
  readonly kind: 'peer-lost-entries';
  readonly peer: MemberId;
  /** What it had acknowledged. */
  readonly acknowledgedIndex: number;
  /** The last index at which its log may still equal this member's. */
  readonly possibleIndex: number;
}

/**
 * Entries the core no longer holds in memory and needs for a lagging peer: one request for each peer at a time. Answer
 * with `loaded`; `RaftOptions.maxAppendBytes` is as much as can be used, counted by `entryBytes`.
 */
export interface Load {
  readonly peer: MemberId;
  readonly firstIndex: number;
  readonly lastIndex: number;
}

/**
 * The driver's duty, in this order (architecture: persist, send, apply, answer):
 *
 * 1. hand `persist` to the storage; report its `sequence` with a `persisted` event once it is durable;
 * 2. send `messages`, but none of them before every `hardState` handed out so far is durable (entries may still be on
 *    their way to the disk, thesis §10.2.1: the core itself acknowledges nothing that is not durable). A message without
 *    entries may overtake those with entries, and should where the way is narrow;
 * 3. apply entries up to `commitIndex`, in order and only those durable here, and report `applied`;
 * 4. resolve `proposed`, `reads`, `changes` and `transfers`.
 *
 * Snapshots (§7), the sending side. A peer in `snapshots` needs one. The driver makes a consistent copy of the state,
 * describes it with `Raft.snapshotAt(applied index of the copy)`, and streams both to the peer. A wish for a peer that is
 * being served already is the same wish. Each ends with one `snapshot-sent`, delivered or not, whatever becomes of this
 * member's leadership; until then the core sends that peer heartbeats only.
 *
 * The receiving side. The driver collects the data, checks it, and only then gives its core one `receive` of an
 * `install-snapshot` with the sender's term and description. If the update has no `install`, the snapshot was not needed
 * or came from a leader of the past: drop the data, and the sender counts it as delivered all the same. If it has, the
 * same update has a `persist` with the same description. From that moment apply nothing; put the new state in the place
 * of the old one in one step, and make that certain to survive; then let the storage carry out the `persist` (which
 * empties the log) and report it; then report `applied` with the snapshot's last index and go on. The core acknowledges
 * by itself. A crash anywhere in between leaves the old state with the old log, or the new state, which a start must be
 * able to tell from the old log: a state ahead of the log makes the log begin after it. Another `install` may follow
 * before the first is done; the later one holds.
 *
 * At the start, `RaftConfig.configuration` is the one at the beginning of the log: that of the latest `snapshot`
 * persisted, or as `Raft.snapshotAt(index)` told for the `index` up to which the prefix was removed; and
 * `configurationEntries` are the entries of kind `configuration` in the log. Storage keeps them together.
 */
export interface Update {
  readonly persist: Persist | undefined;
  /** May be lost; in order per receiver. */
  readonly messages: readonly Envelope[];
  /** Never falls. */
  readonly commitIndex: number;
  readonly proposed: readonly ProposeResult[];
  readonly reads: readonly ReadResult[];
  /** At most one for each peer. */
  readonly loads: readonly Load[];
  /** Peers that need a snapshot, since the log no longer holds what they lack; each to be answered by `snapshot-sent`. */
  readonly snapshots: readonly MemberId[];
  /** A snapshot from the leader takes the place of the state: install it, and apply nothing before. */
  readonly install: SnapshotDescription | undefined;
  /** In the order of the events they answer. */
  readonly changes: readonly ChangeAnswer[];
  readonly transfers: readonly TransferAnswer[];
  readonly warnings: readonly Warning[];
  /** Present when role, term or leader changed. */
  readonly change: RoleChange | undefined;
}

/** Who this member is now. */
export interface RoleChange {
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | undefined;
}
