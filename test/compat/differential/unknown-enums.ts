/** Values of enumerations that no version of etcd has. */
import { between } from '../../../src/base/rng';
import { type RangeRequest, type RequestOp, TxnRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import { AlarmRequest } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import { pick, several, weighted, type World } from './chance';
import { someRangeRead } from './requests';
import { type Call, request } from './step';
import { someCompare } from './transactions';

/** Below and above all that is known. */
const unknown = [-(2 ** 31), -1, 5, 100, 2 ** 31 - 1] as const;

/**
 * A request that changes nothing, whether it is refused or not. Not asked: an unknown action on alarms, and a range sorted by
 * an unknown target; etcd 3.4 dies of them.
 */
export function someUnknownEnum(world: World): Call {
  return weighted<() => Call>(world, [
    [3, () => ({ kind: 'call', method: 'range', request: oddRange(world) })],
    [1, () => txnOf({ success: [rangeOp(oddRange(world))] })],
    [2, () => ({ kind: 'call', method: 'range', request: unreadRange(world) })],
    [5, () => oddCompare(world)],
    [1, () => oddAlarm(world)],
  ])();
}

function oddRange(world: World): RangeRequest {
  return { ...someRangeRead(world), sortOrder: pick(world, unknown) as RangeRequest['sortOrder'] };
}

/** Refused for its revision before anything is sorted. */
function unreadRange(world: World): RangeRequest {
  const revision = BigInt(world.revision + between(world.rng, 1000, 2000));
  return { ...someRangeRead(world), revision, sortTarget: pick(world, unknown) as RangeRequest['sortTarget'] };
}

function oddCompare(world: World): Call {
  const compare = someCompare(world);
  const odd = pick(world, [
    { ...compare, result: pick(world, unknown) },
    { ...compare, target: pick(world, unknown) },
    { ...compare, result: pick(world, unknown), target: pick(world, unknown) },
  ]) as typeof compare;
  const reads = several(world, 0, 2, () => rangeOp({ ...someRangeRead(world), revision: 0n }));
  return txnOf({ compare: [...several(world, 0, 2, () => someCompare(world)), odd], success: reads });
}

/** Lists alarms of no known kind, or clears one. */
function oddAlarm(world: World): Call {
  const fields = { action: pick(world, [0, 2]), alarm: pick(world, unknown), memberID: 7n } as Partial<AlarmRequest>;
  return { kind: 'call', method: 'alarm', request: request(AlarmRequest, fields) };
}

function rangeOp(value: RangeRequest): RequestOp {
  return { request: { $case: 'requestRange', value } };
}

function txnOf(fields: Partial<TxnRequest>): Call {
  return { kind: 'call', method: 'txn', request: request(TxnRequest, fields) };
}
