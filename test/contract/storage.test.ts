/** What every `Storage` must do, run against each of them. */
import { simpleConfiguration, type Entry } from '../../src/raft';
import type { Storage } from '../../src/storage/storage';
import {
  configurationAt,
  configurationEntry,
  entries,
  entry,
  identity,
  implementations,
  initialConfiguration,
  persister,
  plain,
  snapshotAt,
  type Medium,
} from '../support/log-builders';

const everything = { maxBytes: Number.MAX_SAFE_INTEGER };

describe.each(implementations().map((one) => [one.name, one] as const))('Storage: %s', (_name, implementation) => {
  let medium: Medium;
  let storage: Storage;
  let make: ReturnType<typeof persister>;

  beforeEach(async () => {
    medium = implementation.medium();
    storage = await medium.open();
    make = persister();
  });
  afterEach(async () => {
    await storage.close();
    implementation.cleanUp();
  });

  async function reopen(more: Parameters<Medium['open']>[0] = {}): Promise<Storage> {
    await storage.close();
    storage = await medium.open(more);
    return storage;
  }

  it('starts empty, with the initial configuration', () => {
    expect(storage.loaded).toEqual({
      hardState: { term: 0, votedFor: undefined },
      configuration: { index: 0, ...initialConfiguration },
      configurationEntries: [],
      incarnation: { disk: expect.any(BigInt), boots: 1, run: expect.any(BigInt) },
      peerIncarnations: new Map(),
      firstIndex: 1,
      lastIndex: 0,
      termBeforeFirst: 0,
      termRuns: [],
      tail: [],
    });
  });

  it('finds term and vote again, with all 64 bits of the vote (Figure 2)', async () => {
    await storage.persist(make([], { term: 7, votedFor: 0xffffffffffffffffn }));
    expect((await reopen()).loaded.hardState).toEqual({ term: 7, votedFor: 0xffffffffffffffffn });
  });

  it('finds a vote that was withdrawn by a new term as no vote', async () => {
    await storage.persist(make([], { term: 7, votedFor: 2n }));
    await storage.persist(make([], { term: 8, votedFor: undefined }));
    expect((await reopen()).loaded.hardState).toEqual({ term: 8, votedFor: undefined });
  });

  it('finds entries of every kind again, byte for byte', async () => {
    const written = [
      { index: 1, term: 1, kind: 'no-op', payload: new Uint8Array(0) },
      { index: 2, term: 1, kind: 'command', payload: Uint8Array.from({ length: 256 }, (_, byte) => byte) },
      { index: 3, term: 1, kind: 'configuration', payload: new Uint8Array(100_000).fill(7) },
    ] as const;
    await storage.persist(make(written));
    expect(plain((await reopen()).loaded.tail)).toEqual(plain(written));
    expect(plain(await storage.readEntries({ firstIndex: 1, lastIndex: 3, ...everything }))).toEqual(plain(written));
  });

  it('keeps terms above 32 bits', async () => {
    const term = 2 ** 52 + 3;
    await storage.persist(make([entry(1, term)], { term, votedFor: undefined }));
    expect((await reopen()).loaded.hardState.term).toBe(term);
    expect(storage.loaded.termRuns).toEqual([{ firstIndex: 1, term }]);
  });

  it('tells the runs of equal term', async () => {
    await storage.persist(make([...entries(1, 3, 1), ...entries(4, 4, 2), ...entries(5, 9, 5)]));
    expect((await reopen()).loaded.termRuns).toEqual([
      { firstIndex: 1, term: 1 },
      { firstIndex: 4, term: 2 },
      { firstIndex: 5, term: 5 },
    ]);
  });

  it('replaces a conflicting suffix with the entries that come in its place (§5.3)', async () => {
    await storage.persist(make(entries(1, 9, 1)));
    await storage.persist(make(entries(4, 5, 2)));
    const expected = [...entries(1, 3, 1), ...entries(4, 5, 2)];
    expect(plain(await storage.readEntries({ firstIndex: 1, lastIndex: 5, ...everything }))).toEqual(plain(expected));
    expect(plain((await reopen()).loaded.tail)).toEqual(plain(expected));
    expect(storage.loaded.lastIndex).toBe(5);
  });

  it('replaces the whole log', async () => {
    await storage.persist(make(entries(1, 9, 1)));
    await storage.persist(make(entries(1, 2, 3)));
    expect(plain((await reopen()).loaded.tail)).toEqual(plain(entries(1, 2, 3)));
  });

  it('goes on where it ended after reopening', async () => {
    await storage.persist(make(entries(1, 5)));
    await reopen();
    make = persister();
    await storage.persist(make(entries(6, 7)));
    expect((await reopen()).loaded.lastIndex).toBe(7);
  });

  it('completes overlapping persists in call order', async () => {
    const completed: number[] = [];
    const all = Array.from({ length: 50 }, (_, position) =>
      storage.persist(make([entry(position + 1)])).then(() => completed.push(position)),
    );
    await Promise.all(all);
    expect(completed).toEqual(Array.from({ length: 50 }, (_, position) => position));
  });

  it('lets an old completion say nothing about newer entries at the same index', async () => {
    const log: string[] = [];
    const first = storage.persist(make([entry(1, 1), entry(2, 1)])).then(() => log.push('old'));
    const second = storage.persist(make([entry(2, 2)])).then(() => log.push('new'));
    await first;
    expect(log[0]).toBe('old');
    await second;
    const [found] = await storage.readEntries({ firstIndex: 2, lastIndex: 2, ...everything });
    expect(found?.term).toBe(2);
  });

  it('completes a persist that holds nothing, in its turn', async () => {
    const log: string[] = [];
    await Promise.all([
      storage.persist(make(entries(1, 3))).then(() => log.push('entries')),
      storage.persist(make([])).then(() => log.push('nothing')),
    ]);
    expect(log).toEqual(['entries', 'nothing']);
  });

  it('reads no more than asked for, but at least one entry', async () => {
    await storage.persist(make(Array.from({ length: 10 }, (_, offset) => entry(offset + 1, 1, 'x'.repeat(100)))));
    const read = async (maxBytes: number): Promise<number[]> =>
      (await storage.readEntries({ firstIndex: 3, lastIndex: 8, maxBytes })).map(({ index }) => index);
    expect(await read(1000)).toEqual([3, 4, 5, 6, 7, 8]);
    expect(await read(300)).toEqual([3, 4, 5]);
    expect(await read(299)).toEqual([3, 4]);
    expect(await read(1)).toEqual([3]);
  });

  it('loads no more of the tail than asked for, but at least the last entry', async () => {
    await storage.persist(make(Array.from({ length: 10 }, (_, offset) => entry(offset + 1, 1, 'x'.repeat(100)))));
    const tail = async (maxTailBytes: number): Promise<number[]> =>
      (await reopen({ maxTailBytes })).loaded.tail.map(({ index }) => index);
    expect(await tail(300)).toEqual([8, 9, 10]);
    expect(await tail(1)).toEqual([10]);
    expect(storage.loaded.firstIndex).toBe(1);
  });

  it('removes a prefix, and tells the term before the first entry', async () => {
    await storage.persist(make([...entries(1, 4, 1), ...entries(5, 9, 3)]));
    await storage.truncatePrefix(5);
    await expect(storage.readEntries({ firstIndex: 5, lastIndex: 9, ...everything })).rejects.toMatchObject({
      code: 'superseded',
    });
    expect(plain(await storage.readEntries({ firstIndex: 6, lastIndex: 9, ...everything }))).toEqual(
      plain(entries(6, 9, 3)),
    );
    const { firstIndex, lastIndex, termBeforeFirst, termRuns } = (await reopen()).loaded;
    expect({ firstIndex, lastIndex, termBeforeFirst, termRuns }).toEqual({
      firstIndex: 6,
      lastIndex: 9,
      termBeforeFirst: 3,
      termRuns: [{ firstIndex: 6, term: 3 }],
    });
  });

  it('removes a prefix once, however often it is asked to', async () => {
    await storage.persist(make(entries(1, 9)));
    await storage.truncatePrefix(5);
    await storage.truncatePrefix(5);
    await storage.truncatePrefix(2);
    expect((await reopen()).loaded.firstIndex).toBe(6);
  });

  it('goes on after its whole log was removed as a prefix', async () => {
    await storage.persist(make(entries(1, 9, 4)));
    await storage.truncatePrefix(9);
    const { firstIndex, lastIndex, termBeforeFirst, tail } = (await reopen()).loaded;
    expect({ firstIndex, lastIndex, termBeforeFirst, tail }).toEqual({
      firstIndex: 10,
      lastIndex: 9,
      termBeforeFirst: 4,
      tail: [],
    });
    make = persister();
    await storage.persist(make([entry(10, 4)], { term: 4, votedFor: undefined }));
    expect((await reopen()).loaded.lastIndex).toBe(10);
  });

  it('opens again after its newest write went with the whole log', async () => {
    await storage.persist(make(entries(1, 3)));
    await storage.persist(make(entries(4, 4)));
    await storage.truncatePrefix(4);
    expect((await reopen()).loaded).toMatchObject({ firstIndex: 5, hardState: { term: 1 } });
  });

  it('refuses to read what it does not hold', async () => {
    await storage.persist(make(entries(1, 3)));
    await expect(storage.readEntries({ firstIndex: 2, lastIndex: 4, ...everything })).rejects.toMatchObject({
      code: 'superseded',
    });
  });

  it('crashes when entries leave a gap, are of a later term, or the term falls', async () => {
    await storage.persist(make(entries(1, 3, 2)));
    const persisting = (sequence: number, list: readonly Entry[], term?: number) => () => {
      const hardState = term === undefined ? undefined : { term, votedFor: undefined };
      return storage.persist({ sequence, hardState, snapshot: undefined, entries: list });
    };
    expect(persisting(100, [entry(5, 2)])).toThrow('leave no gap');
    expect(persisting(101, [entry(4, 2), entry(6, 2)])).toThrow('consecutive');
    expect(persisting(102, [entry(4, 3)], 2)).toThrow('later term');
    expect(persisting(103, [], 1)).toThrow('never falls');
    expect(persisting(103, [])).toThrow('sequence numbers grow');
  });

  it('finishes what was handed over when it is closed, and takes nothing more', async () => {
    const pending = storage.persist(make(entries(1, 3)));
    const closing = storage.close();
    await expect(storage.persist(make(entries(4, 5)))).rejects.toMatchObject({ code: 'stopping' });
    await Promise.all([pending, closing, storage.close()]);
    expect((await reopen()).loaded.lastIndex).toBe(3);
  });

  it('is open once at a time', async () => {
    await expect(medium.open()).rejects.toMatchObject({ code: 'refused-to-start' });
    await storage.persist(make(entries(1, 1)));
  });

  it("refuses another member's log and another cluster's", async () => {
    await storage.close();
    await expect(medium.open({ identity: { ...identity, memberId: 2n } })).rejects.toMatchObject({
      code: 'refused-to-start',
    });
    await expect(medium.open({ identity: { ...identity, clusterId: 2n } })).rejects.toMatchObject({
      code: 'refused-to-start',
    });
    storage = await medium.open();
  });

  it('keeps the configuration of its first opening', async () => {
    await reopen({
      initialConfiguration: { configuration: simpleConfiguration([5n]), context: new Uint8Array(0) },
    });
    expect(storage.loaded.configuration).toEqual({ index: 0, ...initialConfiguration });
  });

  it('tells the configuration entries of its log, without those that were replaced', async () => {
    const kept = [configurationEntry(2), configurationEntry(4)];
    await storage.persist(make([entry(1), ...kept.slice(0, 1), entry(3), ...kept.slice(1), configurationEntry(5)]));
    await storage.persist(make([entry(5, 2)]));
    expect(plain((await reopen()).loaded.configurationEntries)).toEqual(plain(kept));
    expect(storage.loaded.configuration.index).toBe(0);
  });

  it('begins with no configuration that was replaced before the prefix was removed', async () => {
    await storage.persist(
      make([entry(1), configurationEntry(2), entry(3), configurationEntry(4), configurationEntry(5)]),
    );
    await storage.persist(make(entries(4, 8, 2)));
    await storage.truncatePrefix(7);
    expect((await reopen()).loaded.configuration).toEqual(configurationAt(2));
  });

  it('begins with the configuration of a snapshot, not with one of the log before it', async () => {
    await storage.persist(make([entry(1), configurationEntry(2)]));
    await storage.persist(make(entries(11, 14), undefined, snapshotAt(10)));
    await storage.truncatePrefix(12);
    expect((await reopen()).loaded.configuration).toEqual(configurationAt(9));
  });

  it('knows the configuration in force where the log begins after a prefix was removed', async () => {
    const configurations = [configurationEntry(2, 1, 7n), configurationEntry(4, 1, 8n), configurationEntry(7, 1, 9n)];
    const list = entries(1, 8).map((one) => configurations.find(({ index }) => index === one.index) ?? one);
    await storage.persist(make(list));
    await storage.truncatePrefix(1);
    expect((await reopen()).loaded.configuration).toEqual({ index: 0, ...initialConfiguration });
    await storage.truncatePrefix(5);
    const { configuration, configurationEntries } = (await reopen()).loaded;
    expect(configuration).toEqual(configurationAt(4, 8n));
    expect(plain(configurationEntries)).toEqual(plain(configurations.slice(2)));
    await storage.truncatePrefix(8);
    expect((await reopen()).loaded).toMatchObject({
      configuration: configurationAt(7, 9n),
      configurationEntries: [],
      firstIndex: 9,
    });
  });

  describe('with a snapshot (§7)', () => {
    it('begins anew after it, with its configuration', async () => {
      await storage.persist(make([...entries(1, 5, 1), configurationEntry(6, 1)]));
      await storage.persist(make([], { term: 3, votedFor: 2n }, snapshotAt(20, 3)));
      const born = storage.loaded.incarnation;
      expect((await reopen()).loaded).toEqual({
        hardState: { term: 3, votedFor: 2n },
        configuration: configurationAt(19),
        configurationEntries: [],
        incarnation: { ...born, boots: 2, run: expect.any(BigInt) },
        peerIncarnations: new Map(),
        firstIndex: 21,
        lastIndex: 20,
        termBeforeFirst: 3,
        termRuns: [],
        tail: [],
      });
    });

    it('keeps the term and vote it had when none come with the snapshot', async () => {
      await storage.persist(make(entries(1, 3), { term: 4, votedFor: 3n }));
      await storage.persist({ sequence: 9, hardState: undefined, snapshot: snapshotAt(9, 2), entries: [] });
      expect((await reopen()).loaded).toMatchObject({ hardState: { term: 4, votedFor: 3n }, firstIndex: 10 });
    });

    it('appends the entries that come with it, and goes on from there', async () => {
      await storage.persist(make(entries(1, 5, 1)));
      await storage.persist(make(entries(21, 22, 3), undefined, snapshotAt(20, 2)));
      await storage.persist(make([configurationEntry(23, 3)]));
      const expected = [...entries(21, 22, 3), configurationEntry(23, 3)];
      expect(plain(await storage.readEntries({ firstIndex: 21, lastIndex: 23, ...everything }))).toEqual(
        plain(expected),
      );
      const { loaded } = await reopen();
      expect(plain(loaded.tail)).toEqual(plain(expected));
      expect(plain(loaded.configurationEntries)).toEqual(plain(expected.slice(2)));
      expect([loaded.termBeforeFirst, loaded.termRuns]).toEqual([2, [{ firstIndex: 21, term: 3 }]]);
    });

    it('keeps order with what waits beside it: entries before it vanish, entries after it stay', async () => {
      const done: string[] = [];
      await Promise.all([
        storage.persist(make(entries(1, 1))).then(() => done.push('first')),
        storage.persist(make(entries(2, 9))).then(() => done.push('before')),
        storage.persist(make([], undefined, snapshotAt(15, 2))).then(() => done.push('an older snapshot')),
        storage.persist(make(entries(16, 17, 2))).then(() => done.push('between')),
        storage.persist(make([], undefined, snapshotAt(30, 2))).then(() => done.push('snapshot')),
        storage.persist(make(entries(31, 33, 2))).then(() => done.push('after')),
      ]);
      expect(done).toEqual(['first', 'before', 'an older snapshot', 'between', 'snapshot', 'after']);
      const { loaded } = await reopen();
      expect(plain(loaded.tail)).toEqual(plain(entries(31, 33, 2)));
      expect(loaded).toMatchObject({ firstIndex: 31, termBeforeFirst: 2, configuration: configurationAt(29) });
    });

    it('no longer reads what it stands for', async () => {
      await storage.persist(make(entries(1, 9)));
      const replaced = storage.persist(make([], undefined, snapshotAt(9)));
      await replaced;
      await expect(storage.readEntries({ firstIndex: 5, lastIndex: 9, ...everything })).rejects.toMatchObject({
        code: 'superseded',
      });
      await storage.truncatePrefix(7);
      expect((await reopen()).loaded.firstIndex).toBe(10);
    });

    it('crashes when the log would begin earlier than before, or after an unknown term', async () => {
      await storage.persist(make([], undefined, snapshotAt(9)));
      expect(() => storage.persist(make([], undefined, snapshotAt(8)))).toThrow('never begins earlier');
      const future = { sequence: 100, hardState: undefined, snapshot: snapshotAt(20, 5), entries: [] };
      expect(() => storage.persist(future)).toThrow('later term');
    });
  });

  it('grows with what it holds', async () => {
    const before = storage.sizeBytes();
    await storage.persist(make([entry(1, 1, 'x'.repeat(100_000))]));
    expect(storage.sizeBytes()).toBeGreaterThanOrEqual(before + 100_000);
  });

  it('does not settle `failed` while all is well', async () => {
    await storage.persist(make(entries(1, 3)));
    await storage.close();
    const settled = await Promise.race([storage.failed, Promise.resolve('not yet')]);
    expect(settled).toBe('not yet');
  });
});
