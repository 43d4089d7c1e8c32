import { etcdLimits } from '../../../../src/api/etcd/limits';
import { checkTxn, readOnlyKind, txnOperation } from '../../../../src/api/etcd/txn-requests';
import {
  Compare,
  PutRequest,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from '../../../../src/gen/etcd/etcdserverpb/kv';

const none = Buffer.alloc(0);
const key = Buffer.from('k');
const limit = etcdLimits.maxTxnOperations;

const txn = (more: Partial<TxnRequest> = {}): TxnRequest => ({ ...TxnRequest.decode(none), ...more });
const nested = (value: TxnRequest): RequestOp => ({ request: { $case: 'requestTxn', value } });
const put = (more: Partial<PutRequest> = {}): RequestOp => ({
  request: { $case: 'requestPut', value: { ...PutRequest.decode(none), key, ...more } },
});
const range = (more: Partial<RangeRequest> = {}): RequestOp => ({
  request: { $case: 'requestRange', value: { ...RangeRequest.decode(none), key, ...more } },
});
const compare = (more: Partial<Compare> = {}): Compare => ({ ...Compare.decode(none), key, ...more });

/** Transactions in transactions, so many deep. */
const deep = (depth: number): TxnRequest => txn(depth === 0 ? {} : { success: [nested(deep(depth - 1))] });

describe('the checks of a transaction', () => {
  it('bound each list by itself', () => {
    const many = Array<RequestOp>(limit).fill(range());
    expect(() =>
      checkTxn(txn({ success: many, failure: many, compare: Array<Compare>(limit).fill(compare()) }), limit),
    ).not.toThrow();
    for (const more of [{ success: [...many, range()] }, { failure: [...many, range()] }]) {
      expect(() => checkTxn(txn(more), limit)).toThrow('etcdserver: too many operations in txn request');
    }
    const compares = Array<Compare>(limit + 1).fill(compare());
    expect(() => checkTxn(txn({ compare: compares }), limit)).toThrow('too many operations');
  });

  it('leave a nested transaction what its parents have not used, so that nesting ends', () => {
    const half = Array<RequestOp>(limit / 2).fill(range());
    const parent = (child: RequestOp[]) => txn({ success: [...half.slice(1), nested(txn({ failure: child }))] });
    expect(() => checkTxn(parent(half), limit)).not.toThrow();
    expect(() => checkTxn(parent([...half, range()]), limit)).toThrow('too many operations');
    expect(() => checkTxn(deep(limit), limit)).not.toThrow();
    expect(() => checkTxn(deep(limit + 1), limit)).toThrow('too many operations');
  });

  it('look at every operation of both branches, however deep', () => {
    const bad = put({ key: none });
    for (const more of [{ success: [bad] }, { failure: [bad] }, { success: [nested(txn({ failure: [bad] }))] }]) {
      expect(() => checkTxn(txn(more), limit)).toThrow('etcdserver: key is not provided');
    }
  });

  it('look at the comparisons before the operations', () => {
    const request = txn({ compare: [compare({ key: none })], success: [{ request: undefined }] });
    expect(() => checkTxn(request, limit)).toThrow('etcdserver: key is not provided');
  });

  it('tell of an operation that is none as etcd does', () => {
    expect(() => checkTxn(txn({ success: [{ request: undefined }] }), limit)).toThrow('etcdserver: key not found');
  });
});

describe('a transaction as an operation', () => {
  it('keeps its order and its nesting', () => {
    const request = txn({
      compare: [compare()],
      success: [put(), nested(txn({ failure: [range()] }))],
      failure: [range()],
    });
    expect(txnOperation(request)).toMatchObject({
      kind: 'txn',
      compares: [{ operator: 'equal', target: { kind: 'version', number: 0 } }],
      success: [{ kind: 'put' }, { kind: 'txn', success: [], failure: [{ kind: 'range' }] }],
      failure: [{ kind: 'range' }],
    });
  });
});

describe('a range within a transaction', () => {
  it.each([
    ['of the newest revision', 0n, 0],
    ['of some revision', 7n, 7],
    ['of a negative one is below all, unlike a range of its own', -3n, -1],
  ])('%s', (_, revision, expected) => {
    const { success } = txnOperation(txn({ success: [range({ revision })] }));
    expect(success).toMatchObject([{ kind: 'range', revision: expected }]);
  });
});

describe('a transaction that only reads', () => {
  it.each([
    ['an empty one is answered from here', txn(), 'serializable'],
    ['so is one whose reads all may be old', txn({ success: [range({ serializable: true })] }), 'serializable'],
    [
      'one read that may not is enough',
      txn({ success: [range({ serializable: true })], failure: [range()] }),
      'linearizable',
    ],
    ['a put goes through the log', txn({ success: [range()], failure: [put()] }), undefined],
    ['a nested one does, too', txn({ success: [nested(txn())] }), undefined],
  ] as const)('%s', (_, request, expected) => {
    expect(readOnlyKind(request)).toBe(expected);
  });
});
