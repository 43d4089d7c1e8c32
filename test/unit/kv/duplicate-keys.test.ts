import fc from 'fast-check';
import type { Operation, TxnOperation } from '../../../src/kv/command';
import { touchesKeyTwice } from '../../../src/kv/duplicate-keys';
import { rangeOfKey } from '../../../src/kv/key-range';

const put = (key: string): Operation => ({
  kind: 'put',
  key: Buffer.from(key),
  value: Buffer.from('v'),
  form: 'bytes',
  lease: 0n,
  grantTtl: 0,
  keepValue: false,
  keepLease: false,
  returnPrevious: false,
});

const remove = (start: string, end?: string): Operation => ({
  kind: 'delete',
  range: end === undefined ? rangeOfKey(Buffer.from(start)) : { start: Buffer.from(start), end: Buffer.from(end) },
  returnPrevious: false,
});

const removeFrom = (start: string): Operation => ({
  kind: 'delete',
  range: { start: Buffer.from(start), end: undefined },
  returnPrevious: false,
});

const txn = (success: Operation[], failure: Operation[] = []): TxnOperation => ({
  kind: 'txn',
  compares: [],
  success,
  failure,
});

describe('the rule against touching a key twice', () => {
  it.each([
    ['two puts of a key', txn([put('a'), put('a')]), true],
    ['puts of two keys', txn([put('a'), put('b')]), false],
    ['the same put in both branches', txn([put('a')], [put('a')]), false],
    ['a break in the branch that is not taken', txn([], [put('a'), put('a')]), true],
    ['a put before a delete of its key', txn([put('a'), remove('a')]), true],
    ['a put after a delete of its range', txn([remove('a', 'c'), put('b')]), true],
    ['a put at the end of a deleted range', txn([remove('a', 'b'), put('b')]), false],
    ['a put in a range whose end is before its start', txn([remove('c', 'a'), put('b')]), false],
    ['deletes that overlap', txn([remove('a', 'c'), remove('b', 'd'), remove('b')]), false],
    [
      'a put in the second of two deleted ranges that overlap',
      txn([remove('a', 'c'), remove('b', 'f'), put('e')]),
      true,
    ],
    ['a put and a delete to the last key, as in etcd', txn([removeFrom('a'), put('b')]), false],
    ['a put beside a nested put of its key', txn([put('a'), txn([put('a')])]), true],
    ['both branches of a nested transaction put a key', txn([txn([put('a')], [put('a')])]), false],
    ['two nested transactions put a key', txn([txn([put('a')]), txn([], [put('a')])]), true],
    ['a nested put that the parent deletes', txn([remove('a', 'c'), txn([], [put('b')])]), true],
    ['a put that a nested transaction deletes', txn([put('b'), txn([remove('a', 'c')])]), true],
    ['a nested put after a nested delete of its key', txn([txn([remove('a')]), txn([put('a')])]), true],
    ['a nested put before a nested delete of its key, as in etcd', txn([txn([put('a')]), txn([remove('a')])]), false],
  ] as const)('%s', (_, transaction, expected) => {
    expect(touchesKeyTwice(transaction)).toBe(expected);
  });

  it('joins deleted ranges so that it finds exactly the keys in one of them', () => {
    const key = fc.stringMatching(/^[a-e]{1,2}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(key, key), { maxLength: 8 }), key, (ranges, wanted) => {
        const deletes = ranges.map(([start, end]) => remove(start, end));
        const covered = ranges.some(([start, end]) => start <= wanted && wanted < end);
        expect(touchesKeyTwice(txn([...deletes, put(wanted)]))).toBe(covered);
      }),
      { numRuns: 500 },
    );
  });

  it('takes little time for as many operations as a request can hold', () => {
    const many = Array.from({ length: 100_000 }, (_, n) => (n % 2 === 0 ? put(`p${n}`) : remove(`d${n}`, `d${n}x`)));
    const startedAt = performance.now();
    expect(touchesKeyTwice(txn(many))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
