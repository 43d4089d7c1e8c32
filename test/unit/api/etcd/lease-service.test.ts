/** LeaseGrant, LeaseRevoke, LeaseKeepAlive, LeaseTimeToLive and LeaseLeases, in etcd's words. */
import type { DuplexStreams } from '../../../../src/api/duplex-streams';
import { EtcdCalls } from '../../../../src/api/etcd/etcd-calls';
import { leaseServiceHandlers } from '../../../../src/api/etcd/lease-service';
import type { UnaryCalls } from '../../../../src/api/unary-calls';
import { putOperation, unnamed } from '../../../../src/kv/command-builders';
import { encodeCommand } from '../../../../src/kv/command-codec';
import type {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveResponse,
} from '../../../../src/gen/etcd/etcdserverpb/lease';
import { Metadata } from '@grpc/grpc-js';
import { LeaseBench } from '../../../support/lease-bench';

let bench: LeaseBench;
let handlers: Readonly<Record<string, unknown>>;
let isLearner: boolean;
beforeEach(() => {
  bench = new LeaseBench();
  isLearner = false;
  const standing = { leader: () => 1n, isLearner: () => isLearner };
  const calls = new EtcdCalls(bench.direct as unknown as UnaryCalls, standing);
  const facts = { clusterId: 5n, memberId: 6n, term: () => 3 };
  const needs = Object.assign(bench, { facts, electionTimeoutMs: 1000 });
  handlers = leaseServiceHandlers(needs, calls, bench.direct as unknown as DuplexStreams);
});
afterEach(() => bench.close());

async function call<Response>(name: string, request: object): Promise<Response> {
  const context = { ...bench.call, metadata: new Metadata() };
  return (handlers[name] as (request: object, call: object) => Promise<Response>)(request, context);
}
const grant = (parts: Partial<LeaseGrantRequest> = {}) =>
  call<LeaseGrantResponse>('leaseGrant', { TTL: 10n, ID: 0n, ...parts });
const revoke = (ID: bigint) => call<LeaseRevokeResponse>('leaseRevoke', { ID });
const timeToLive = (ID: bigint, keys = false) => call<LeaseTimeToLiveResponse>('leaseTimeToLive', { ID, keys });
const keepAlive = (...ids: readonly bigint[]) =>
  bench.stream<LeaseKeepAliveResponse>(
    handlers['leaseKeepAlive'],
    ids.map((ID) => ({ ID })),
  );
const putOn = (lease: bigint, key: string) =>
  bench.store.propose(
    encodeCommand(unnamed(putOperation({ key: Buffer.from(key), value: Buffer.from('v'), form: 'bytes', lease }))),
    bench.call,
  );
const header = (revision: bigint) => ({ clusterId: 5n, memberId: 6n, revision, raftTerm: 3n });

describe('LeaseGrant', () => {
  it('makes a lease under an id of its own, or the one that was asked for', async () => {
    expect((await grant()).ID > 0n).toBe(true);
    expect(await grant({ ID: -5n })).toEqual({ header: header(1n), ID: -5n, TTL: 10n, error: '' });
    await expect(grant({ ID: -5n })).rejects.toThrow('etcdserver: lease already exists');
  });

  it('grants no less than one and a half election timeouts, and says what it granted', async () => {
    for (const TTL of [1n, 0n, -7n]) expect((await grant({ TTL })).TTL).toBe(2n);
  });

  it('refuses more than etcd does', async () => {
    expect((await grant({ TTL: 9_000_000_000n })).TTL).toBe(9_000_000_000n);
    await expect(grant({ TTL: 9_000_000_001n })).rejects.toThrow('etcdserver: too large lease TTL');
  });
});

describe('LeaseRevoke', () => {
  it('ends a lease with its keys at one revision', async () => {
    await grant({ ID: 7n });
    await putOn(7n, 'a');
    await putOn(7n, 'b');
    expect(await revoke(7n)).toEqual({ header: header(4n) });
    expect(bench.reader.keyCount).toBe(0);
    await expect(revoke(7n)).rejects.toThrow('etcdserver: requested lease not found');
  });
});

describe('LeaseKeepAlive', () => {
  it('answers each message in order; a lease that is not there has a time to live of 0 (E4)', async () => {
    await grant({ ID: 7n });
    const { responses } = await keepAlive(7n, 8n, 7n);
    expect(responses).toEqual([
      { header: header(1n), ID: 7n, TTL: 10n },
      { header: header(1n), ID: 8n, TTL: 0n },
      { header: header(1n), ID: 7n, TTL: 10n },
    ]);
  });

  it('is refused by a learner', async () => {
    isLearner = true;
    expect((await keepAlive(7n)).failure).toMatchObject({ message: 'etcdserver: rpc not supported for learner' });
  });
});

describe('LeaseTimeToLive', () => {
  it('tells whole seconds, and keys when asked, after a read barrier', async () => {
    await grant({ ID: 7n });
    bench.remaining.set(7n, 3999);
    await putOn(7n, 'a');
    const facts = { header: header(2n), ID: 7n, TTL: 3n, grantedTTL: 10n };
    expect(await timeToLive(7n)).toEqual({ ...facts, keys: [] });
    expect(await timeToLive(7n, true)).toEqual({ ...facts, keys: [Buffer.from('a')] });
    expect(bench.store.barriers).toBe(2);
  });

  it('tells -1 of a lease that is not there', async () => {
    expect(await timeToLive(7n)).toEqual({ header: header(1n), ID: 7n, TTL: -1n, grantedTTL: 0n, keys: [] });
  });
});

describe('LeaseLeases', () => {
  it('lists what this member knows, the one with the least time left first', async () => {
    for (const [id, left] of [
      [7n, 900],
      [8n, 100],
      [9n, 500],
    ] as const) {
      bench.remaining.set(id, left);
    }
    const { leases } = await call<LeaseLeasesResponse>('leaseLeases', {});
    expect(leases.map(({ ID }) => ID)).toEqual([8n, 9n, 7n]);
    expect(bench.store.barriers).toBe(0);
  });
});
