/** The key index of a whole store, built in steps. */
import { buildIndex, buildIndexInSteps } from '../../../src/kv/index-builder';
import type { KeyIndex } from '../../../src/kv/key-index';
import { openSqliteStore, type SqliteStore } from '../../../src/kv/sqlite-store';

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
      store.insert({ row: at + 1, revision: at + 2, sub: 0, ...versions, flags, ...content });
    });
    return { appliedIndex: 1, appliedTerm: 1, revision: changes.length + 1, lastRow: changes.length };
  });
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

describe('Building the key index', () => {
  it.each([
    ['nothing', []],
    ['one key', [{ key: 'a', flags: 1 }]],
    ['keys that are all gone', ['a', 'b', 'a', 'b'].map((key, at) => ({ key, flags: at < 2 ? 1 : 0 }))],
    ['few keys, changed often', changesOf(30_000, 100)],
    ['many keys', changesOf(70_000, 60_000)],
  ])('finds the newest version of each key: %s', (_, changes) => {
    const store = storeOf(changes);
    expect(contentOf(buildIndex(store))).toEqual(expected(changes));
    store.close();
  });

  it('gives others their turn, and comes to the same', async () => {
    const changes = changesOf(50_000, 40_000);
    const store = storeOf(changes);
    let turns = 0;
    const index = await buildIndexInSteps(store, () => {
      turns += 1;
      return Promise.resolve();
    });
    expect(contentOf(index)).toEqual(expected(changes));
    expect(turns).toBeGreaterThan(50);
    store.close();
  });
});
