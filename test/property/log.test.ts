import fc from 'fast-check';
import { RaftLog } from '../../src/raft/log';
import type { Entry, LogPosition } from '../../src/raft/types';
import { logStart } from '../support/raft';

/** What is done to a log, as far as it is possible at that moment. */
type Step =
  | { readonly kind: 'append'; readonly termGain: number; readonly sizes: readonly number[] }
  | { readonly kind: 'truncate'; readonly count: number }
  | { readonly kind: 'evict'; readonly upTo: number; readonly maxBytes: number }
  | { readonly kind: 'truncate-prefix'; readonly count: number }
  | { readonly kind: 'reset'; readonly gap: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      termGain: fc.constantFrom(0, 0, 0, 1, 3),
      sizes: fc.array(fc.nat(20), { maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), count: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate-prefix' as const), count: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), gap: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('evict' as const), upTo: fc.nat(), maxBytes: fc.nat(600) }) },
);

const starts = fc.record({
  firstIndex: fc.constantFrom(1, 1, 7),
  terms: fc.array(fc.constantFrom(0, 0, 1, 2), { maxLength: 12 }),
  inMemory: fc.nat(12),
});

const volume = { appended: 0, truncatedBelowMemory: 0, truncated: 0, evicted: 0, forgotten: 0, resets: 0 };

/** The obvious log: an array of all entries, and from where on they are in memory. */
class ModelLog {
  entries: Entry[] = [];
  firstIndex: number;
  termBeforeFirst: number;
  cacheFirst: number;

  constructor(start: { readonly firstIndex: number; readonly terms: readonly number[]; readonly inMemory: number }) {
    this.firstIndex = start.firstIndex;
    this.termBeforeFirst = start.firstIndex === 1 ? 0 : 2;
    for (const gain of start.terms) this.append(this.lastTerm + Math.max(gain, this.lastTerm === 0 ? 1 : 0), 3);
    this.cacheFirst = this.lastIndex + 1 - Math.min(start.inMemory, this.entries.length);
  }

  get lastIndex(): number {
    return this.firstIndex - 1 + this.entries.length;
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.termBeforeFirst;
  }

  append(term: number, size: number): Entry {
    const entry: Entry = { index: this.lastIndex + 1, term, kind: 'command', payload: new Uint8Array(size) };
    this.entries.push(entry);
    return entry;
  }

  truncate(index: number): void {
    this.entries.splice(index - this.firstIndex);
    this.cacheFirst = Math.min(this.cacheFirst, index);
  }

  truncatePrefix(index: number): void {
    this.termBeforeFirst = this.termAt(index) ?? -1;
    this.entries = this.entries.filter((entry) => entry.index > index);
    this.firstIndex = index + 1;
    this.cacheFirst = Math.max(this.cacheFirst, index + 1);
  }

  reset({ index, term }: LogPosition): void {
    this.entries = [];
    this.firstIndex = index + 1;
    this.cacheFirst = index + 1;
    this.termBeforeFirst = term;
  }

  evict(upTo: number, maxBytes: number): void {
    const inMemory = this.entries.slice(this.cacheFirst - this.firstIndex);
    while (this.cacheFirst <= upTo && sum(inMemory) > maxBytes) {
      inMemory.shift();
      this.cacheFirst++;
    }
  }

  sizeAt(index: number): number {
    return index < this.cacheFirst ? 0 : sum(this.entries.slice(index - this.firstIndex, index - this.firstIndex + 1));
  }

  termAt(index: number): number | undefined {
    return index === this.firstIndex - 1 ? this.termBeforeFirst : this.entries[index - this.firstIndex]?.term;
  }

  lastAtMost(index: number, term: number): LogPosition {
    const found = this.entries.findLast((entry) => entry.index <= index && entry.term <= term);
    return { index: found?.index ?? this.firstIndex - 1, term: found?.term ?? this.termBeforeFirst };
  }

  slice(first: number, last: number, maxBytes: number): Entry[] | undefined {
    if (first < this.cacheFirst) return undefined;
    const all = this.entries.filter(({ index }) => index >= first && index <= last);
    return all.filter((_, at) => at === 0 || sum(all.slice(0, at + 1)) <= maxBytes);
  }
}

function sum(entries: readonly Entry[]): number {
  return entries.reduce((bytes, { payload }) => bytes + 64 + payload.length, 0);
}

function apply(step: Step, log: RaftLog, model: ModelLog): void {
  const { firstIndex, lastIndex } = model;
  switch (step.kind) {
    case 'append': {
      const term = Math.max(1, model.lastTerm + step.termGain);
      log.append(step.sizes.map((size) => model.append(term, size)));
      volume.appended += step.sizes.length;
      return;
    }
    case 'truncate': {
      const index = Math.max(firstIndex, lastIndex + 1 - step.count);
      if (index < model.cacheFirst) volume.truncatedBelowMemory++;
      volume.truncated += lastIndex + 1 - index;
      log.truncateSuffix(index);
      model.truncate(index);
      return;
    }
    case 'truncate-prefix': {
      const index = Math.min(lastIndex, firstIndex - 1 + step.count);
      volume.forgotten += index - firstIndex + 1;
      log.truncatePrefix(index);
      model.truncatePrefix(index);
      return;
    }
    case 'reset': {
      const position = { index: lastIndex + step.gap, term: model.lastTerm + 1 };
      volume.resets++;
      log.reset(position);
      model.reset(position);
      return;
    }
    case 'evict': {
      const upTo = firstIndex - 1 + (step.upTo % (lastIndex - firstIndex + 2));
      const before = model.cacheFirst;
      log.evict(upTo, step.maxBytes);
      model.evict(upTo, step.maxBytes);
      volume.evicted += model.cacheFirst - before;
    }
  }
}

/** What can be asked of a log and of its model. */
type Asked = Pick<
  RaftLog,
  'firstIndex' | 'lastIndex' | 'lastTerm' | 'cacheFirst' | 'termAt' | 'sizeAt' | 'lastAtMost' | 'slice'
>;

/** Asks everything there is to ask. */
function answers(log: Asked): string {
  const { firstIndex, lastIndex, lastTerm, cacheFirst } = log;
  const all: unknown[] = [firstIndex, lastIndex, lastTerm, cacheFirst];
  for (let index = firstIndex - 2; index <= lastIndex + 1; index++) all.push(log.termAt(index), log.sizeAt(index));
  for (const index of [firstIndex - 1, Math.floor((firstIndex + lastIndex) / 2), lastIndex, lastIndex + 5]) {
    for (let term = 0; term <= lastTerm + 1; term++) {
      const position = log.lastAtMost(index, term);
      all.push(position.index, position.term);
    }
  }
  for (const first of [cacheFirst - 1, cacheFirst, cacheFirst + 1, lastIndex]) {
    if (first < firstIndex) continue;
    for (const maxBytes of [0, 200, Infinity]) {
      const entries = log.slice(first, lastIndex, maxBytes);
      all.push(entries === undefined ? 'in storage' : entries.map((entry) => `${entry.index}:${entry.term}`).join(' '));
    }
  }
  return all.join(' | ');
}

describe('RaftLog against a plain array', () => {
  it('answers every question the same after any appends, truncations and evictions', () => {
    fc.assert(
      fc.property(starts, fc.array(steps, { minLength: 10, maxLength: 40, size: 'max' }), (start, script) => {
        const model = new ModelLog(start);
        const inMemory = model.lastIndex + 1 - model.cacheFirst;
        const first = { ...logStart(model.entries, inMemory, model.termBeforeFirst), firstIndex: start.firstIndex };
        const log = new RaftLog({ ...first, lastIndex: model.lastIndex });
        expect(answers(log)).toBe(answers(model));
        for (const step of script) {
          apply(step, log, model);
          expect(answers(log)).toBe(answers(model));
        }
      }),
      { numRuns: 150, seed: 4 },
    );
  });

  it('really did something', () => {
    expect(volume.appended).toBeGreaterThan(2_000);
    expect(volume.truncated).toBeGreaterThan(500);
    expect(volume.truncatedBelowMemory).toBeGreaterThan(20);
    expect(volume.evicted).toBeGreaterThan(300);
    expect(volume.forgotten).toBeGreaterThan(300);
    expect(volume.resets).toBeGreaterThan(30);
  });
});
