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
   * Replaces the whole log: it now begins after `last`, and `entries` follow. The state machine's new state must be
   * durable, or be certain to be found again, before this is reported durable.
   */
  readonly snapshot: SnapshotDescription | undefined;
  /** Consecutive entries to append. Whatever the log holds from the first one's index on is removed first. */
  readonly entries: readonly Entry[];
}

/** The answer to a `propose` event. */
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
      /** `unfinished`: an earlier change, or the beginning of the term, is not committed yet. */
      readonly reason: 'not-leader' | 'unfinished' | ChangeRefusal;
    };

/** The answer to a `transfer-leadership` event: this member no longer leads, or why it still does. */
export type TransferAnswer =
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly done: false; readonly reason: 'not-leader' | 'not-a-voter' | 'busy' | 'timed-out' };

/** Entries the core no longer holds in memory and needs for a lagging peer. */
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
 *    their way to the disk, thesis §10.2.1: the core itself acknowledges nothing that is not durable);
 * 3. apply entries up to `commitIndex`, in order and only those durable here, and report `applied`;
 * 4. resolve `proposed` and `reads`.
 */
export interface Update {
  readonly persist: Persist | undefined;
  /** May be lost; in order per receiver. */
  readonly messages: readonly Envelope[];
  /** Never falls. */
  readonly commitIndex: number;
  readonly proposed: readonly ProposeResult[];
  readonly reads: readonly ReadResult[];
  readonly loads: readonly Load[];
  /** Peers that need a snapshot, since the log no longer holds what they lack; each to be answered by `snapshot-sent`. */
  readonly snapshots: readonly MemberId[];
  /** A snapshot from the leader takes the place of the state: install it, and apply nothing before. */
  readonly install: SnapshotDescription | undefined;
  readonly changes: readonly ChangeAnswer[];
  readonly transfers: readonly TransferAnswer[];
  /** Present when role, term or leader changed. */
  readonly change: RoleChange | undefined;
}

/** Who this member is now. */
export interface RoleChange {
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | undefined;
}
