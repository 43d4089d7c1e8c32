/** The mutations of a Write stream: each with its own result or error. */
import { ErrorInfo } from '../../../../../src/gen/google/rpc/error_details';
import type { Mutation, MutationResult } from '../../../../../src/gen/quorate/v1/kv';
import { beginMutations } from '../../../../../src/api/native/kv/write';
import { writeBounds } from '../../../../../src/api/native/kv/write-session';
import { required } from '../../../../../src/base/assert';
import { QuorateError } from '../../../../../src/base/error';
import {
  deleteRangeRequest,
  deleteRequest,
  putOperation,
  putRequest,
  txnRequest,
} from '../../../../support/kv-requests';
import { benchLimits, NativeBench, requestId } from '../../../../support/native-bench';

let bench: NativeBench;
beforeEach(() => (bench = new NativeBench()));
afterEach(() => bench.close());

type Body = Mutation['mutation'];

const put = (parts: Parameters<typeof putRequest>[0]): Body => ({ $case: 'put', value: putRequest(parts) });
const beginAll = (...bodies: Body[]) => [
  ...beginMutations(
    bench,
    bench.calls,
    bodies.map((mutation, id) => ({ id, mutation })),
  ),
];
const begin = (mutation: Body) => required(beginAll(mutation)[0], 'a mutation is begun');
const resultsOf = async (...bodies: Body[]) =>
  (await Promise.all(beginAll(...bodies).map(({ results }) => results))).flat();
const resultOf = async (mutation: Body) => required((await resultsOf(mutation))[0], 'a mutation has a result');

/** Reason and outcome of an error. */
function errorOf({ result }: MutationResult): { reason: string; outcome: string | undefined } {
  if (result?.$case !== 'error') throw new Error('it should have failed');
  const info = ErrorInfo.decode(result.value.details[0]?.value ?? Buffer.alloc(0));
  return { reason: info.reason, outcome: info.metadata.outcome };
}

describe('a mutation of a Write stream', () => {
  it('is answered as the call of its name, under its id', async () => {
    const bodies: Body[] = [
      put({ key: 'a' }),
      { $case: 'txn', value: txnRequest({ success: [putOperation('b', '1')] }) },
      { $case: 'delete', value: deleteRequest({ key: 'a' }) },
      { $case: 'deleteRange', value: deleteRangeRequest({ selection: { $case: 'prefix', value: 'b' } }) },
    ];
    expect(await resultsOf(...bodies)).toMatchObject([
      { id: 0, result: { $case: 'put', value: { revision: 2 } } },
      { id: 1, result: { $case: 'txn', value: { revision: 3, succeeded: true } } },
      { id: 2, result: { $case: 'delete', value: { revision: 4, deleted: true } } },
      { id: 3, result: { $case: 'deleteRange', value: { revision: 5, deleted: 1 } } },
    ]);
  });

  it('fails alone, with the reason and the outcome of its error', async () => {
    await resultOf(put({ value: { $case: 'text', value: '1' }, requestId: requestId() }));
    const failures: [Body, string][] = [
      [undefined, 'INVALID_ARGUMENT'],
      [put({ key: '' }), 'INVALID_ARGUMENT'],
      [put({ ifAbsent: true }), 'PRECONDITION_FAILED'],
      [put({ expiry: { $case: 'leaseId', value: 5n } }), 'NOT_FOUND'],
      [put({ requestId: requestId() }), 'REQUEST_MISMATCH'],
    ];
    for (const [body, reason] of failures) {
      expect(errorOf(await resultOf(body))).toEqual({ reason, outcome: 'not-done' });
    }
    expect(bench.reader.revision).toBe(2);
  });

  it('fails alone also among others, which travel in one entry', async () => {
    const results = await resultsOf(
      put({ key: 'a', requestId: requestId(1) }),
      put({ key: '' }),
      put({ key: 'a', ifAbsent: true }),
      put({ key: 'a', requestId: requestId(1) }),
      put({ key: 'b' }),
    );
    expect(results).toMatchObject([
      { id: 0, result: { $case: 'put', value: { revision: 2, replayed: false } } },
      { id: 1, result: { $case: 'error' } },
      { id: 2, result: { $case: 'error' } },
      { id: 3, result: { $case: 'put', value: { revision: 2, replayed: true } } },
      { id: 4, result: { $case: 'put', value: { revision: 3 } } },
    ]);
    expect(bench.reader.appliedIndex).toBe(1);
  });

  it('fails with all that travel along, but for those that were refused before', async () => {
    bench.store.behaviour = () =>
      Promise.reject(new QuorateError('outcome-unknown', 'who knows', { outcome: 'unknown' }));
    const results = await resultsOf(put({ key: 'a' }), put({ key: '' }), put({ key: 'b' }));
    expect(results.map(errorOf).map(({ outcome }) => outcome)).toEqual(['unknown', 'not-done', 'unknown']);
    expect(results.map(({ id }) => id)).toEqual([0, 1, 2]);
  });

  it('begins a new batch once one holds many bytes', async () => {
    const body = put({ key: 'a', value: { $case: 'text', value: 'x'.repeat(900) } });
    const count = Math.ceil(writeBounds.maxBatchBytes / 900) + 1;
    const batches = beginAll(...Array.from({ length: count }, () => body));
    expect(batches.length).toBe(2);
    expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(count);
    await Promise.all(batches.map(({ results }) => results));
    expect(bench.reader.appliedIndex).toBe(2);
  });

  it('tells when its outcome is unknown', async () => {
    const error = new QuorateError('outcome-unknown', 'who knows', { outcome: 'unknown' });
    bench.store.behaviour = () => Promise.reject(error);
    expect(errorOf(await resultOf(put({})))).toEqual({ reason: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('gets the time of a call without a deadline', async () => {
    await resultOf(put({}));
    expect(bench.store.deadlines).toEqual([benchLimits.requestTimeoutMs]);
  });

  it('is charged for its command, and for values that it may return', () => {
    const plain = begin(put({ value: { $case: 'text', value: 'x'.repeat(500) } })).bytes;
    expect(plain).toBeGreaterThan(500);
    expect(plain).toBeLessThan(600);
    expect(begin(put({ returnPrevious: true })).bytes).toBeGreaterThan(benchLimits.maxValueBytes);
    expect(begin(put({ ifAbsent: true })).bytes).toBeLessThan(100);
    const read = txnRequest({ success: [{ operation: { $case: 'get', value: { key: 'a' } } }] });
    expect(begin({ $case: 'txn', value: read }).bytes).toBeGreaterThan(benchLimits.maxValueBytes);
  });
});
