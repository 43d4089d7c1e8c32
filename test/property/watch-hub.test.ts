/** The watch hub against the whole history: any changes, compactions and replacements, any readers, W1 to W9 on each stream. */
import fc from 'fast-check';
import { required } from '../../src/base/assert';
import type { Change } from '../../src/kv/result';
import type { Watch, WatchRequest } from '../../src/kv/watch';
import { defaultWatchHubOptions, WatchHub, type WatchHubOptions } from '../../src/kv/watch-hub';
import { FakeHistory, FakeTurns, type Write } from '../support/fake-history';

const limits = { maxQueuedBytes: 1500, maxTotalQueuedBytes: 4000, catchUpChanges: 4, catchUpBytes: 600 };
const pace = { maxCallsPerTurn: 2, restAfterCalls: 3, maxRestingBytes: 1000 };
const options: WatchHubOptions = { ...defaultWatchHubOptions, ...limits, ...pace };

/** More than all queues together may hold only of what is on its way to readers that wait: a chunk and a batch. */
const mostQueuedBytes = limits.maxTotalQueuedBytes + 16 * 1024;

const keys = ['a', 'a\0', 'ab', 'b', 'c'] as const;
const points = ['', 'a', 'a\0', 'ab', 'b', 'c', 'd'] as const;

/** A watch and everything it was told. */
class Reader {
  readonly watch: Watch;
  readonly #request: Omit<WatchRequest, 'onReady'>;
  readonly #history: FakeHistory;
  #called = true;
  readonly #told: Change[] = [];
  #revision: number;
  isOver = false;

