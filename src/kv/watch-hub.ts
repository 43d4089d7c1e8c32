/** Tells watches what was applied: each change to those that want it, at a cost that does not depend on how many do not. */
import { assert, required } from '../base/assert';
import type { Scheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import { HubWatch, type WatchKeeper } from './hub-watch';
import { keyToString } from './key-index';
import { RangeIndex } from './range-index';
import type { ApplyListener, Change, KvReader } from './result';
import type { Watch, Watches, WatchRequest } from './watch';
import { type CatchUpOptions, WatchCatchUp } from './watch-catch-up';
import { QueuedEvent } from './watch-event';
import { WatchRounds, type WatchRoundsOptions } from './watch-rounds';

/** The bounds of all watches of a member. */
export interface WatchHubOptions extends CatchUpOptions, WatchRoundsOptions {
  /** Most watches at one time; more are refused. */
  readonly maxWatches: number;
  /** Most bytes in the queues of all watches together; beyond, those that take nothing are parked, the longest first. */
  readonly maxTotalQueuedBytes: number;
  /** A reader that waits for more than this is called without a rest; bytes. */
  readonly maxRestingBytes: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const defaultWatchHubOptions: WatchHubOptions = {
  maxWatches: 100_000,
  maxQueuedBytes: 256 * KiB,
  maxTotalQueuedBytes: 64 * MiB,
  // Each call writes a message, some 15 µs: a quarter of a millisecond a turn, and no rest unless a round takes some 2 ms.
  maxCallsPerTurn: 16,
  restAfterCalls: 128,
  maxRestMs: 50,
  // The services put about as much into one message.
  maxRestingBytes: 32 * KiB,
  // Some 3 ms a turn.
  catchUpChanges: 500,
  catchUpBytes: 1 * MiB,
};

/** What the hub works with. */
export interface WatchHubParts {
  readonly reader: Pick<KvReader, 'revision' | 'compactRevision' | 'get' | 'changes'>;
  readonly scheduler: Pick<Scheduler, 'now' | 'after' | 'atEndOfTurn'>;
  readonly options: WatchHubOptions;
  /** There are watches from now on, or none any more; at first there are none. */
  onWatched?(isWatched: boolean): void;
}

/**
 * All watches of a member. Live watches get what is applied into their queues at once; a watch whose reader is slow is
 * parked: its queue is dropped, and it goes on from the history when the reader takes again (invariant W9). On one thread,
 * that of `apply`.
 */
export class WatchHub implements ApplyListener, Watches {
  readonly #parts: WatchHubParts;
  readonly #keeper: WatchKeeper;
  readonly #catchUp: WatchCatchUp;
  readonly #live = new RangeIndex<HubWatch>();
  /** Watches with something in their queues, those that have had it longest first. */
  readonly #holding = new Set<HubWatch>();
  /** Watches whose readers are to be called. */
  readonly #rounds: WatchRounds<HubWatch>;
  /** The last revision that live watches were told of. */
  #revision: number;
  #totalQueuedBytes = 0;
  #open = 0;

  constructor(parts: WatchHubParts) {
    this.#parts = parts;
    this.#revision = parts.reader.revision;
    this.#keeper = this.#makeKeeper();
    this.#rounds = new WatchRounds({
      ...parts,
      call: (watch: HubWatch) => {
        this.#callReader(watch);
      },
    });
    this.#catchUp = new WatchCatchUp({
      ...parts,
      onServed: (watch) => this.#onSomething(watch),
      onCaughtUp: (watch) => this.#onCaughtUp(watch),
      onTurn: () => this.#shrink(),
    });
  }

  /** Watches that are open. */
  get size(): number {
    return this.#open;
  }

  /** Bytes in the queues of all watches; an event in many queues counts once. */
  get totalQueuedBytes(): number {
    return this.#totalQueuedBytes;
  }

  open(request: WatchRequest): Watch {
    const { reader, options } = this.#parts;
    assert(this.#revision === reader.revision, 'watches were told of everything that was applied');
    if (this.#open >= options.maxWatches) throw tooManyWatches(options.maxWatches);
    if (this.#open === 0) this.#parts.onWatched?.(true);
    this.#open++;
    const watch = new HubWatch(request, this.#keeper);
    if (watch.phase === 'live') this.#live.add(watch.range, watch);
    return watch;
  }

  onChanges(changes: readonly Change[]): void {
    const first = required(changes[0], 'there is a change');
    assert(first.revision > this.#revision, 'revisions ascend (W1)');
    if (this.#live.size > 0) for (const change of changes) this.#tell(change);
    this.#revision = required(changes.at(-1), 'there is a change').revision;
    this.#shrink();
  }

  onLeaseRenewed(): void {
    // The deletes that the end of a lease makes are told as changes.
  }

  onLeaseEnded(): void {
    // As above.
  }

  onCompacted(): void {
    // Live watches need no history; one that is behind finds out when it reads.
  }

  /** Nobody has told of what happened in between: every watch reads it from the history, from where it stands (W10). */
  onReplaced(): void {
    const next = this.#revision + 1;
    const { revision } = this.#parts.reader;
    assert(revision >= this.#revision, 'a snapshot does not move the revision back (W10)');
    this.#revision = revision;
    for (const watch of this.#live.items()) {
      // One that waits for a later revision has missed nothing.
      if (watch.startRevision > revision) continue;
      this.#live.remove(watch.range, watch);
      watch.fallBehind(Math.max(next, watch.startRevision));
      this.#onSomething(watch);
    }
  }

  /** Puts a change into the queues of those that want it. */
  #tell(change: Change): void {
    let event: QueuedEvent | undefined;
    const full: HubWatch[] = [];
    this.#live.visit(keyToString(change.record.key), (watch) => {
      if (!watch.wants(change)) return;
      event ??= new QueuedEvent(change);
      watch.push(event);
      if (watch.queuedBytes > this.#parts.options.maxQueuedBytes) full.push(watch);
      else this.#hurryFor(watch);
    });
    for (const watch of full) this.#park(watch);
  }

  #park(watch: HubWatch): void {
    if (watch.phase === 'live') this.#live.remove(watch.range, watch);
    watch.park();
    this.#onSomething(watch);
  }

  /** Parks watches that take nothing until there is room again. Those that wait to be called take in a moment. */
  #shrink(): void {
    if (this.#totalQueuedBytes <= this.#parts.options.maxTotalQueuedBytes) return;
    this.#rounds.hurry();
    for (const watch of this.#holding) {
      if (!watch.isWaiting) this.#park(watch);
      if (this.#totalQueuedBytes <= this.#parts.options.maxTotalQueuedBytes) return;
    }
  }

  /** A reader that waits is called, or helped to something if it is behind. */
  #onSomething(watch: HubWatch): void {
    if (!watch.isWaiting) return;
    this.#rounds.add(watch);
    this.#hurryFor(watch);
  }

  /** More than fits into a message gains nothing by waiting, and would be parked in the end. */
  #hurryFor(watch: HubWatch): void {
    if (watch.isWaiting && watch.queuedBytes > this.#parts.options.maxRestingBytes) this.#rounds.hurry();
  }

  #callReader(watch: HubWatch): void {
    if (!watch.isWaiting) return;
    if (watch.phase === 'behind' && !watch.hasSomething) this.#catchUp.add(watch);
    else watch.wake();
  }

  #onCaughtUp(watch: HubWatch): void {
    watch.goLive();
    this.#live.add(watch.range, watch);
    this.#onSomething(watch);
  }

  #onCancelled(watch: HubWatch): void {
    this.#open--;
    if (this.#open === 0) this.#parts.onWatched?.(false);
    if (watch.phase === 'live') this.#live.remove(watch.range, watch);
    this.#catchUp.remove(watch);
    this.#rounds.remove(watch);
  }

  #makeKeeper(): WatchKeeper {
    const currentRevision = () => this.#revision;
    return {
      reader: this.#parts.reader,
      get revision() {
        return currentRevision();
      },
      onHeld: (event) => {
        if (event.hold()) this.#totalQueuedBytes += event.bytes;
      },
      onFilled: (watch) => {
        this.#holding.add(watch);
        this.#onSomething(watch);
      },
      onReleased: (event) => {
        if (event.release()) this.#totalQueuedBytes -= event.bytes;
      },
      onDrained: (watch) => void this.#holding.delete(watch),
      onWanting: (watch) => {
        this.#catchUp.add(watch);
      },
      onCancelled: (watch) => {
        this.#onCancelled(watch);
      },
    };
  }
}

function tooManyWatches(maxWatches: number): QuorateError {
  const limit = `${String(maxWatches)} at a time`;
  return new QuorateError('overloaded', `this member has as many watches as it may: ${limit}`, { details: { limit } });
}
