/** Leases that run out while they are looked at: their keys go on both servers, and nobody finds them again. */
import { between } from '../../../src/base/rng';
import { PutRequest, type RequestOp, TxnRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import {
  LeaseGrantRequest,
  LeaseRevokeRequest,
  LeaseTimeToLiveRequest,
} from '../../../src/gen/etcd/etcdserverpb/lease';
import { chance, pick, several, type World } from './chance';
import { someKey, someValue } from './requests';
import { type Call, request, type Step } from './step';

/** Seconds: what is shorter than the shortest lease that servers grant, two seconds, becomes that. */
const ttls = [-(2n ** 63n), -1n, 0n, 1n, 2n, 3n, 3n] as const;

/** A lease with a few keys, some of which may leave it in time; and what is asked about it when it is gone. */
export function someShortLease(world: World, ID: bigint): readonly [Step, ...Step[]] {
  const keys = [
    ...new Map(several(world, 1, 4, () => someKey(world)).map((key) => [key.toString('latin1'), key])).values(),
  ];
  const success = keys.map<RequestOp>((key) => ({
    request: { $case: 'requestPut', value: request(PutRequest, { key, value: someValue(world), lease: ID }) },
  }));
  const calls: Call[] = [
    { kind: 'call', method: 'leaseGrant', request: request(LeaseGrantRequest, { ID, TTL: pick(world, ttls) }) },
    { kind: 'call', method: 'txn', request: request(TxnRequest, { success }) },
  ];
  const [first, ...others] = keys;
  if (first !== undefined && others.length > 0 && chance(world, 40)) {
    calls.push({ kind: 'call', method: 'put', request: request(PutRequest, { key: first, value: someValue(world) }) });
  }
  const questions: Step[] = [
    { kind: 'keep-alive', id: ID },
    { kind: 'call', method: 'leaseRevoke', request: request(LeaseRevokeRequest, { ID }) },
    { kind: 'call', method: 'leaseTimeToLive', request: request(LeaseTimeToLiveRequest, { ID, keys: true }) },
    { kind: 'call', method: 'put', request: request(PutRequest, { key: someKey(world), lease: ID }) },
  ];
  return [{ kind: 'run-out', lease: ID, calls }, ...questions.slice(between(world.rng, 0, questions.length))];
}