  constructor(hub: WatchHub, history: FakeHistory, request: Omit<WatchRequest, 'onReady'>) {
    this.#request = request;
    this.#history = history;
    const onReady = () => {
      expect(this.#called).toBe(false);
      this.#called = true;
    };
    this.watch = hub.open({ ...request, onReady });
    this.#revision = this.watch.startRevision - 1;
    expect(this.watch.revision).toBeGreaterThanOrEqual(this.#revision);
  }

  /** True if there was something. A reader that was called finds something. */
  take(maxBytes: number): boolean {
    if (this.isOver) return false;
    const batch = this.watch.take(maxBytes);
    if (batch === undefined) {
      this.#called = false;
      return false;
    }
    if (batch.kind === 'compacted') {
      // W5: only what is really needed and really gone ends a watch.
      expect(this.#revision + 1).toBeLessThan(this.#history.compactRevision);
      expect(batch.compactRevision).toBe(this.#history.compactRevision);
      this.isOver = true;
      return true;
    }
    for (const { change, previous } of batch.events) {
      // W4, W6: whole revisions, none at or below what was announced.
      expect(change.revision).toBeGreaterThan(this.#revision);
      this.#expectPrevious(change, previous);
    }
    volume.told += batch.events.length;
    this.#told.push(...batch.events.map(({ change }) => change));
    this.#revision = batch.revision;
    this.check();
    return true;
  }

  /** W1, W2, W3, W4, W6, W7, W8: exactly what is wanted up to the revision that was announced. */
  check(): void {
    if (this.isOver) return;
    expect(this.watch.revision).toBeGreaterThanOrEqual(this.#revision);
    this.#revision = this.watch.revision;
    const wanted = this.#history.all.filter((change) => this.#wants(change));
    // The hub hands on the objects of the history; jest's own comparison takes most of the time of this test.
    const isEqual = wanted.length === this.#told.length && wanted.every((change, at) => change === this.#told[at]);
    if (!isEqual) expect(this.#told).toEqual(wanted);
    expect(this.watch.isSynced).toBe(this.#revision >= this.#history.revision);
  }

  #wants({ revision, kind, record }: Change): boolean {
    const { range, withoutPuts, withoutDeletes } = this.#request;
    if (revision < this.watch.startRevision || revision > this.#revision) return false;
    if (Buffer.compare(record.key, range.start) < 0) return false;
    if (range.end !== undefined && Buffer.compare(record.key, range.end) >= 0) return false;
    return kind === 'put' ? !withoutPuts : !withoutDeletes;
  }

  #expectPrevious({ record, revision }: Change, previous: unknown): void {
    const before = this.#history.recordAt(record.key, revision - 1);
    if (!this.#request.withPrevious) expect(previous).toBeUndefined();
    else if (revision > this.#history.compactRevision) expect(previous).toBe(before);
    else expect([before, undefined]).toContain(previous);
  }
}

const write: fc.Arbitrary<Write> = fc.record(
  { key: fc.constantFrom(...keys), value: fc.string({ maxLength: 200 }) },
  { requiredKeys: ['key'] },
);
const revision = fc.uniqueArray(write, { minLength: 1, maxLength: 4, selector: ({ key }) => key });
const request = fc.record({
  start: fc.constantFrom(...points),
  end: fc.constantFrom(undefined, ...points),
  /** 0 for now; otherwise so far before or after it. */
  offset: fc.oneof(fc.constant(undefined), fc.integer({ min: -12, max: 4 })),
  withoutPuts: fc.boolean(),
  withoutDeletes: fc.boolean(),
  withPrevious: fc.boolean(),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit'),
      revisions: fc.array(revision, { minLength: 1, maxLength: 5, size: 'max' }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open'), request }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take'), which: fc.nat(), maxBytes: fc.nat(500) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('replace'),
      revisions: fc.array(revision, { minLength: 1, maxLength: 5, size: 'max' }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact'), back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), which: fc.nat() }) },
) as fc.Arbitrary<Step>;

type RequestShape = typeof request extends fc.Arbitrary<infer Shape> ? Shape : never;

type Step =
  | { readonly do: 'commit' | 'replace'; readonly revisions: Write[][] }
  | { readonly do: 'open'; readonly request: RequestShape }
  | { readonly do: 'take'; readonly which: number; readonly maxBytes: number }
  | { readonly do: 'turn' }
  | { readonly do: 'compact'; readonly back: number }
  | { readonly do: 'cancel'; readonly which: number };

/** What happened in all runs together, so that a test that did nothing fails. */
const volume = { told: 0, compacted: 0, reads: 0, cancelled: 0 };

class World {
  readonly history = new FakeHistory();
  readonly turns = new FakeTurns();
  readonly hub = new WatchHub({ reader: this.history, scheduler: this.turns, options });
  readonly readers: Reader[] = [];
  #steps = 0;

  constructor() {
    this.history.listener = this.hub;
  }

  run(one: Step): void {
    switch (one.do) {
      case 'commit':
        this.history.commit(...one.revisions);
        break;
      case 'replace':
        this.history.replace(...one.revisions);
        break;
      case 'open':
        this.#open(one.request);
        break;
      case 'take':
        this.readers[one.which % this.readers.length]?.take(one.maxBytes);
        break;
      case 'turn':
        this.turns.end();
        break;
      case 'compact':
        this.#compact(one.back);
        break;
      case 'cancel':
        this.#cancel(one.which);
        break;
    }
    this.readers[this.#steps++ % this.readers.length]?.check();
    expect(this.hub.totalQueuedBytes).toBeLessThanOrEqual(mostQueuedBytes);
  }

  /** Everybody reads to the end. */
  finish(): void {
    for (const reader of this.readers) while (reader.take(1) || !this.turns.isIdle) this.turns.settle();
    for (const reader of this.readers) {
      reader.check();
      if (reader.isOver) volume.compacted++;
      else expect(reader.watch.isSynced).toBe(true);
      reader.watch.cancel();
    }
    volume.reads += this.history.reads;
    expect([this.hub.size, this.hub.totalQueuedBytes]).toEqual([0, 0]);
  }

  #open({ start, end, offset, ...more }: RequestShape): void {
    const startRevision = offset === undefined ? 0 : Math.max(1, this.history.revision + offset);
    const range = { start: Buffer.from(start), end: end === undefined ? undefined : Buffer.from(end) };
    this.readers.push(new Reader(this.hub, this.history, { ...more, startRevision, range }));
  }

  #compact(back: number): void {
    const at = this.history.revision - back;
    if (at > this.history.compactRevision) this.history.compact(at);
  }

  #cancel(which: number): void {
    if (this.readers.length === 0) return;
    const [gone] = this.readers.splice(which % this.readers.length, 1);
    required(gone, 'there is a reader').watch.cancel();
    volume.cancelled++;
  }
}

describe('WatchHub', () => {
  it('tells each watch exactly what it wants, in order, once, whole and never back (W1 to W9)', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const world = new World();
        for (const one of steps) world.run(one);
        world.finish();
      }),
      { numRuns: 250 },
    );
    expect(volume.told).toBeGreaterThan(1000);
    expect(volume.compacted).toBeGreaterThan(50);
    expect(volume.reads).toBeGreaterThan(1000);
    expect(volume.cancelled).toBeGreaterThan(100);
  });
});
