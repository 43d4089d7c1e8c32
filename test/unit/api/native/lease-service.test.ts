/** Grant, Revoke, KeepAlive, GetLease and ListLeases: what is asked of the store, and what is told of its results. */
import { leaseServiceHandlers, type LeaseServiceCarriers } from '../../../../src/api/native/lease-service';
import { putMutation } from '../../../../src/api/native/kv/put';
import { mutate } from '../../../../src/api/native/mutation';
import type {
  GetLeaseResponse,
  GrantRequest,
  GrantResponse,
  KeepAliveResponse,
  ListLeasesRequest,
  ListLeasesResponse,
  RevokeResponse,
} from '../../../../src/gen/quorate/v1/lease';
import { LeaseBench } from '../../../support/lease-bench';
import { putRequest } from '../../../support/kv-requests';
import { requestId } from '../../../support/native-bench';

let bench: LeaseBench;
let handlers: Readonly<Record<string, unknown>>;
beforeEach(() => {
  bench = new LeaseBench();
  const carriers = { calls: bench.direct, keepAlives: bench.direct } as unknown as LeaseServiceCarriers;
  handlers = leaseServiceHandlers(bench, carriers);
});
afterEach(() => bench.close());

// Requests are checked before anything is proposed: both kinds of error are rejections here.
async function call<Response>(name: string, request: object): Promise<Response> {
  return (handlers[name] as (request: object, call: object) => Promise<Response>)(request, bench.call);
}
const seconds = (count: bigint) => ({ seconds: count, nanos: 0 });
const grant = (parts: Partial<GrantRequest> = {}) =>
  call<GrantResponse>('grant', { ttl: seconds(10n), leaseId: 0n, requestId: '', ...parts });
const revoke = (leaseId: bigint, id = '') => call<RevokeResponse>('revoke', { leaseId, requestId: id });
const getLease = (leaseId: bigint, keys = false) => call<GetLeaseResponse>('getLease', { leaseId, keys });
const list = (parts: Partial<ListLeasesRequest> = {}) =>
  call<ListLeasesResponse>('listLeases', { pageSize: 0, pageToken: '', consistency: 0, ...parts });
const keepAlive = (...messages: readonly (readonly bigint[])[]) =>
  bench.stream<KeepAliveResponse>(
    handlers['keepAlive'],
    messages.map((leaseIds) => ({ leaseIds: [...leaseIds] })),
  );
const putOn = async (leaseId: bigint, key: string) => {
  const expiry = { $case: 'leaseId', value: leaseId } as const;
  await mutate(bench, putMutation(putRequest({ key, expiry }), bench), bench.call);
};

describe('Grant', () => {
  it('makes a lease under an id of its own, or the one that was asked for', async () => {
    const { leaseId, ttl } = await grant();
    expect([leaseId > 0n, ttl]).toEqual([true, seconds(10n)]);
    expect(await grant({ leaseId: -5n })).toEqual({ leaseId: -5n, ttl: seconds(10n), replayed: false });
    expect(bench.reader.lease(-5n)).toMatchObject({ ttl: 10 });
    await expect(grant({ leaseId: -5n })).rejects.toMatchObject({ code: 'already-exists', outcome: 'not-done' });
  });

  it('makes one lease for a request id, however often it is asked', async () => {
    const first = await grant({ requestId: requestId() });
    expect(await grant({ requestId: requestId() })).toEqual({ ...first, replayed: true });
    expect([...bench.reader.leases()]).toHaveLength(1);
  });

  it('rounds a time to live up to whole seconds, and refuses none and too much', async () => {
    expect((await grant({ ttl: { seconds: 1n, nanos: 1 } })).ttl).toEqual(seconds(2n));
    for (const ttl of [undefined, seconds(0n), seconds(-1n), seconds(9_000_000_001n)]) {
      await expect(grant({ ttl })).rejects.toMatchObject({ code: 'invalid-argument', details: { field: 'ttl' } });
    }
  });

  it('promises less when the answer comes late, and nothing when the lease may be over (E1)', async () => {
    const late = (ms: number) => {
      bench.store.behaviour = () => {
        bench.now += ms;
        return Promise.resolve();
      };
    };
    late(2400);
    expect((await grant()).ttl).toEqual(seconds(8n));
    late(10_000);
    await expect(grant()).rejects.toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
  });
});

describe('Revoke', () => {
  it('ends a lease with its keys at one revision, once', async () => {
    await grant({ leaseId: 7n });
    await putOn(7n, 'a');
    await putOn(7n, 'b');
    expect(await revoke(7n, requestId())).toEqual({ revision: 4, replayed: false });
    expect(await revoke(7n, requestId())).toEqual({ revision: 4, replayed: true });
    expect([bench.reader.keyCount, bench.reader.lease(7n)]).toEqual([0, undefined]);
  });

  it('is refused for a lease that is not there, and for none', async () => {
    await expect(revoke(7n)).rejects.toMatchObject({ code: 'not-found', outcome: 'not-done' });
    await expect(revoke(0n)).rejects.toMatchObject({ code: 'invalid-argument', details: { field: 'lease_id' } });
  });
});

describe('KeepAlive', () => {
  it('renews many leases in one message, and tells which are not there (E4)', async () => {
    await grant({ leaseId: 7n });
    const { responses } = await keepAlive([7n, 8n], [7n]);
    expect(responses).toEqual([
      {
        leases: [
          { leaseId: 7n, found: true, ttl: seconds(10n) },
          { leaseId: 8n, found: false, ttl: undefined },
        ],
      },
      { leases: [{ leaseId: 7n, found: true, ttl: seconds(10n) }] },
    ]);
  });

  it('refuses a message of no lease, of too many, and of lease 0', async () => {
    for (const ids of [[], Array.from({ length: 1001 }, () => 7n), [7n, 0n]]) {
      const { failure } = await keepAlive(ids);
      expect(failure).toMatchObject({ code: 'invalid-argument', details: { field: 'lease_ids' } });
    }
  });
});

describe('GetLease', () => {
  it('tells what is left of a lease and, when asked, its keys, after a read barrier', async () => {
    await grant({ leaseId: 7n });
    bench.remaining.set(7n, 3210);
    await putOn(7n, 'b');
    await putOn(7n, 'a');
    const facts = { lease: { leaseId: 7n, ttl: seconds(10n) }, remaining: { seconds: 3n, nanos: 210_000_000 } };
    expect(await getLease(7n)).toEqual({ ...facts, keys: [], keyCount: 2 });
    expect(await getLease(7n, true)).toEqual({ ...facts, keys: ['a', 'b'], keyCount: 2 });
    expect(bench.store.barriers).toBe(2);
  });

  it('is refused for a lease that is not there', async () => {
    await expect(getLease(7n)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('ListLeases', () => {
  it('lists by id, page by page', async () => {
    for (const leaseId of [5n, -3n, 9n, 1n, 7n]) await grant({ leaseId });
    const ids: bigint[] = [];
    let pageToken = '';
    do {
      const page = await list({ pageSize: 2, pageToken });
      expect(page.leases.length).toBeLessThanOrEqual(2);
      ids.push(...page.leases.map(({ leaseId }) => leaseId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(ids).toEqual([-3n, 1n, 5n, 7n, 9n]);
  });

  it('refuses a token that it did not give', async () => {
    await expect(list({ pageToken: 'x' })).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { field: 'page_token' },
    });
  });
});
