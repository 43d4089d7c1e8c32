/** The key index of a whole store, built in steps. */
import { IndexBuilder } from '../../../src/kv/index-builder';
import type { KeyIndex } from '../../../src/kv/key-index';
import { openSqliteStore, type SqliteStore } from '../../../src/kv/sqlite-store';
import { expectError } from '../../support/kv-entries';

interface Change {
  readonly key: string;
  readonly flags: number;
}

/** A store whose rows are these changes; a row's revision is its number plus 1. */
function storeOf(changes: readonly Change[]): SqliteStore {
  const store = openSqliteStore({ path: ':memory:', clusterId: 7n });
  store.write(() => {
    changes.forEach(({ key, flags }, at) => {
      const versions = { createRevision: flags === 0 ? 0 : at + 2, version: flags === 0 ? 0 : 1 };
      const content = { key: Buffer.from(key, 'latin1'), value: Buffer.alloc(0) };
      store.history.insert({ row: at + 1, revision: at + 2, sub: 0, ...versions, flags, lease: 0n, ...content });
    });
    const applied = { appliedIndex: 1, appliedTerm: 1 };
    return { ...store.loaded, ...applied, revision: changes.length + 1, lastRow: changes.length };
  });
  store.commit();
  return store;
}

/** The newest row of each key that lives, in the order of the keys. */
function expected(changes: readonly Change[]): [string, number][] {
  const rows = new Map<string, number>();
  changes.forEach(({ key, flags }, at) => {
    if (flags === 0) rows.delete(key);
    else rows.set(key, at + 1);
  });
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

function contentOf(index: KeyIndex): [string, number][] {
  const content: [string, number][] = [];
  index.scan('', undefined, (key, { row }) => {
    content.push([key, row]);
    return 'next';
  });
  return content;
}

/** Puts and deletes of `keys` keys in an order without an order: more of them than a run holds. */
function changesOf(count: number, keys: number): Change[] {
  return Array.from({ length: count }, (_, at) => {
    const number = (at * 7919 + (at % 13) * 31) % keys;
    return { key: `\xff${String(number)}`, flags: number % 5 === at % 5 ? 0 : 1 };
  });
}

function build(store: SqliteStore): { readonly index: KeyIndex; readonly steps: number } {
  const builder = new IndexBuilder(store.guard);
  let steps = 0;
  for (const page of store.history.headPages()) {
    builder.add(page);
    steps++;
  }
  const building = builder.finish(store.readFacts());
  for (;;) {
    const step = building.next();
    if (step.done === true) return { index: step.value.index, steps };
    steps++;
  }
}

describe('Building the key index', () => {
  it.each([
    ['nothing', []],
    ['one key', [{ key: 'a', flags: 1 }]],
    ['keys of any bytes', ['\x00', 'a\x00', '\xff\x00', '\xc3', '\xc3\xa9', '"\\,'].map((key) => ({ key, flags: 1 }))],
    ['keys of any length', [1, 48, 143, 144, 145, 500, 5000].map((length) => ({ key: 'k'.repeat(length), flags: 1 }))],
    ['keys that are all gone', ['a', 'b', 'a', 'b'].map((key, at) => ({ key, flags: at < 2 ? 1 : 0 }))],
    ['few keys, changed often', changesOf(30_000, 100)],
    ['many keys', changesOf(70_000, 60_000)],
  ])('finds the newest version of each key: %s', (_, changes) => {
    const store = storeOf(changes);
    expect(contentOf(build(store).index)).toEqual(expected(changes));
    store.close();
  });

  it('finds every older version, too, and the deletions between them', () => {
    const changes = changesOf(50_000, 20_000);
    const store = storeOf(changes);
    const { index } = build(store);
    const rows = new Map<string, number[]>();
    changes.forEach(({ key }, at) => rows.set(key, [at + 1, ...(rows.get(key) ?? [])]));
    for (const [key, expectedRows] of rows) {
      const versions = [...index.versionsOf(key)];
      expect(versions.map(({ row }) => row)).toEqual(expectedRows);
      expect(versions.map(({ isPut }) => (isPut ? 1 : 0))).toEqual(expectedRows.map((row) => changes[row - 1]?.flags));
    }
    store.close();
  });

  it('refuses pages that are not in their order', () => {
    const store = storeOf(changesOf(3000, 3000));
    const [first, second] = [...store.history.headPages()];
    if (first === undefined || second === undefined) throw new Error('there are two pages');
    const builder = new IndexBuilder(store.guard);
    builder.add(second);
    expectError(
      () => {
        builder.add(first);
      },
      'damaged',
      'its rows are not in their order',
    );
    store.close();
  });

  it('takes many short steps', () => {
    const store = storeOf(changesOf(50_000, 40_000));
    expect(build(store).steps).toBeGreaterThan(30);
    store.close();
  });
});
