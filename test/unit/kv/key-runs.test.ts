/** Sorted runs of keys, and the merge of many of them. */
import { seededRng } from '../../../src/base/rng';
import type { KeyEntry } from '../../../src/kv/key-index';
import { type KeyRun, mergedRuns, sortedRun } from '../../../src/kv/key-runs';

/** A put of a row; its revision is that of the row. */
function entry(row: number): KeyEntry {
  return { row, createRevision: row, modRevision: row, version: 1, flags: 1, older: undefined };
}

/** Runs of these keys; rows ascend from run to run, and in each in the order given. */
function runsOf(...keys: readonly (readonly string[])[]): KeyRun[] {
  let row = 0;
  return keys.map((all) => sortedRun(new Map(all.map((key) => [key, entry(++row)]))));
}

const merged = (runs: readonly KeyRun[], partKeys: number) => [...mergedRuns(runs, partKeys)];
const keysOf = (parts: readonly KeyRun[]) => parts.flatMap(({ keys }) => keys);

describe('Merging runs', () => {
  it.each([
    ['no runs', [], []],
    ['an empty run', [[]], []],
    ['runs one after the other', [['a', 'b'], ['c'], ['d', 'e']], ['a', 'b', 'c', 'd', 'e']],
    [
      'runs into each other',
      [
        ['a', 'd'],
        ['c', 'f'],
        ['b', 'e'],
      ],
      ['a', 'b', 'c', 'd', 'e', 'f'],
    ],
    ['the last run first', [['x'], ['m'], ['a']], ['a', 'm', 'x']],
  ])('gives the keys in their order: %s', (_, keys, expected) => {
    expect(keysOf(merged(runsOf(...keys), 2))).toEqual(expected);
  });

  it('joins the versions of a key that several runs have, oldest first, also where a part would end', () => {
    const runs = runsOf(['k', 'a'], ['b', 'k'], ['k'], ['z', 'k']);
    for (const partKeys of [1, 2, 3, 4, 100]) {
      const parts = merged(runs, partKeys);
      expect(keysOf(parts)).toEqual(['a', 'b', 'k', 'z']);
      const found = parts.flatMap(({ entries }) => entries)[2];
      // Runs: k is row 1, row 4, row 5, row 7. Older versions are pairs of revision and row.
      expect(found).toMatchObject({ row: 7, modRevision: 7, older: [1, 1, 4, 4, 5, 5] });
    }
  });

  it('gives parts of the size that was asked for', () => {
    const runs = runsOf(['a', 'c', 'e', 'g'], ['b', 'd', 'f']);
    expect(merged(runs, 3).map(({ keys }) => keys)).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
  });

  it('gives what one big map gives, for runs of any keys', () => {
    const rng = seededRng(20261126);
    const below = (end: number) => rng.nextUint32() % end;
    for (let round = 0; round < 200; round++) {
      const keys = Array.from({ length: below(41) }, () =>
        Array.from({ length: below(21) }, () => `key-${String(below(61))}`),
      );
      const runs = runsOf(...keys);
      const newest = new Map(runs.flatMap((run) => run.keys.map((key, at) => [key, run.entries[at]?.row] as const)));
      const parts = merged(runs, 1 + below(50));
      const found = parts.flatMap((part) => part.keys.map((key, at) => [key, part.entries[at]?.row] as const));
      expect(found).toEqual([...newest].sort(([a], [b]) => (a < b ? -1 : 1)));
    }
  });
});
