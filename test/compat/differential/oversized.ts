/** Requests about as large as a server takes, and larger; and revisions larger than one message of a watch. */
import { between } from '../../../src/base/rng';
import {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from '../../../src/gen/etcd/etcdserverpb/kv';
import { pick, weighted, type World } from './chance';
import { type Call, request } from './step';

/** Largest command, and what its message may take beside it; bytes. */
const maxCommandBytes = 1536 * 1024;
const overheadBytes = 512 * 1024;
/** Closer to the bounds nothing is sent: the two servers encode a command in ways of their own. */
const unsureBytes = 1024;
/** Of a comparison, and of the operations of one branch. */
const maxOperations = 128;

/** Apart from all other keys, so that they can be removed again. */
const prefix = { key: Buffer.from('large/'), rangeEnd: Buffer.from('large0') };

/** Any bytes. Large values are parts of it, so that all the steps of a stream can be kept. */
const largest = 4 * 1024 * 1024;
const filling = Buffer.alloc(2 * largest, Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * at) % 251)));

function largeValue({ rng }: World, bytes: number): Buffer {
  const from = between(rng, 0, largest);
  return filling.subarray(from, from + bytes);
}

const keyOf = (at: number): Buffer => Buffer.from(`large/${at}`);

function putOf(at: number, value: Buffer): RequestOp {
  return { request: { $case: 'requestPut', value: request(PutRequest, { key: keyOf(at), value }) } };
}

function txnOf(fields: Partial<TxnRequest>): Call {
  return { kind: 'call', method: 'txn', request: request(TxnRequest, fields) };
}

/** Removes what the others put. */
function removal(prevKv: boolean): Call {
  return { kind: 'call', method: 'deleteRange', request: request(DeleteRangeRequest, { ...prefix, prevKv }) };
}

/** A request at or above a bound, and what removes its traces. */
export function someOversized(world: World): readonly Call[] {
  const large = weighted<() => Call>(world, [
    [4, () => largePut(world)],
    [2, () => manyLargePuts(world)],
    [3, () => manyOperations(world)],
    [1, () => largeKey(world)],
    [1, () => largeCompare(world)],
  ])();
  return [large, removal(false)];
}

function largePut(world: World): Call {
  const { rng } = world;
  const bytes = weighted<() => number>(world, [
    [2, () => maxCommandBytes - unsureBytes - between(rng, 0, 200_000)],
    [3, () => maxCommandBytes + between(rng, 1, overheadBytes - unsureBytes)],
    // gRPC itself refuses the message.
    [2, () => maxCommandBytes + overheadBytes + between(rng, 0, 1_000_000)],
  ])();
  return {
    kind: 'call',
    method: 'put',
    request: request(PutRequest, { key: keyOf(0), value: largeValue(world, bytes) }),
  };
}

/** Each of them is small enough. */
function manyLargePuts(world: World): Call {
  const puts = between(world.rng, 2, 4);
  const bytes = Math.floor((maxCommandBytes + overheadBytes / 2) / puts);
  return txnOf({ success: Array.from({ length: puts }, (_, at) => putOf(at, largeValue(world, bytes))) });
}

function manyOperations(world: World): Call {
  const operations = between(world.rng, maxOperations - 1, maxOperations + 2);
  const puts = Array.from({ length: operations }, (_, at) => putOf(at, Buffer.of(at)));
  const reads = puts.map<RequestOp>((_, at) => ({
    request: { $case: 'requestRange', value: request(RangeRequest, { key: keyOf(at) }) },
  }));
  const compare = puts.map((_, at) => request(Compare, { key: keyOf(at) }));
  return pick(world, [
    txnOf({ success: puts }),
    txnOf({ compare, failure: puts }),
    txnOf({ success: reads }),
    txnOf({ failure: [{ request: { $case: 'requestTxn', value: request(TxnRequest, { success: puts }) } }] }),
  ]);
}

function largeKey(world: World): Call {
  const key = Buffer.alloc(maxCommandBytes + unsureBytes, 'x');
  return pick<Call>(world, [
    { kind: 'call', method: 'deleteRange', request: request(DeleteRangeRequest, { key }) },
    { kind: 'call', method: 'range', request: request(RangeRequest, { key }) },
    { kind: 'call', method: 'put', request: request(PutRequest, { key }) },
  ]);
}

/** What only reads does not go through the log, and may be larger. */
function largeCompare(world: World): Call {
  const value = largeValue(world, maxCommandBytes + unsureBytes);
  return txnOf({
    compare: [request(Compare, { key: keyOf(0), target: 3, targetUnion: { $case: 'value', value } })],
  });
}

/**
 * Puts, and at last the removal of all, which a watch that wants the previous pairs is told in more than the longest message
 * that etcd does not cut (with `fragment`), or in a little less.
 */
export function someLargeRevision(world: World): readonly Call[] {
  const { rng } = world;
  const puts = between(rng, 3, 6);
  const percent = pick(world, [between(rng, 77, 98), between(rng, 102, 150)]);
  const bytes = Math.floor(((maxCommandBytes + overheadBytes) * percent) / 100 / puts);
  const calls = Array.from({ length: puts }, (_, at): Call => {
    const value = largeValue(world, bytes);
    return { kind: 'call', method: 'put', request: request(PutRequest, { key: keyOf(at), value }) };
  });
  return [...calls, removal(true)];
}

/** All that these requests touch. */
export const oversizedRange = prefix;
