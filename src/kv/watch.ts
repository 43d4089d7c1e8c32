/** What a watch is asked for, and what it gives: the contract between the hub and the services. */
import type { KeyRange } from './command';
import type { Change, KeyRecord } from './result';

/** Which changes a watch wants. */
export interface WatchRequest {
  readonly range: KeyRange;
  /**
   * The first revision wanted; 0 for the next one to be made. One that has not been made yet is waited for, and nothing
   * earlier is given (invariant W8). One below the compacted revision ends the watch with `compacted`.
   */
  readonly startRevision: number;
  /** Leave out puts. */
  readonly withoutPuts: boolean;
  /** Leave out deletes. */
  readonly withoutDeletes: boolean;
  /** Tell the record before each change. */
  readonly withPrevious: boolean;
  /**
   * Called once after `take` had nothing, as soon as it has something, or when a watch that was behind has come up to date
   * (`isSynced`) without it. Never called from within `open` or `take`, nor while changes are applied: a bounded number of
   * watches is called in each turn of the event loop.
   */
  readonly onReady: () => void;
}

/**
 * One change as a watch tells it. All watches that are told of the same change in the same form get the same object, so
 * that its encoding can be kept with it (a WeakMap) and made only once. Never changed.
 */
export interface WatchEvent {
  readonly change: Change;
  /** The record before, if the watch wants it, there was one, and it is not compacted. */
  readonly previous: KeyRecord | undefined;
}

/** Events in order, whole revisions only (invariant W4): everything that the watch wants up to `revision`. */
export interface WatchEvents {
  readonly kind: 'events';
  /** Never empty; their revisions ascend. */
  readonly events: readonly WatchEvent[];
  /**
   * Nothing at or below this revision will come later (invariant W6): go on with a new watch from the next one. At least
   * the revision of the last event.
   */
  readonly revision: number;
}

/** The watch needs revisions that are compacted. It has ended. */
export interface WatchCompacted {
  readonly kind: 'compacted';
  /** The oldest revision that a watch can start from. */
  readonly compactRevision: number;
}

export type WatchBatch = WatchEvents | WatchCompacted;

/**
 * A stream of changes, pulled by its reader. A reader that is slow costs no memory beyond its budget: what it does not
 * take is dropped and read again from the history once it takes again, unless that was compacted meanwhile.
 */
export interface Watch {
  /**
   * The next events: as many whole revisions as fit into `maxBytes` of keys and values, but at least one revision.
   *
   * @returns `undefined` if there is nothing now: `onReady` will be called
   */
  take(maxBytes: number): WatchBatch | undefined;
  /**
   * Everything up to this revision has been taken, and nothing at or below it will come. Never falls; it grows while
   * nothing that the watch wants happens. One less than the start revision at first.
   */
  readonly revision: number;
  /** True if everything that the store has applied has been taken: `revision` is the store's, or the watch waits for a later one. */
  readonly isSynced: boolean;
  /** The first revision wanted, also when the request said 0. */
  readonly startRevision: number;
  /** Ends the watch and gives back what it holds. A second call does nothing. */
  cancel(): void;
}

/** What opens watches: the hub. */
export interface Watches {
  /**
   * Opens a watch. Nothing is lost between the caller's reads in the same turn of the event loop and its first event.
   *
   * @throws QuorateError `overloaded` if there are as many watches as there may be
   */
  open(request: WatchRequest): Watch;
}
