/** What the replicated state machine must be. The core never calls it; the driver does. */
import type { Entry, LogPosition } from './types';

/** How far a call of `apply` goes. */
export type ApplyUntil = 'long' | 'end';

/**
 * A deterministic state machine: the same entries in the same order give the same state and the same results on every
 * member and in every replay (invariant N5). It reads no clock, no chance, no environment.
 *
 * Called on one thread, never concurrently: `apply` never while an `install` is under way. The other promises may be
 * pending while entries are applied.
 *
 * @typeParam Result what applying a command gives the caller who proposed it
 */
export interface StateMachine<Result> {
  /**
   * Applies consecutive entries, first to last, in one atomic step: after a crash either all of them are applied or
   * none, and `appliedIndex` changes with them (invariant N2). The first index is `appliedIndex + 1`.
   *
   * Not yet durable on return: after a power cut the state may be an older one, which the log then replays.
   *
   * @param until `long`: ends before the first entry that may take so long that others should know of its commit before,
   *   and so be at it at the same time; that may be before the very first. `end`, the default: applies all of them
   * @returns one result per entry that was applied; `undefined` for entries that are not commands
   * @throws when an entry cannot be understood or stored; the member must then stop, since skipping it would diverge
   */
  apply(entries: readonly Entry[], until?: ApplyUntil): readonly (Result | undefined)[];
  /** Index of the last applied entry; 0 when none. Durable state may be older. */
  readonly appliedIndex: number;
  /** Term of that entry; 0 when none. */
  readonly appliedTerm: number;
  /**
   * Makes the state durable as it was applied at the call, or later. Delays no `apply` noticeably.
   *
   * @returns the applied index that survives a power cut from now on: the log may be cut up to there (invariant N4)
   * @throws QuorateError `damaged` when that failed: what is on the disk is not known, and the member must stop
   */
  checkpoint(): Promise<number>;
  /**
   * Makes a consistent copy of the state, at an index applied at the call or later, while entries go on being applied.
   * Bounded memory, whatever the size. Calls queue up; a copy takes the disk space of the state until it is released.
   *
   * @throws QuorateError `snapshot-failed` when the copy could not be made, for example for want of space: nothing has
   *   changed and the member may go on; `stopping`
   */
  takeSnapshot(): Promise<Snapshot>;
  /**
   * Begins to take in a snapshot that another member took. One at a time: an earlier receiver that did not finish is
   * discarded, and its calls fail.
   */
  receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver>;
  /**
   * Replaces the state by a snapshot that a receiver has finished with. To be called once the log is durable that
   * begins after `last` (`Persist.snapshot`): until then the old state is the right one. Atomic: after a crash at any
   * moment, opening with that log gives the snapshot's state, never a mix (invariant N2). Meanwhile, reads see the old
   * state; nothing may be applied. Blocks the thread for no more than a few milliseconds at a time.
   *
   * Afterwards `appliedIndex` and `appliedTerm` are those of `last`.
   *
   * @throws QuorateError `damaged`: the member must stop
   */
  install(last: LogPosition): Promise<void>;
  /** Finishes what is under way, and releases what it holds. No call may follow. */
  close(): Promise<void>;
}

/** What a receiver must know of a snapshot before its first byte. */
export interface SnapshotOffer {
  /** The last entry that the snapshot stands for. */
  readonly last: LogPosition;
  readonly sizeBytes: number;
  /** Of all its bytes: 64 hexadecimal digits. */
  readonly sha256: string;
}

/** A copy of the state that does not change any more. The configuration at `last` is the core's to add. */
export interface Snapshot extends SnapshotOffer {
  /**
   * Reads from `offset` on: exactly `maxBytes`, or fewer at the end; none at or after the end.
   *
   * @throws QuorateError `snapshot-failed` when it cannot be read: send another one
   */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
  /** Gives its disk space back. Reads must be over. A second call does nothing. */
  release(): Promise<void>;
}

/** Takes in the bytes of one snapshot. Every call fails once the receiver has failed, was discarded or superseded. */
export interface SnapshotReceiver {
  /**
   * Appends bytes, in order; the next call after this one's promise (back-pressure). Does not keep `bytes`.
   *
   * @throws QuorateError `superseded` after `discard` or a newer receiver; `snapshot-failed` when more bytes come than were
   *   offered, or they could not be written (no space): the member may go on
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Checks that everything has come and is what was offered: size, SHA-256 (invariant N6), a state of this cluster and a
   * known version at exactly `last`. From its completion on, the snapshot survives a power cut until it is installed or
   * discarded, or the state is opened again with a log that does not begin after it.
   *
   * @throws QuorateError `snapshot-failed` when a check failed, or as `write`: the bytes are gone and the state is as it was
   */
  finish(): Promise<void>;
  /** Removes what was received, also after `finish`. Not during its `install`. A second call does nothing. */
  discard(): Promise<void>;
}
