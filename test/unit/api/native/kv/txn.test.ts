/** Transactions: conditions, operations, results, bounds. */
import { txn, txnMutation } from '../../../../../src/api/native/kv/txn';
import { txnLimits } from '../../../../../src/api/native/kv/txn-operations';
import { Compare_Operator, type Operation, type TxnRequest } from '../../../../../src/gen/quorate/v1/kv';
import { compare, operation, putOperation, txnRequest } from '../../../../support/kv-requests';
import { NativeBench, requestId } from '../../../../support/native-bench';

let bench: NativeBench;
beforeEach(() => (bench = new NativeBench()));
afterEach(() => bench.close());

const run = async (parts: Partial<TxnRequest>) => txn(bench, txnRequest(parts), bench.call);
const get = (key: string) => operation({ $case: 'get', value: { key } });
const del = (key: string) => operation({ $case: 'delete', value: { key, returnPrevious: true } });
const nested = (parts: Partial<TxnRequest>) => {
  const { compares, success, failure } = txnRequest(parts);
  return operation({ $case: 'txn', value: { compares, success, failure } });
};

describe('Txn', () => {
  it('does all operations at one revision, and tells each result under its name (T1)', async () => {
    const success: Operation[] = [
      putOperation('a', '1'),
      putOperation('b', '2'),
      get('a'),
      operation({
        $case: 'list',
        value: { selection: undefined, limit: 1, keysOnly: true, countOnly: false },
      }),
      del('c'),
      operation({ $case: 'deleteRange', value: { selection: { $case: 'prefix', value: 'z' } } }),
    ];
    const { succeeded, revision, results } = await run({ success });
    expect({ succeeded, revision }).toEqual({ succeeded: true, revision: 2 });
    expect(results.map(({ result }) => result?.$case)).toEqual(['put', 'put', 'get', 'list', 'delete', 'deleteRange']);
    expect(results[1]?.result?.value).toMatchObject({ createRevision: 2, version: 1 });
    expect(results[2]?.result?.value).toMatchObject({ found: true, kv: { key: 'a', value: { value: '1' } } });
    expect(results[3]?.result?.value).toMatchObject({ kvs: [{ key: 'a', value: undefined }], more: true, count: 2 });
    expect(results[4]?.result?.value).toMatchObject({ deleted: false });
    expect(results[5]?.result?.value).toEqual({ deleted: 0 });
  });

  it('does the second list when a condition does not hold', async () => {
    const absent = compare('a', { $case: 'version', value: 0n });
    const parts = { compares: [absent], success: [putOperation('a', '1')], failure: [get('a')] };
    expect(await run(parts)).toMatchObject({ succeeded: true, revision: 2 });
    expect(await run(parts)).toMatchObject({
      succeeded: false,
      revision: 2,
      results: [{ result: { $case: 'get', value: { found: true } } }],
    });
  });

  it.each([
    ['version', { $case: 'version', value: 2n }, Compare_Operator.LESS],
    ['create_revision', { $case: 'createRevision', value: 2n }, Compare_Operator.EQUAL],
    ['mod_revision', { $case: 'modRevision', value: 1n }, Compare_Operator.GREATER],
    ['text', { $case: 'text', value: '1' }, Compare_Operator.UNSPECIFIED],
    ['data', { $case: 'data', value: Buffer.from('2') }, Compare_Operator.NOT_EQUAL],
    ['lease_id', { $case: 'leaseId', value: 0n }, Compare_Operator.EQUAL],
  ] as const)('compares by %s', async (_, target, operator) => {
    await run({ success: [putOperation('a', '1')] });
    expect(await run({ compares: [compare('a', target, operator)] })).toMatchObject({ succeeded: true });
  });

  it('compares every key of a prefix or a range', async () => {
    await run({ success: [putOperation('a/1', 'x'), putOperation('a/2', 'y')] });
    const target = { $case: 'text', value: 'x' } as const;
    const operator = Compare_Operator.EQUAL;
    const prefix = { selection: { $case: 'prefix', value: 'a/' } as const, operator, target };
    const range = { selection: { $case: 'range', value: { start: 'a/1', end: 'a/2' } } as const, operator, target };
    expect(await run({ compares: [prefix] })).toMatchObject({ succeeded: false });
    expect(await run({ compares: [range] })).toMatchObject({ succeeded: true });
  });

  it('nests (T4)', async () => {
    const inner = nested({ success: [putOperation('b', '1'), get('a')] });
    const { results, revision } = await run({ success: [putOperation('a', '1'), inner] });
    expect(revision).toBe(2);
    expect(results[1]?.result).toMatchObject({
      $case: 'txn',
      value: { succeeded: true, results: [{ result: { $case: 'put' } }, { result: { value: { found: true } } }] },
    });
  });

  it('is a read, without an entry in the log, when it only reads and nothing of it is to be remembered', async () => {
    await run({ success: [putOperation('a', '1')] });
    const reads = { success: [get('a'), nested({ failure: [get('a')] })] };
    expect(await run(reads)).toMatchObject({ succeeded: true, revision: 2, replayed: false });
    expect(bench.store.commands).toHaveLength(1);
    expect(bench.store.barriers).toBe(1);
    await run({ ...reads, requestId: requestId() });
    expect(bench.store.commands).toHaveLength(2);
  });

  it('is done once for a request id, with leases and all (X1)', async () => {
    const expiry = { $case: 'ttl', value: { seconds: 9n, nanos: 0 } } as const;
    const value = { $case: 'text', value: 'v' } as const;
    const put = (key: string) => operation({ $case: 'put', value: { key, value, expiry, returnPrevious: false } });
    const parts = { success: [put('a'), put('b')], requestId: requestId() };
    const first = await run(parts);
    expect(await run(parts)).toEqual({ ...first, replayed: true });
    expect(bench.reader.leaseCount).toBe(2);
  });

  it.each([
    ['a key that is put twice', { success: [putOperation('a', '1'), putOperation('a', '2')] }, 'operations'],
    ['a key that is put and removed', { success: [putOperation('a', '1'), del('a')] }, 'operations'],
    ['an empty operation', { failure: [{ operation: undefined }] }, 'operation'],
    ['an empty key', { success: [get('')] }, 'key'],
    [
      'a removal of whatever',
      { success: [operation({ $case: 'deleteRange', value: { selection: undefined } })] },
      'selection',
    ],
    ['a condition on nothing', { compares: [{ ...compare('a', undefined), selection: undefined }] }, 'selection'],
    ['a condition without a target', { compares: [compare('a', undefined)] }, 'target'],
    ['an unknown operator', { compares: [compare('a', { $case: 'version', value: 1n }, 9 as 0)] }, 'operator'],
    [
      'a number beyond all revisions',
      { compares: [compare('a', { $case: 'modRevision', value: 2n ** 60n })] },
      'mod_revision',
    ],
  ])('refuses %s', async (_, parts, field) => {
    await expect(run(parts)).rejects.toMatchObject({ code: 'invalid-argument', details: { field } });
    expect(bench.store.commands).toEqual([]);
  });

  it('bounds operations and conditions, nested ones counted, and how deep it nests', () => {
    const check = (parts: Partial<TxnRequest>) => txnMutation(txnRequest(parts), bench);
    const gets = (count: number) => Array.from({ length: count }, () => get('a'));
    check({ success: [...gets(txnLimits.operations - 2), nested({ success: gets(1) })] });
    expect(() => check({ success: [...gets(txnLimits.operations - 1), nested({ success: gets(1) })] })).toThrow(
      'operations are too many',
    );
    const compares = Array.from({ length: txnLimits.compares + 1 }, () =>
      compare('a', { $case: 'version', value: 0n }),
    );
    expect(() => check({ compares })).toThrow('compares are too many');
    const deep = (depth: number): Partial<TxnRequest> => ({ success: depth > 1 ? [nested(deep(depth - 1))] : [] });
    check(deep(txnLimits.depth));
    expect(() => check(deep(txnLimits.depth + 1))).toThrow('nested too deep');
  });
});
