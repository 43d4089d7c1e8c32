/** Answers as bytes: those of the generated encoder, to the last one. */
import fc from 'fast-check';
import { putBytes, rangeBytes } from '../../../../src/api/etcd/answer-bytes';
import { HeaderBytes, headerOf } from '../../../../src/api/etcd/header';
import { putMessage, rangeMessage } from '../../../../src/api/etcd/kv-messages';
import { PutResponse, RangeResponse } from '../../../../src/gen/etcd/etcdserverpb/kv';
import type { KeyRecord } from '../../../../src/kv/result';

const anyNumber = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(0x7f, 0x80, 0x3fff, 0x4000, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 35 - 1, 2 ** 35),
  fc.maxSafeInteger().map((number) => Math.max(1, Math.abs(number))),
);
const anyBytes = (min: number) =>
  fc.oneof(
    fc.uint8Array({ minLength: min, maxLength: 20 }),
    fc.constantFrom(0x7f, 0x80, 0x3fff, 0x4000).map((length) => Buffer.alloc(length, 'v')),
  );
const anyRecord: fc.Arbitrary<KeyRecord> = fc.record({
  key: anyBytes(1),
  value: anyBytes(0),
  form: fc.constantFrom('bytes', 'text'),
  createRevision: anyNumber,
  modRevision: anyNumber,
  version: anyNumber,
  lease: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});
const anyResult = fc.record({
  revision: anyNumber,
  records: fc.array(anyRecord, { maxLength: 8 }),
  more: fc.boolean(),
  count: fc.oneof(fc.constant(0), anyNumber),
});
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const anyFacts = fc
  .record({ clusterId: id, memberId: id, term: fc.oneof(fc.constant(0), anyNumber) })
  .map(({ term, ...ids }) => ({ ...ids, term: () => term }));

describe('rangeBytes', () => {
  it('gives what the generated encoder gives', () => {
    fc.assert(
      fc.property(anyFacts, anyResult, (facts, result) => {
        const message = { ...rangeMessage({ kind: 'range', ...result }), header: headerOf(facts, result.revision) };
        const bytes = rangeBytes(new HeaderBytes(facts), result);
        expect(bytes.equals(RangeResponse.encode(message).finish())).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('putBytes', () => {
  it('gives what the generated encoder gives', () => {
    fc.assert(
      fc.property(anyFacts, anyNumber, fc.option(anyRecord, { nil: undefined }), (facts, revision, previous) => {
        const result = { revision, createRevision: 1, version: 1, previous };
        const message = { ...putMessage({ kind: 'put', ...result }), header: headerOf(facts, revision) };
        const bytes = putBytes(new HeaderBytes(facts), result);
        expect(bytes.equals(PutResponse.encode(message).finish())).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
