import fc from 'fast-check';
import { keyRangeOf } from '../../../../src/api/etcd/key-range';
import {
  checkDelete,
  checkPut,
  checkRange,
  comparison,
  deleteOperation,
  putOperation,
  rangeOperation,
  storeNumber,
} from '../../../../src/api/etcd/kv-requests';
import { Compare, DeleteRangeRequest, PutRequest, RangeRequest } from '../../../../src/gen/etcd/etcdserverpb/kv';
import { encodeCommand } from '../../../../src/kv/command-codec';

const none = Buffer.alloc(0);
const zero = Buffer.of(0);
const key = Buffer.from('k');

const rangeRequest = (more: Partial<RangeRequest> = {}) => ({ ...RangeRequest.decode(none), key, ...more });
const putRequest = (more: Partial<PutRequest> = {}) => ({ ...PutRequest.decode(none), key, ...more });
const deleteRequest = (more: Partial<DeleteRangeRequest> = {}) => ({
  ...DeleteRangeRequest.decode(none),
  key,
  ...more,
});
const compare = (more: Partial<Compare>) => ({ ...Compare.decode(none), key, ...more });

describe('keys as etcd addresses them', () => {
  it.each([
    ['one key', none, { start: key, end: Buffer.of(...key, 0) }],
    ['all from a key on', zero, { start: key, end: undefined }],
    ['a range', Buffer.from('m'), { start: key, end: Buffer.from('m') }],
    ['an end before the key', Buffer.from('a'), { start: key, end: Buffer.from('a') }],
    ['an end that only begins with a zero byte', Buffer.of(0, 0), { start: key, end: Buffer.of(0, 0) }],
  ])('%s', (_, rangeEnd, expected) => {
    const { start, end } = keyRangeOf(key, rangeEnd);
    expect([Buffer.from(start), end && Buffer.from(end)]).toEqual([expected.start, expected.end]);
  });
});

describe('the checks of a request', () => {
  it('want a key', () => {
    for (const check of [
      () => checkRange(rangeRequest({ key: none })),
      () => checkPut(putRequest({ key: none, ignoreValue: true, value: key })),
      () => checkDelete(deleteRequest({ key: none, rangeEnd: zero })),
    ]) {
      expect(check).toThrow('etcdserver: key is not provided');
    }
  });

  it('want an order that is known', () => {
    for (const order of [
      { sortOrder: 3 },
      { sortTarget: 5 },
      { sortOrder: -1 },
    ] as unknown as Partial<RangeRequest>[]) {
      expect(() => checkRange(rangeRequest(order))).toThrow('etcdserver: invalid sort option');
    }
    expect(() => checkRange(rangeRequest({ sortOrder: 2, sortTarget: 4 }))).not.toThrow();
  });

  it('want no value, and no lease, where the old one stays', () => {
    expect(() => checkPut(putRequest({ ignoreValue: true, value: key, ignoreLease: true, lease: 1n }))).toThrow(
      'etcdserver: value is provided',
    );
    expect(() => checkPut(putRequest({ ignoreLease: true, lease: 1n }))).toThrow('etcdserver: lease is provided');
    expect(() => checkPut(putRequest({ ignoreLease: true, ignoreValue: true }))).not.toThrow();
  });
});

describe('requests as operations', () => {
  it('keep what was asked for', () => {
    expect(
      rangeOperation(
        rangeRequest({
          rangeEnd: zero,
          limit: 3n,
          revision: 9n,
          sortOrder: 2,
          sortTarget: 3,
          keysOnly: true,
          maxModRevision: 8n,
        }),
      ),
    ).toEqual({
      kind: 'range',
      range: { start: key, end: undefined },
      revision: 9,
      limit: 3,
      sortTarget: 'mod',
      sortOrder: 'descend',
      keysOnly: true,
      countOnly: false,
      minModRevision: 0,
      maxModRevision: 8,
      minCreateRevision: 0,
      maxCreateRevision: 0,
    });
    expect(putOperation(putRequest({ value: key, lease: -5n, prevKv: true, ignoreLease: true }))).toMatchObject({
      form: 'bytes',
      lease: -5n,
      grantTtl: 0,
      keepValue: false,
      keepLease: true,
      returnPrevious: true,
    });
    expect(deleteOperation(deleteRequest({ prevKv: true })).returnPrevious).toBe(true);
  });

  it('take what is below 0 as etcd does: no limit, the newest, a lower bound below all, an upper bound that keeps nothing', () => {
    const negative = { limit: -1n, revision: -7n, minModRevision: -1n, minCreateRevision: -1n };
    expect(rangeOperation(rangeRequest({ ...negative, maxModRevision: -3n, maxCreateRevision: -3n }))).toMatchObject({
      limit: 0,
      revision: 0,
      minModRevision: -1,
      minCreateRevision: -1,
      maxModRevision: -1,
      maxCreateRevision: -1,
    });
  });

  it('can be written to the log whatever their numbers are', () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        fc.array(int64, { minLength: 6, maxLength: 6 }),
        ([a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n]) => {
          const bounds = { minModRevision: c, maxModRevision: d, minCreateRevision: e, maxCreateRevision: f };
          const range = rangeOperation(rangeRequest({ limit: a, revision: b, ...bounds }));
          const compares = [comparison(compare({ target: 2, targetUnion: { $case: 'modRevision', value: a } }))];
          const command = { kind: 'txn' as const, compares, success: [range], failure: [] };
          expect(() => encodeCommand({ requestId: undefined, command })).not.toThrow();
        },
      ),
    );
  });

  it('compare numbers beyond any of the store like the greatest or the least there is', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        (given, stored) => {
          expect(Math.sign(stored - storeNumber(given))).toBe(
            BigInt(stored) < given ? -1 : BigInt(stored) > given ? 1 : 0,
          );
        },
      ),
    );
  });

  it('compare with 0 or nothing when the value is missing, or is of another kind than the target', () => {
    expect(comparison(compare({ target: 0, targetUnion: { $case: 'value', value: key } })).target).toEqual({
      kind: 'version',
      number: 0,
    });
    expect(comparison(compare({ target: 4 })).target).toEqual({ kind: 'lease', lease: 0n });
    expect(comparison(compare({ target: 3 })).target).toEqual({ kind: 'value', value: new Uint8Array() });
  });

  it('refuse comparisons that are not known, which etcd takes for true', () => {
    const unknown = [{ result: 4 }, { target: 5 }] as unknown as Partial<Compare>[];
    for (const more of unknown) expect(() => comparison(compare(more))).toThrow(/is not known/);
  });
});
