/** One watch: what it wants, what it has not taken yet, and how far it has come. */
import { assert, required } from '../base/assert';
import type { KeyRange } from './command';
import type { Change, KvReader } from './result';
import type { Watch, WatchBatch, WatchEvent, WatchRequest } from './watch';
import { type QueuedEvent, recordBytes } from './watch-event';

/**
 * - `live`: told of every change as it is applied
 * - `behind`: told of nothing; what it has not got is read from the history when its reader wants it
 * - `compacted`: what it has not got is compacted
 * - `cancelled`: over
 */
type Phase = 'live' | 'behind' | 'compacted' | 'cancelled';

/** What a watch needs of the hub it belongs to. */
export interface WatchKeeper {
  readonly reader: Pick<KvReader, 'get' | 'compactRevision'>;
  /** The last revision that live watches were told of. */
  readonly revision: number;
  /** An event came into the queue of a watch. */
  onHeld(event: QueuedEvent): void;
  /** The first event came into the queue of a watch. */
  onFilled(watch: HubWatch): void;
  /** An event left the queue of a watch. */
  onReleased(event: QueuedEvent): void;
  /** The queue has become empty. */
  onDrained(watch: HubWatch): void;
  /** A watch that is behind has a reader that waits. */
  onWanting(watch: HubWatch): void;
  onCancelled(watch: HubWatch): void;
}

/** See `Watch`. The hub moves it between its phases; the services see the interface only. */
export class HubWatch implements Watch {
  readonly startRevision: number;
  readonly range: KeyRange;
  // Of the request, which is not kept: services make it by spreading, and V8 knows no shape that all of them have; reading a
  // field of one, for each event and watch, took the slow way.
  readonly #withoutPuts: boolean;
  readonly #withoutDeletes: boolean;
  readonly #withPrevious: boolean;
  readonly #onReady: () => void;
  readonly #keeper: WatchKeeper;
  #phase: Phase;
  #queue: QueuedEvent[] = [];
  #queuedBytes = 0;
  /** While behind: the first revision whose events are neither taken nor queued. */
  #nextRevision: number;
  /** `take` had nothing, and `onReady` was not called since. */
  #isWaiting = false;

  constructor(request: WatchRequest, keeper: WatchKeeper) {
    this.range = request.range;
    this.#withoutPuts = request.withoutPuts;
    this.#withoutDeletes = request.withoutDeletes;
    this.#withPrevious = request.withPrevious;
    this.#onReady = request.onReady;
    this.#keeper = keeper;
    this.startRevision = request.startRevision === 0 ? keeper.revision + 1 : request.startRevision;
    this.#nextRevision = this.startRevision;
    this.#phase = this.startRevision > keeper.revision ? 'live' : 'behind';
  }

  get phase(): Phase {
    return this.#phase;
  }

