/** Requests that have to be refused, each with its own words. */
import { between } from '../../../src/base/rng';
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from '../../../src/gen/etcd/etcdserverpb/kv';
import { LeaseGrantRequest, LeaseRevokeRequest } from '../../../src/gen/etcd/etcdserverpb/lease';
import { HashKVRequest } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import { pick, several, someExtreme, someLease, weighted, type World } from './chance';
import { none, someKey, someRange, someValue } from './requests';
import { type Call, request } from './step';
import { someCompare, someTxn } from './transactions';

const key = (text: string): Buffer => Buffer.from(text);
const put = (to: Buffer): RequestOp => ({
  request: { $case: 'requestPut', value: request(PutRequest, { key: to, value: key('v') }) },
});
const remove = (from: Buffer, rangeEnd: Buffer): RequestOp => ({
  request: { $case: 'requestDeleteRange', value: request(DeleteRangeRequest, { key: from, rangeEnd }) },
});
const txn = (fields: Partial<TxnRequest>): Call => ({
  kind: 'call',
  method: 'txn',
  request: request(TxnRequest, fields),
});
const nested = (fields: Partial<TxnRequest>): RequestOp => ({
  request: { $case: 'requestTxn', value: request(TxnRequest, fields) },
});
const manyPuts = (count: number, prefix: string): RequestOp[] =>
  Array.from({ length: count }, (_, at) => put(key(`${prefix}${at}`)));

/** One mistake. Most change nothing even if they are taken for right. */
export function someMistake(world: World): Call {
  return weighted<() => Call>(world, [
    [3, () => emptyKey(world)],
    [3, () => keptAndGiven(world)],
    [3, () => givenTwice(world)],
    [1, () => tooMany(world)],
    [3, () => badLease(world)],
    [3, () => badRevision(world)],
    [1, () => emptyKeyWithin(world)],
  ])();
}

function emptyKey(world: World): Call {
  const { rangeEnd } = someRange(world);
  return pick<Call>(world, [
    { kind: 'call', method: 'range', request: request(RangeRequest, { rangeEnd }) },
    { kind: 'call', method: 'put', request: request(PutRequest, { value: someValue(world) }) },
    { kind: 'call', method: 'deleteRange', request: request(DeleteRangeRequest, { rangeEnd }) },
  ]);
}

function emptyKeyWithin(world: World): Call {
  return pick(world, [
    txn({ compare: [{ ...someCompare(world), key: none }] }),
    txn({ failure: [put(none)] }),
    txn({ success: [remove(none, none)] }),
    txn({ success: [{ request: { $case: 'requestRange', value: request(RangeRequest, {}) } }] }),
    txn({ success: [nested({ success: [put(none)] })] }),
    txn({ success: [{ request: undefined }] }),
  ]);
}

function keptAndGiven(world: World): Call {
  const fields = pick<Partial<PutRequest>>(world, [
    { ignoreValue: true, value: key('given') },
    { ignoreLease: true, lease: someLease(world) },
    { ignoreValue: true },
    { ignoreLease: true, value: someValue(world) },
    { ignoreValue: true, ignoreLease: true },
  ]);
  const to = pick(world, [someKey(world), key('never there')]);
  return { kind: 'call', method: 'put', request: request(PutRequest, { key: to, prevKv: true, ...fields }) };
}

function givenTwice(world: World): Call {
  const twice = someKey(world);
  const { key: from, rangeEnd } = someRange(world);
  return pick(world, [
    txn({ success: [put(twice), put(twice)] }),
    txn({ failure: [put(twice), remove(from, rangeEnd)] }),
    txn({ success: [remove(from, rangeEnd), put(twice)] }),
    txn({ success: [remove(from, rangeEnd), remove(twice, none)] }),
    txn({ success: [put(twice), nested({ success: [put(twice)] })] }),
    txn({ success: [nested({ success: [put(twice)], failure: [put(twice)] })] }),
    txn({ success: [nested({ failure: [put(twice)] }), nested({ success: [remove(from, rangeEnd)] })] }),
    txn({ success: [nested({ success: [remove(from, rangeEnd)] }), put(twice)] }),
  ]);
}

function tooMany(world: World): Call {
  return pick(world, [
    txn({ success: manyPuts(129, 'many/') }),
    txn({ failure: manyPuts(129, 'many/') }),
    txn({ compare: several(world, 129, 129, () => someCompare(world)) }),
    txn({ success: [nested({ failure: manyPuts(128, 'many/') })] }),
    txn({ success: [nested({ success: manyPuts(127, 'many/') }), remove(key('many/'), key('many0'))] }),
  ]);
}

function badLease(world: World): Call {
  const id = someLease(world);
  return pick<Call>(world, [
    { kind: 'call', method: 'leaseGrant', request: request(LeaseGrantRequest, { ID: id, TTL: 5000n }) },
    { kind: 'call', method: 'leaseGrant', request: request(LeaseGrantRequest, { ID: 77n, TTL: 9_000_000_001n }) },
    { kind: 'call', method: 'leaseGrant', request: request(LeaseGrantRequest, { ID: 77n, TTL: 2n ** 63n - 1n }) },
    { kind: 'call', method: 'leaseRevoke', request: request(LeaseRevokeRequest, { ID: 10_000n + id }) },
    { kind: 'call', method: 'leaseRevoke', request: request(LeaseRevokeRequest, { ID: 0n }) },
    { kind: 'call', method: 'put', request: request(PutRequest, { key: someKey(world), lease: 10_000n + id }) },
    txn({ success: [put(someKey(world)), ...someTxn(world).success] }),
  ]);
}

function badRevision(world: World): Call {
  const { rng, revision, compactRevision } = world;
  const wrong = BigInt(
    pick<number | bigint>(world, [
      revision + between(rng, 1, 9),
      compactRevision - 1,
      compactRevision,
      0,
      -1,
      someExtreme(world),
    ]),
  );
  // A store that was never compacted takes 0, once, in etcd: as if the last compaction had been at -1.
  const isOddity = compactRevision === 0 && wrong === 0n;
  const refused = (wrong <= BigInt(compactRevision) && !isOddity) || wrong > BigInt(revision);
  // etcd 3.4 refuses to hash at the compacted revision itself, later versions do it; and below 0 it hashes nothing at all.
  const isHashable = wrong > BigInt(compactRevision) || (wrong > 0n && wrong < BigInt(compactRevision));
  return pick<Call>(world, [
    { kind: 'call', method: 'range', request: request(RangeRequest, { ...someRange(world), revision: wrong }) },
    ...(isHashable
      ? [{ kind: 'call', method: 'hashKv', request: request(HashKVRequest, { revision: wrong }) } as const]
      : []),
    ...(refused
      ? [{ kind: 'call', method: 'compact', request: request(CompactionRequest, { revision: wrong }) } as const]
      : []),
  ]);
}
