import { onlyReads, op, TxnBuilder, when, type Transaction } from '../../../src/client/txn';
import { fromTxnResponse, toTxnRequest } from '../../../src/client/txn-convert';
import { footprintOf } from '../../../src/client/write-stream';
import { Compare_Operator, type TxnRequest } from '../../../src/gen/quorate/v1/kv';

const everything = { kind: 'all' } as const;

async function sent(build: (txn: TxnBuilder) => TxnBuilder): Promise<TxnRequest> {
  let transaction: Transaction | undefined;
  const builder = new TxnBuilder(async (made) => {
    transaction = made;
    return { succeeded: true, results: [], revision: 1, replayed: false };
  });
  await build(builder).commit();
  if (transaction === undefined) throw new Error('the builder commits');
  return toTxnRequest(transaction, 'id');
}

describe('a transaction', () => {
  it('is put together from conditions and two lists', async () => {
    const request = await sent((txn) => txn.if(when.absent('a')).do(op.put('a', '1')).else(op.get('a')));
    expect(request).toEqual({
      compares: [
        {
          selection: { $case: 'key', value: 'a' },
          operator: Compare_Operator.EQUAL,
          target: { $case: 'version', value: 0n },
        },
      ],
      success: [
        {
          operation: {
            $case: 'put',
            value: { key: 'a', value: { $case: 'text', value: '1' }, expiry: undefined, returnPrevious: false },
          },
        },
      ],
      failure: [{ operation: { $case: 'get', value: { key: 'a' } } }],
      requestId: 'id',
    });
  });

  it('compares each property of a key or of all keys of a selection', async () => {
    const { compares } = await sent((txn) =>
      txn.if(
        when.exists('a'),
        when.version('a', '!=', 3),
        when.createRevision({ kind: 'prefix', prefix: 'l/' }, '<', 4),
        when.modRevision({ kind: 'range', start: 'a', end: 'b' }, '>', 5),
        when.value('a', '=', new Uint8Array([1])),
        when.lease(everything, '=', 7n),
      ),
    );
    expect(compares.map(({ selection, target }) => [selection?.$case, target?.$case])).toEqual([
      ['key', 'version'],
      ['key', 'version'],
      ['prefix', 'createRevision'],
      ['range', 'modRevision'],
      ['key', 'data'],
      // All keys begin with nothing.
      ['prefix', 'leaseId'],
    ]);
    expect(compares[1]?.operator).toBe(Compare_Operator.NOT_EQUAL);
  });

  it('deletes all keys only when it is told so: as a range without bounds', async () => {
    const { success } = await sent((txn) => txn.do(op.deleteRange(everything)));
    const selection = { $case: 'range', value: { start: '', end: '' } };
    expect(success).toEqual([{ operation: { $case: 'deleteRange', value: { selection } } }]);
  });

  it('knows whether it can change anything, however deep', () => {
    const reading: Transaction = { conditions: [], success: [op.get('a'), op.list(everything)], failure: [] };
    expect(onlyReads({ ...reading, failure: [op.txn(reading)] })).toBe(true);
    const writing: Transaction = { ...reading, failure: [op.delete('a')] };
    expect(onlyReads({ ...reading, success: [op.txn(writing)] })).toBe(false);
  });

  it('knows which keys it touches, unless it speaks of many', () => {
    const named: Transaction = {
      conditions: [when.exists('a')],
      success: [op.put('b', ''), op.txn({ success: [op.get('c'), op.delete('a')] })],
      failure: [],
    };
    expect(footprintOf(named)).toEqual(['a', 'b', 'c']);
    expect(footprintOf({ ...named, conditions: [when.version(everything, '=', 1)] })).toBe('unknown');
    expect(footprintOf({ ...named, failure: [op.list(everything)] })).toBe('unknown');
  });

  it('answers with a result for each operation', () => {
    const answer = fromTxnResponse({
      succeeded: true,
      results: [
        {
          result: { $case: 'put', value: { createRevision: 2, version: 1, previous: undefined, leaseId: 9n } },
        },
        { result: { $case: 'get', value: { found: false, kv: undefined } } },
        { result: { $case: 'list', value: { kvs: [], more: false, count: 4 } } },
        { result: { $case: 'deleteRange', value: { deleted: 2 } } },
        { result: { $case: 'txn', value: { succeeded: false, results: [] } } },
      ],
      revision: 7,
      replayed: true,
    });
    expect(answer).toMatchObject({ succeeded: true, revision: 7, replayed: true });
    expect(answer.results).toEqual([
      { kind: 'put', createRevision: 2, version: 1, previous: undefined, leaseId: 9n },
      { kind: 'get', kv: undefined },
      { kind: 'list', kvs: [], more: false, count: 4 },
      { kind: 'delete-range', deleted: 2 },
      { kind: 'txn', succeeded: false, results: [] },
    ]);
  });
});
