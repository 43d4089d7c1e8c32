/** Random requests on keys: puts, deletes and ranges with every option. */
import { between } from '../../../src/base/rng';
import { DeleteRangeRequest, PutRequest, RangeRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import { chance, pick, several, someExtreme, someLease, someRevision, weighted, type World } from './chance';
import { request } from './step';

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Few, so that requests meet; some that are hard to order, to print or to hold. */
const keys: readonly Buffer[] = [
  ...['a', 'b', 'c', 'd'].flatMap((prefix) => Array.from({ length: 9 }, (_, at) => `${prefix}/${at}`)),
  ...['a', 'a\x00', 'a\xff', '\x00', '\xff', '\xff\xff', 'ä', 'x'.repeat(300)],
].map(latin);

export const none = Buffer.alloc(0);
/** As an end: to the last key. */
const zero = latin('\x00');

export function someKey(world: World): Buffer {
  return pick(world, keys);
}

/** A key and an end: one key, a prefix, an interval, to the last key, everything; now and then an empty interval. */
export function someRange(world: World): { key: Buffer; rangeEnd: Buffer } {
  const key = someKey(world);
  return weighted(world, [
    [40, () => ({ key, rangeEnd: none })],
    [20, () => prefix(latin(pick(world, ['a', 'b', 'c', 'd', 'a/', 'b/', '\xff'])))],
    [20, () => interval(key, someKey(world))],
    [8, () => ({ key, rangeEnd: zero })],
    [8, () => ({ key: zero, rangeEnd: zero })],
    [4, () => interval(someKey(world), key, true)],
  ])();
}

function interval(one: Buffer, other: Buffer, isReversed = false): { key: Buffer; rangeEnd: Buffer } {
  const [key, rangeEnd] = Buffer.compare(one, other) <= 0 !== isReversed ? [one, other] : [other, one];
  return { key, rangeEnd };
}

/** As the clients of etcd say it. */
function prefix(key: Buffer): { key: Buffer; rangeEnd: Buffer } {
  const end = Buffer.from(key);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0;
    if (byte === 0xff) continue;
    end[at] = byte + 1;
    return { key, rangeEnd: end.subarray(0, at + 1) };
  }
  return { key, rangeEnd: zero };
}

/** From a small set, so that comparisons hold now and then; or of any bytes; or large. */
export function someValue(world: World): Buffer {
  return weighted(world, [
    [60, () => latin(`value ${between(world.rng, 0, 9)}`)],
    [10, () => none],
    [25, () => Buffer.from(several(world, 1, 40, () => between(world.rng, 0, 255)))],
    [4, () => Buffer.alloc(between(world.rng, 1000, 5000), between(world.rng, 0, 255))],
  ])();
}

export function somePut(world: World): PutRequest {
  const ignoreValue = chance(world, 6);
  const ignoreLease = chance(world, 6);
  return request(PutRequest, {
    key: someKey(world),
    // Both together are refused, as a key must be given to keep something of.
    value: ignoreValue && chance(world, 90) ? none : someValue(world),
    lease: (ignoreLease ? chance(world, 10) : chance(world, 15)) ? someLease(world) : 0n,
    prevKv: chance(world, 30),
    ignoreValue,
    ignoreLease,
  });
}

export function someDelete(world: World): DeleteRangeRequest {
  return request(DeleteRangeRequest, { ...someRange(world), prevKv: chance(world, 40) });
}

export function someRangeRead(world: World): RangeRequest {
  return request(RangeRequest, {
    ...someRange(world),
    limit: someLimit(world),
    revision: someRevision(world),
    sortOrder: chance(world, 30) ? pick(world, [0, 1, 2]) : 0,
    sortTarget: chance(world, 30) ? pick(world, [0, 1, 2, 3, 4]) : 0,
    serializable: chance(world, 30),
    keysOnly: chance(world, 12),
    countOnly: chance(world, 8),
    minModRevision: someBound(world),
    maxModRevision: someBound(world),
    minCreateRevision: someBound(world),
    maxCreateRevision: someBound(world),
  });
}

function someLimit(world: World): bigint {
  return weighted(world, [
    [68, () => 0n],
    [30, () => BigInt(between(world.rng, -1, 12))],
    [2, () => someExtreme(world)],
  ])();
}

function someBound(world: World): bigint {
  return weighted(world, [
    [190, () => 0n],
    [12, () => BigInt(between(world.rng, -1, world.revision + 2))],
    [1, () => someExtreme(world)],
  ])();
}
