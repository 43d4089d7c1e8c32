/** Brings watches that are behind forward by the history, all that are at the same place with one read of it. */
import type { Scheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import type { HubWatch } from './hub-watch';
import { keyToString } from './key-index';
import { RangeIndex } from './range-index';
import type { Change, KvReader } from './result';
import { QueuedEvent } from './watch-event';

/** Bounds of one turn, so that whatever else the member does goes on in between. */
export interface CatchUpOptions {
  /** Most changes in one read of the history; a revision with more is read as a whole. */
  readonly catchUpChanges: number;
  /** Most bytes of keys and values in one read. */
  readonly catchUpBytes: number;
  /** A watch with more than this in its queue gets no more until it takes; bytes. */
  readonly maxQueuedBytes: number;
}

/** What catching up works with. */
export interface CatchUpParts {
  readonly reader: Pick<KvReader, 'changes' | 'revision'>;
  readonly scheduler: Pick<Scheduler, 'atEndOfTurn'>;
  readonly options: CatchUpOptions;
  /** The watch has events, or has ended; it is not brought forward any more until it is added again. */
  onServed(watch: HubWatch): void;
  /** The watch has everything that was applied, perhaps in its queue. */
  onCaughtUp(watch: HubWatch): void;
  /** A turn is over. */
  onTurn(): void;
}

/**
 * The watches whose readers wait for history, in the order of their turns. Each turn of the event loop reads one chunk for
 * the one that has waited longest; all that stand within the chunk share it, and wait behind the others again. So a
 * watch that has far to go delays nobody, and those that go the same way meet.
 */
export class WatchCatchUp {
  readonly #parts: CatchUpParts;
  readonly #wanting = new Set<HubWatch>();
  readonly #index = new RangeIndex<HubWatch>();
  #isScheduled = false;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /** Brings a watch forward until it has something. It may have been added before. */
  add(watch: HubWatch): void {
    if (this.#wanting.has(watch)) return;
    this.#wanting.add(watch);
    this.#index.add(watch.range, watch);
    this.#schedule();
  }

  /** Forgets a watch, if it is there. */
  remove(watch: HubWatch): void {
    if (this.#wanting.delete(watch)) this.#index.remove(watch.range, watch);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#wanting.size === 0) return;
    this.#isScheduled = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    for (const watch of this.#wanting) {
      this.#serveFrom(watch);
      break;
    }
    this.#parts.onTurn();
  }

  #serveFrom(first: HubWatch): void {
    const changes = this.#read(first.nextRevision);
    if (changes === 'compacted') this.#endCompacted(first.nextRevision);
    else this.#serve(first.nextRevision, changes);
  }

  #read(from: number): readonly Change[] | 'compacted' {
    const { reader, options } = this.#parts;
    if (from > reader.revision) return [];
    try {
      return reader.changes(from, options.catchUpChanges, options.catchUpBytes);
    } catch (error) {
      if (error instanceof QuorateError && error.code === 'compacted') return 'compacted';
      throw error;
    }
  }

  #endCompacted(upTo: number): void {
    for (const watch of this.#wanting) {
      if (watch.nextRevision > upTo) continue;
      this.remove(watch);
      watch.endCompacted();
      this.#parts.onServed(watch);
    }
  }

  /** Gives a chunk that begins at `from` to all that stand within it. */
  #serve(from: number, changes: readonly Change[]): void {
    // Without changes there are none up to the store's revision.
    const through = changes.at(-1)?.revision ?? Math.max(this.#parts.reader.revision, from - 1);
    const group = [...this.#wanting].filter(({ nextRevision: next }) => from <= next && next <= through + 1);
    this.#distribute(from, changes);
    for (const watch of group) if (this.#wanting.has(watch)) this.#finish(watch, through + 1);
  }

  #distribute(from: number, changes: readonly Change[]): void {
    const full = new Set<HubWatch>();
    changes.forEach((change, at) => {
      this.#give(from, change, full);
      if (full.size > 0 && changes[at + 1]?.revision !== change.revision) {
        for (const watch of full) this.#finish(watch, change.revision + 1);
        full.clear();
      }
    });
  }

  /** Adds to `full` those that shall get no more after this revision. */
  #give(from: number, change: Change, full: Set<HubWatch>): void {
    let event: QueuedEvent | undefined;
    this.#index.visit(keyToString(change.record.key), (watch) => {
      const isInGroup = from <= watch.nextRevision && watch.nextRevision <= change.revision;
      if (!isInGroup || !watch.wants(change)) return;
      event ??= new QueuedEvent(change);
      watch.push(event);
      if (watch.queuedBytes > this.#parts.options.maxQueuedBytes) full.add(watch);
    });
  }

  /** The watch has everything below `nextRevision`, in its queue if it is not empty. */
  #finish(watch: HubWatch, nextRevision: number): void {
    watch.advanceTo(nextRevision);
    this.remove(watch);
    if (nextRevision > this.#parts.reader.revision) this.#parts.onCaughtUp(watch);
    else if (watch.hasSomething) this.#parts.onServed(watch);
    else this.add(watch);
  }
}