  get nextRevision(): number {
    return this.#nextRevision;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  get revision(): number {
    const first = this.#queue[0];
    if (first !== undefined) return first.change.revision - 1;
    return (this.#phase === 'live' ? this.#nextLiveRevision : this.#nextRevision) - 1;
  }

  get isSynced(): boolean {
    return this.revision >= this.#keeper.revision;
  }

  /** True if `take` would give something. */
  get hasSomething(): boolean {
    return this.#queue.length > 0 || this.#phase === 'compacted';
  }

  take(maxBytes: number): WatchBatch | undefined {
    if (this.#queue.length > 0) return { kind: 'events', events: this.#takeEvents(maxBytes), revision: this.revision };
    if (this.#phase === 'compacted') {
      return { kind: 'compacted', compactRevision: this.#keeper.reader.compactRevision };
    }
    if (this.#phase === 'cancelled') return undefined;
    this.#isWaiting = true;
    if (this.#phase === 'behind') this.#keeper.onWanting(this);
    return undefined;
  }

  cancel(): void {
    if (this.#phase === 'cancelled') return;
    this.#keeper.onCancelled(this);
    this.#dropQueue();
    this.#phase = 'cancelled';
  }

  /** Whether this change of a key within the range is wanted. */
  wants({ kind, revision }: Change): boolean {
    if (revision < this.startRevision) return false;
    return kind === 'put' ? !this.#withoutPuts : !this.#withoutDeletes;
  }

  /** Adds an event to the queue. Those of one revision are added without a `take` in between. */
  push(event: QueuedEvent): void {
    const last = this.#queue.at(-1);
    assert(last === undefined || last.change.revision <= event.change.revision, 'revisions of a watch never fall (W1)');
    assert(event.change.revision >= this.startRevision, 'nothing comes before the start revision (W8)');
    this.#queue.push(event);
    this.#queuedBytes += event.bytes;
    this.#keeper.onHeld(event);
    if (last === undefined) this.#keeper.onFilled(this);
  }

  /** It has everything below `nextRevision`, in the queue if it was not taken, and is told of nothing more. */
  fallBehind(nextRevision: number): void {
    assert(nextRevision >= this.startRevision, 'a watch does not fall behind its start');
    this.#phase = 'behind';
    this.#nextRevision = nextRevision;
  }

  /** Gives up the queue, to read it again from the history. */
  park(): void {
    const first = required(this.#queue[0], 'a watch that is parked has a queue').change.revision;
    this.#dropQueue();
    this.fallBehind(first);
  }

  /** It has everything below `nextRevision`. */
  advanceTo(nextRevision: number): void {
    assert(this.#phase === 'behind', 'only a watch that is behind is brought forward');
    assert(nextRevision >= this.#nextRevision, 'a watch never goes back (W10)');
    this.#nextRevision = nextRevision;
  }

  /** It has everything, and is told of what comes. */
  goLive(): void {
    assert(this.#phase === 'behind', 'only a watch that is behind becomes live');
    this.#phase = 'live';
  }

  /** What it needs is gone. */
  endCompacted(): void {
    assert(this.#queue.length === 0, 'only a watch that needs the history ends for want of it');
    this.#phase = 'compacted';
  }

  /** Calls the reader that waits. */
  wake(): void {
    assert(this.#isWaiting, 'only a reader that waits is called');
    this.#isWaiting = false;
    this.#onReady();
  }

  /** A live watch for a future revision has everything before it: there is nothing. */
  get #nextLiveRevision(): number {
    return Math.max(this.#keeper.revision + 1, this.startRevision);
  }

  /** Whole revisions, as many as fit, at least one (W4). */
  #takeEvents(maxBytes: number): readonly WatchEvent[] {
    const events: WatchEvent[] = [];
    let bytes = 0;
    /** The events of the revisions before the one that is being added. */
    let whole = 0;
    for (const queued of this.#queue) {
      const isNext = events.at(-1)?.change.revision !== queued.change.revision;
      if (bytes > maxBytes && (isNext || whole > 0)) break;
      if (isNext) whole = events.length;
      const event = this.#withPrevious ? queued.withPrevious(this.#keeper.reader) : queued.plain;
      bytes += bytesOf(event);
      events.push(event);
    }
    if (bytes > maxBytes && whole > 0) events.length = whole;
    this.#release(this.#queue.splice(0, events.length));
    if (this.#queue.length === 0) this.#keeper.onDrained(this);
    return events;
  }

  #dropQueue(): void {
    if (this.#queue.length === 0) return;
    this.#release(this.#queue);
    this.#queue = [];
    this.#keeper.onDrained(this);
  }

  #release(events: readonly QueuedEvent[]): void {
    for (const event of events) {
      this.#queuedBytes -= event.bytes;
      this.#keeper.onReleased(event);
    }
  }
}

function bytesOf({ change, previous }: WatchEvent): number {
  return recordBytes(change.record) + (previous === undefined ? 0 : recordBytes(previous));
}
