/** Random sequences of calls on a storage, compared with a plain array. */
import fc from 'fast-check';
import type { ConfigurationAt, Entry, HardState } from '../../src/raft';
import type { Storage } from '../../src/storage/storage';
import {
  configurationAt,
  configurationEntry,
  implementations,
  initialConfiguration,
  persister,
  plain,
  type Implementation,
} from '../support/log-builders';

type Step =
  | {
      readonly kind: 'persist';
      readonly overlap: number;
      readonly sizes: readonly number[];
      readonly newTerm: boolean;
      readonly wait: boolean;
    }
  | { readonly kind: 'vote'; readonly votedFor: bigint }
  | { readonly kind: 'configuration' }
  | { readonly kind: 'snapshot'; readonly ahead: number; readonly followers: number }
  | { readonly kind: 'truncate'; readonly share: number }
  | { readonly kind: 'read'; readonly from: number; readonly to: number; readonly maxBytes: number }
  | { readonly kind: 'reopen' };

const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('persist' as const),
      overlap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) }),
      sizes: fc.array(fc.oneof(fc.nat(60), fc.nat(9000)), { maxLength: 12 }),
      newTerm: fc.boolean(),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('vote' as const), votedFor: fc.bigInt(1n, (1n << 64n) - 1n) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'configuration' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('snapshot' as const), ahead: fc.nat(20), followers: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), share }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('read' as const), from: share, to: share, maxBytes: fc.nat(20_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** The log as it should be. */
class Model {
  hardState: HardState = { term: 0, votedFor: undefined };
  removed = { index: 0, term: 0 };
  entries: Entry[] = [];
  configuration: ConfigurationAt = { index: 0, ...initialConfiguration };

  get configurationEntries(): Entry[] {
    return this.entries.filter(({ kind }) => kind === 'configuration');
  }

  get lastIndex(): number {
    return this.removed.index + this.entries.length;
  }
}

/** What one run really did, so that a run that did nothing is noticed. */
const volume = { persists: 0, replaced: 0, removed: 0, reads: 0, reopened: 0, configurations: 0, snapshots: 0 };

class Run {
  readonly model = new Model();
  readonly #pending: Promise<void>[] = [];
  readonly #medium;
  #make = persister();
  #storage: Storage | undefined;

  constructor(implementation: Implementation) {
    this.#medium = implementation.medium();
  }

  async storage(): Promise<Storage> {
    return (this.#storage ??= await this.#medium.open({ maxTailBytes: 5000 }));
  }

  async do(one: Step): Promise<void> {
    const storage = await this.storage();
    switch (one.kind) {
      case 'persist':
        return this.#persist(storage, one);
      case 'vote':
        this.model.hardState = { term: this.model.hardState.term + 1, votedFor: one.votedFor };
        this.#pending.push(storage.persist(this.#make([], this.model.hardState)));
        return;
      case 'configuration':
        this.#configuration(storage);
        return;
      case 'snapshot':
        this.#snapshot(storage, one);
        return;
      case 'truncate':
        return this.#truncate(storage, one.share);
      case 'read':
        return this.#read(storage, one);
      case 'reopen':
        volume.reopened += 1;
        await this.close();
        return this.check();
    }
  }

  /** Compares what a new opening finds with the model. */
  async check(): Promise<void> {
    const { loaded } = await this.storage();
    const { model } = this;
    expect(loaded.hardState).toEqual(model.hardState);
    expect([loaded.firstIndex, loaded.termBeforeFirst]).toEqual([model.removed.index + 1, model.removed.term]);
    expect(loaded.lastIndex).toBe(model.lastIndex);
    expect(loaded.configuration).toEqual(model.configuration);
    expect(plain(loaded.configurationEntries)).toEqual(plain(model.configurationEntries));
    expect(plain(loaded.tail)).toEqual(plain(model.entries.slice(model.entries.length - loaded.tail.length)));
    expect(loaded.tail.length > 0).toBe(model.entries.length > 0);
    const terms = model.entries.map(({ index }) => loaded.termRuns.findLast((run) => run.firstIndex <= index)?.term);
    expect(terms).toEqual(model.entries.map(({ term }) => term));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
    await this.#storage?.close();
    this.#storage = undefined;
    this.#make = persister();
  }

  async #persist(
    storage: Storage,
    { overlap, sizes, newTerm, wait }: Extract<Step, { kind: 'persist' }>,
  ): Promise<void> {
    const { model } = this;
    const replaced = Math.min(overlap, model.entries.length);
    if (newTerm || replaced > 0) model.hardState = { term: model.hardState.term + 1, votedFor: undefined };
    const { term } = model.hardState;
    const firstIndex = model.lastIndex - (sizes.length > 0 ? replaced : 0) + 1;
    const list = sizes.map((size, offset): Entry => {
      const index = firstIndex + offset;
      return { index, term, kind: 'command', payload: Buffer.alloc(size, `${term}/${index};`) };
    });
    if (list.length > 0) model.entries.splice(model.entries.length - replaced, replaced, ...list);
    volume.persists += 1;
    volume.replaced += replaced;
    this.#pending.push(storage.persist(this.#make(list, model.hardState)));
    if (wait) await Promise.all(this.#pending.splice(0));
  }

  #configuration(storage: Storage): void {
    const { model } = this;
    const made = configurationEntry(model.lastIndex + 1, model.hardState.term);
    model.entries.push(made);
    volume.configurations += 1;
    this.#pending.push(storage.persist(this.#make([made], model.hardState)));
  }

  #snapshot(storage: Storage, { ahead, followers }: Extract<Step, { kind: 'snapshot' }>): void {
    const { model } = this;
    const { term } = model.hardState;
    const last = { index: model.lastIndex + ahead, term };
    const configuration = configurationAt(last.index);
    model.removed = last;
    model.configuration = configuration;
    model.entries = Array.from({ length: followers }, (_, offset): Entry => {
      return { index: last.index + 1 + offset, term, kind: 'command', payload: Buffer.from(`after ${offset}`) };
    });
    volume.snapshots += 1;
    this.#pending.push(storage.persist(this.#make(model.entries, model.hardState, { last, configuration })));
    model.entries = [...model.entries];
  }

  async #truncate(storage: Storage, part: number): Promise<void> {
    await Promise.all(this.#pending.splice(0));
    const { model } = this;
    const count = Math.floor(part * model.entries.length);
    await storage.truncatePrefix(model.removed.index + count);
    const removed = model.entries.splice(0, count);
    const last = removed.at(-1);
    if (last !== undefined) model.removed = { index: last.index, term: last.term };
    const configuration = removed.findLast(({ kind }) => kind === 'configuration');
    if (configuration !== undefined) model.configuration = configurationAt(configuration.index);
    volume.removed += count;
  }

  async #read(storage: Storage, { from, to, maxBytes }: Extract<Step, { kind: 'read' }>): Promise<void> {
    await Promise.all(this.#pending.splice(0));
    const { entries } = this.model;
    if (entries.length === 0) return;
    const [first, last] = [from, to].map((part) => Math.floor(part * (entries.length - 1))).sort((a, b) => a - b) as [
      number,
      number,
    ];
    const { index: firstIndex } = entries[first] as Entry;
    const { index: lastIndex } = entries[last] as Entry;
    const found = await storage.readEntries({ firstIndex, lastIndex, maxBytes });
    volume.reads += 1;
    expect(found.length).toBeGreaterThan(0);
    expect(plain(found)).toEqual(plain(entries.slice(first, first + found.length)));
    const bytes = found.reduce((sum, one) => sum + one.payload.byteLength, 0);
    expect(found.length === 1 || bytes <= maxBytes).toBe(true);
    const next = entries[first + found.length];
    expect(found.length === last - first + 1 || bytes + (next?.payload.byteLength ?? 0) > maxBytes).toBe(true);
  }
}

describe.each(implementations().map((one) => [one.name, one] as const))(
  'Storage against an array: %s',
  (_name, implementation) => {
    afterAll(() => {
      implementation.cleanUp();
    });

    it('holds what a plain array would hold, through replacing, removing, reading and reopening', async () => {
      for (const key of Object.keys(volume) as (keyof typeof volume)[]) volume[key] = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
          const run = new Run(implementation);
          try {
            for (const one of steps) await run.do(one);
            await run.close();
            await run.check();
          } finally {
            await run.close();
          }
        }),
        { numRuns: implementation.name === 'sqlite' ? 15 : 100 },
      );
      expect(volume.persists).toBeGreaterThan(100);
      expect(volume.replaced).toBeGreaterThan(20);
      expect(volume.removed).toBeGreaterThan(20);
      expect(volume.reads).toBeGreaterThan(20);
      expect(volume.reopened).toBeGreaterThan(10);
      expect(volume.configurations).toBeGreaterThan(20);
      expect(volume.snapshots).toBeGreaterThan(10);
    }, 60_000);
  },
);
