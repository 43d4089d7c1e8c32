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
  onHeld(watch: HubWatch, event: QueuedEvent): void;
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
  readonly #request: WatchRequest;
  readonly #keeper: WatchKeeper;
  #phase: Phase;
  #queue: QueuedEvent[] = [];
  #queuedBytes = 0;
  /** While behind: the first revision whose events are neither taken nor queued. */
  #nextRevision: number;
  /** `take` had nothing, and `onReady` was not called since. */
  #isWaiting = false;

  constructor(request: WatchRequest, keeper: WatchKeeper) {
    this.#request = request;
    this.#keeper = keeper;
    this.startRevision = request.startRevision === 0 ? keeper.revision + 1 : request.startRevision;
    this.#nextRevision = this.startRevision;
    this.#phase = this.startRevision > keeper.revision ? 'live' : 'behind';
  }

  get range(): KeyRange {
    return this.#request.range;
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
    return kind === 'put' ? !this.#request.withoutPuts : !this.#request.withoutDeletes;
  }

  /** Adds an event to the queue. Those of one revision are added without a `take` in between. */
  push(event: QueuedEvent): void {
    const last = this.#queue.at(-1);
    assert(last === undefined || last.change.revision <= event.change.revision, 'revisions of a watch never fall (W1)');
    assert(event.change.revision >= this.startRevision, 'nothing comes before the start revision (W8)');
    this.#queue.push(event);
    this.#queuedBytes += event.bytes;
    this.#keeper.onHeld(this, event);
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
    this.#request.onReady();
  }

  /** A live watch for a future revision has everything before it: there is nothing. */
  get #nextLiveRevision(): number {
    return Math.max(this.#keeper.revision + 1, this.startRevision);
  }

  /** Whole revisions, as many as fit, at least one (W4). */
  #takeEvents(maxBytes: number): readonly WatchEvent[] {
    const events: WatchEvent[] = [];
    let bytes = 0;
    let whole = 0;
    for (const [at, queued] of this.#queue.entries()) {
      if (at > 0 && queued.change.revision !== this.#queue[at - 1]?.change.revision) whole = at;
      if (whole > 0 && bytes > maxBytes) break;
      const event = this.#request.withPrevious ? queued.withPrevious(this.#keeper.reader) : queued.plain;
      bytes += recordBytes(event.change.record) + (event.previous === undefined ? 0 : recordBytes(event.previous));
      events.push(event);
    }
    const taken = bytes > maxBytes && whole > 0 ? whole : events.length;
    this.#release(this.#queue.splice(0, taken));
    if (this.#queue.length === 0) this.#keeper.onDrained(this);
    return events.slice(0, taken);
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
