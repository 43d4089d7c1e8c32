/** Sorted runs of rows, and the merge of many of them. */
import { seededRng } from '../../../src/base/rng';
import { columnsFor, type HeadColumns } from '../../../src/kv/head-columns';
import { mergedRuns, sortedRun } from '../../../src/kv/key-runs';
import { keysAndRows, putsOf } from '../../support/head-columns';

/** Runs of these keys; rows ascend from run to run, and in each in the order given. */
function runsOf(...keys: readonly (readonly string[])[]): HeadColumns[] {
  let row = 1;
  return keys.map((all) => {
    const run = sortedRun(putsOf(all, row));
    row += all.length;
    return run;
  });
}

const merged = (runs: readonly HeadColumns[], partRows: number) => [...mergedRuns(runs, partRows)];
const contentOf = (parts: readonly HeadColumns[]) => parts.flatMap(keysAndRows);
const keysOf = (parts: readonly HeadColumns[]) => contentOf(parts).map(([key]) => key);

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

  it('gives the rows of a key together, oldest first, and all in one part', () => {
    const runs = runsOf(['k', 'a', 'k'], ['b', 'k'], ['k'], ['z', 'k']);
    for (const partRows of [1, 2, 3, 4, 100]) {
      const parts = merged(runs, partRows);
      expect(contentOf(parts)).toEqual([
        ['a', 2],
        ['b', 4],
        ['k', 1],
        ['k', 3],
        ['k', 5],
        ['k', 6],
        ['k', 8],
        ['z', 7],
      ]);
      expect(parts.filter((part) => keysOf([part]).includes('k'))).toHaveLength(1);
    }
  });

  it('gives parts of the size that was asked for', () => {
    const runs = runsOf(['a', 'c', 'e', 'g'], ['b', 'd', 'f']);
    expect(merged(runs, 3).map((part) => keysOf([part]))).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
  });

  it('keeps every number of a row', () => {
    const heads = columnsFor(1, Buffer.from('k'));
    const numbers = { rows: 2 ** 53 - 1, revisions: 2 ** 52, createRevisions: 2 ** 51, versions: 2 ** 50, flags: 9 };
    for (const [name, value] of Object.entries(numbers)) heads[name as keyof typeof numbers][0] = value;
    heads.leases[0] = -(2n ** 63n);
    heads.keyEnds[0] = 1;
    const [part] = merged([sortedRun(heads)], 10);
    for (const [name, value] of Object.entries(numbers)) expect(part?.[name as keyof typeof numbers][0]).toBe(value);
    expect(part?.leases[0]).toBe(-(2n ** 63n));
  });

  it('makes room for keys longer than usual', () => {
    const keys = Array.from({ length: 20 }, (_, at) => String(at).padStart(3, '0').repeat(100));
    expect(keysOf(merged(runsOf(keys), 1))).toEqual(keys);
    expect(keysOf(merged(runsOf([...keys].reverse()), 30))).toEqual(keys);
  });

  it('gives what one sort gives, for runs of any keys', () => {
    const rng = seededRng(20261126);
    const below = (end: number) => rng.nextUint32() % end;
    for (let round = 0; round < 200; round++) {
      const keys = Array.from({ length: below(41) }, () =>
        Array.from({ length: below(21) }, () => `key-${String(below(61))}`),
      );
      const all = keys.flat().map((key, at): [string, number] => [key, at + 1]);
      all.sort(([a, aRow], [b, bRow]) => (a < b ? -1 : a > b ? 1 : aRow - bRow));
      expect(contentOf(merged(runsOf(...keys), 1 + below(50)))).toEqual(all);
    }
  });
});
