/** Random transactions: any comparison, any operation, nested, failing, and with keys given twice. */
import { between } from '../../../src/base/rng';
import {
  Compare,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  TxnRequest,
} from '../../../src/gen/etcd/etcdserverpb/kv';
import { chance, pick, several, someExtreme, someLease, weighted, type World } from './chance';
import { none, someDelete, someKey, somePut, someRange, someRangeRead, someValue } from './requests';
import { request } from './step';

/** What a transaction and those within it may hold. */
interface Shape {
  /** How deep transactions may still nest. */
  readonly depth: number;
  readonly isReadOnly: boolean;
  /**
   * Either deletes, or puts that keep a value or a lease. Not both: etcd 3.4 checks that the key is there before it begins,
   * and dies with a panic if an operation before has deleted it.
   */
  readonly deletes: boolean;
}

/** @param depth how deep transactions nest */
export function someTxn(world: World, depth = 2): TxnRequest {
  return txnOf(world, { depth, isReadOnly: chance(world, 15), deletes: chance(world, 60) });
}

function txnOf(world: World, shape: Shape): TxnRequest {
  const operations = (): RequestOp[] => several(world, 0, 4, () => someOperation(world, shape));
  return request(TxnRequest, {
    compare: several(world, 0, 3, () => someCompare(world)),
    success: operations(),
    failure: operations(),
  });
}

function someOperation(world: World, shape: Shape): RequestOp {
  const { depth, isReadOnly, deletes } = shape;
  const range = (): RequestOp => ({ request: { $case: 'requestRange', value: rangeWithin(world) } });
  const nested = (): RequestOp => ({
    request: { $case: 'requestTxn', value: txnOf(world, { ...shape, depth: depth - 1 }) },
  });
  return weighted<() => RequestOp>(world, [
    [30, range],
    [isReadOnly ? 0 : 45, () => ({ request: { $case: 'requestPut', value: putWithin(world, shape) } })],
    [isReadOnly || !deletes ? 0 : 20, () => ({ request: { $case: 'requestDeleteRange', value: someDelete(world) } })],
    [depth > 0 ? 12 : 0, nested],
    [1, () => ({ request: undefined })],
  ])();
}

/** A negative revision is below all, but to an etcd that was never compacted, the first revision is -1. */
function rangeWithin(world: World): RangeRequest {
  const range = someRangeRead(world);
  return range.revision < 0n && world.compactRevision === 0 ? { ...range, revision: 0n } : range;
}

function putWithin(world: World, { deletes }: Shape): PutRequest {
  const put = somePut(world);
  return deletes ? { ...put, ignoreValue: false, ignoreLease: false } : put;
}

export function someCompare(world: World): Compare {
  const { rng, revision } = world;
  const isRange = chance(world, 25);
  const number = (): bigint =>
    BigInt(
      weighted<number | bigint>(world, [
        [40, 0],
        [30, between(rng, 1, 4)],
        [25, between(rng, 1, revision + 1)],
        [5, -1],
        [3, someExtreme(world)],
      ]),
    );
  const targets: readonly (readonly [number, Compare['targetUnion']])[] = [
    [0, { $case: 'version', value: number() }],
    [1, { $case: 'createRevision', value: number() }],
    [2, { $case: 'modRevision', value: number() }],
    [3, { $case: 'value', value: someValue(world) }],
    [4, { $case: 'lease', value: chance(world, 50) ? 0n : someLease(world) }],
  ];
  const [target, targetUnion] = pick(world, targets);
  return request(Compare, {
    result: pick(world, [0, 1, 2, 3]),
    target: target as Compare['target'],
    ...(isRange ? someRange(world) : { key: someKey(world), rangeEnd: none }),
    // Now and then the value is not given, or another one.
    targetUnion: weighted(world, [
      [96, targetUnion],
      [2, undefined],
      [2, pick(world, targets)[1]],
    ]),
  });
}
