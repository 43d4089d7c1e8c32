/** What commands do to the store, in memory. */
import type { Command } from '../../../src/kv/command';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, noOp, put, query } from '../../support/kv-entries';

let machine: KvStateMachine;
beforeEach(() => {
  machine = openKvStateMachine({ path: ':memory:', clusterId: 7n });
});
afterEach(() => {
  void machine.close();
});

const keysOf = (more: Parameters<typeof query>[0]): string[] =>
  machine.range(query(more)).records.map((record) => Buffer.from(record.key).toString());

describe('key-value state machine', () => {
  it('starts at revision 1 with nothing applied', () => {
    expect(machine).toMatchObject({ revision: 1, appliedIndex: 0, appliedTerm: 0 });
    expect(machine.range(query())).toEqual({ records: [], more: false });
  });

  it('makes one revision with each put, and counts the versions of a key', () => {
    expect(machine.apply(entries(1, [put('a', '1'), put('b', '1'), put('a', '2')]))).toEqual([
      { kind: 'put', revision: 2, createRevision: 2, version: 1 },
      { kind: 'put', revision: 3, createRevision: 3, version: 1 },
      { kind: 'put', revision: 4, createRevision: 2, version: 2 },
    ]);
    expect(machine.get(bytes('a'))).toEqual({
      key: bytes('a'),
      value: bytes('2'),
      form: 'text',
      lease: 0n,
      createRevision: 2,
      modRevision: 4,
      version: 2,
    });
  });

  it('makes a revision with a delete only if the key was there', () => {
    machine.apply(entries(1, [put('a', '1')]));
    expect(machine.apply(entries(2, [del('b'), del('a'), del('a')]))).toEqual([
      { kind: 'delete', revision: 2, deleted: 0, previous: [] },
      { kind: 'delete', revision: 3, deleted: 1, previous: [] },
      { kind: 'delete', revision: 3, deleted: 0, previous: [] },
    ]);
    expect(machine.get(bytes('a'))).toBeUndefined();
    expect(machine.apply(entries(5, [put('a', '2')]))).toEqual([
      { kind: 'put', revision: 4, createRevision: 4, version: 1 },
    ]);
  });

  it('counts entries that are not commands as applied, and answers them with nothing', () => {
    expect(
      machine.apply([
        ...entries(1, [noOp]),
        { ...entries(2, [noOp])[0], index: 2, term: 4, kind: 'configuration', payload: bytes('?') },
      ]),
    ).toEqual([undefined, undefined]);
    expect(machine).toMatchObject({ revision: 1, appliedIndex: 2, appliedTerm: 4 });
  });

  it('keeps empty values and values of any bytes', () => {
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    machine.apply(entries(1, [put('empty', ''), unnamed(putOperation({ key: bytes('all'), value, form: 'bytes' }))]));
    expect(machine.get(bytes('empty'))).toMatchObject({ value: bytes(''), form: 'text' });
    expect(machine.get(bytes('all'))).toMatchObject({ value: Buffer.from(value), form: 'bytes' });
  });

  it('asserts that entries follow each other without a gap, and never fall in term', () => {
    machine.apply(entries(1, [noOp]));
    expect(() => machine.apply(entries(3, [noOp]))).toThrow('without a gap');
    const other = openKvStateMachine({ path: ':memory:', clusterId: 7n });
    other.apply(entries(1, [noOp]));
    expect(() => other.apply(entries(2, [noOp]).map((entry) => ({ ...entry, term: 0 })))).toThrow('terms of applied');
    void other.close();
  });

  it('applies no entries without any effect', () => {
    const before = machine.hash();
    expect(machine.apply([])).toEqual([]);
    expect(machine.hash()).toBe(before);
  });

  it('halts on a command that it does not understand: nothing is applied or read any more', () => {
    machine.apply(entries(1, [put('a', '1')]));
    const unknown = { index: 3, term: 1, kind: 'command', payload: Buffer.from([1, 99]) } as const;
    expect(() => machine.apply([...entries(2, [put('a', '2')]), unknown])).toThrow('it is of kind 99');
    expect(machine).toMatchObject({ revision: 2, appliedIndex: 1 });
    expect(() => machine.apply(entries(2, [noOp]))).toThrow('nothing is applied after a failure');
    expect(() => machine.get(bytes('a'))).toThrow('nothing is read after a failure');
    expect(() => machine.range(query())).toThrow('nothing is read after a failure');
  });
});

describe('range of the key-value state machine', () => {
  beforeEach(() => {
    machine.apply(
      entries(
        1,
        ['d', 'a', 'c', 'b'].map((key) => put(key, key.repeat(9))),
      ),
    );
  });

  it('gives the keys from start to before end in order', () => {
    expect(keysOf({})).toEqual(['a', 'b', 'c', 'd']);
    expect(keysOf({ start: bytes('b'), end: bytes('d') })).toEqual(['b', 'c']);
  });

  it('stops at its limit and says whether there is more', () => {
    expect(machine.range(query({ limit: 3 }))).toMatchObject({ records: { length: 3 }, more: true });
    expect(machine.range(query({ limit: 4 }))).toMatchObject({ records: { length: 4 }, more: false });
    expect(() => machine.range(query({ limit: 0 }))).toThrow('room for one record');
  });

  it('stops before it exceeds its bytes, but gives at least one record', () => {
    expect(machine.range(query({ maxBytes: 20 }))).toMatchObject({ records: { length: 2 }, more: true });
    expect(machine.range(query({ maxBytes: 19 }))).toMatchObject({ records: { length: 1 }, more: true });
    expect(machine.range(query({ maxBytes: 1 }))).toMatchObject({ records: { length: 1 }, more: true });
    expect(machine.range(query({ maxBytes: 40 }))).toMatchObject({ records: { length: 4 }, more: false });
  });

  it('leaves values out of keys-only records, and out of their bytes', () => {
    const page = machine.range(query({ keysOnly: true, maxBytes: 3 }));
    expect(page).toMatchObject({ records: { length: 3 }, more: true });
    expect(page.records[0]).toMatchObject({ key: bytes('a'), value: { length: 0 }, form: 'text', modRevision: 3 });
  });
});

describe('hash of the state', () => {
  it('is pinned: it must not change between versions, platforms or runs', () => {
    machine.apply(entries(1, [put('a', '1'), put('b', '2'), del('a'), noOp]));
    expect(machine.hash()).toBe('b343c90450b147a27335439b8107cac2572d9b3f0ef247cad83d0939f5dce60c');
  });

  it.each<[string, (Command | typeof noOp)[]]>([
    ['a value', [put('a', '2')]],
    ['a key', [put('b', '1')]],
    ['a form', [unnamed(putOperation({ key: bytes('a'), value: bytes('1'), form: 'bytes' }))]],
    ['a border between key and value', [put('a1', '')]],
    ['an index', [put('a', '1'), noOp]],
    ['a history', [put('a', '0'), put('a', '1')]],
  ])('differs with %s', (_, commands) => {
    const other = openKvStateMachine({ path: ':memory:', clusterId: 7n });
    other.apply(entries(1, commands));
    machine.apply(entries(1, [put('a', '1')]));
    expect(machine.hash()).not.toBe(other.hash());
    void other.close();
  });
});
