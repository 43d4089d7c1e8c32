/** Leases, locks and elections of the client on a cluster of real processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { op, when } from '../../src/client';
import { ProcessCluster } from '../support/process-cluster';

let cluster: ProcessCluster;

beforeAll(async () => {
  cluster = await ProcessCluster.start();
});

afterAll(async () => {
  await cluster.stop();
});

const ttlMs = 2_000;

describe('leases of the client', () => {
  it('stay as long as they are kept alive, over the death of a leader, and end after that', async () => {
    const client = cluster.client();
    const lease = await client.leases.grant(ttlMs * 2);
    const kept = client.leases.keepAlive(lease);
    await client.put('kept', 'v', { leaseId: lease.leaseId });
    const leader = await cluster.leader();
    await cluster.end(leader, 'SIGKILL');
    await sleep(ttlMs * 4);
    expect(kept.signal.aborted).toBe(false);
    expect((await client.get('kept')).kv?.value).toBe('v');
    cluster.startMember(leader);
    kept.stop();
    const watch = await client.watch('kept', { startRevision: 1 });
    for await (const message of watch) {
      if (message.kind === 'events' && message.events.some(({ type }) => type === 'delete')) break;
    }
    expect((await client.get('kept')).kv).toBeUndefined();
  });
});

describe('locks of the client', () => {
  it('let one in at a time, each with a greater token that the store can check', async () => {
    let inside = 0;
    const tokens: number[] = [];
    const enter = () =>
      cluster.client().locks.withLock('room', { ttlMs: 5_000 }, async ({ key, fencingToken }) => {
        expect(++inside).toBe(1);
        const held = await cluster
          .client()
          .txn()
          .if(when.createRevision(key, '=', fencingToken))
          .do(op.put('guarded', String(fencingToken)))
          .commit();
        expect(held.succeeded).toBe(true);
        tokens.push(fencingToken);
        inside--;
      });
    await Promise.all([enter(), enter(), enter(), enter()]);
    expect(tokens).toHaveLength(4);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect((await cluster.client().locks.get('room')).holder).toBeUndefined();
  });

  it('tell their holder when they were lost', async () => {
    const client = cluster.client();
    const lock = await client.locks.acquire('lost', { ttlMs });
    await client.leases.revoke(lock.leaseId);
    await new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
    expect(lock.signal.reason).toMatchObject({ code: 'not-found' });
    await expect(lock.release()).resolves.toBeUndefined();
  });

  it('leave nothing behind when they could not be had in time', async () => {
    const client = cluster.client();
    const lock = await client.locks.acquire('taken', { ttlMs: 10_000 });
    await expect(client.locks.acquire('taken', { noWait: true })).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    await expect(client.locks.acquire('taken', { timeoutMs: 500 })).rejects.toThrow();
    expect((await client.locks.get('taken')).waiting).toBe(0);
    await lock.release();
  });
});

describe('elections of the client', () => {
  it('pass leadership on, and tell observers', async () => {
    const [one, two, observer] = [cluster.client(), cluster.client(), cluster.client()];
    const first = await one.elections.campaign('e', 'one', { ttlMs: 5_000 });
    const next = two.elections.campaign('e', 'two', { ttlMs: 5_000 });
    const told: unknown[] = [];
    const observing = (async () => {
      for await (const { leader } of observer.elections.observe('e')) {
        if (leader !== undefined) told.push(leader.kv.value);
        if (leader?.kv.value === 'two') return;
      }
    })();
    await first.proclaim('one again');
    await first.resign();
    const second = await next;
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
    await observing;
    expect(told.at(-1)).toBe('two');
    await expect(first.proclaim('late')).rejects.toMatchObject({ code: 'precondition-failed' });
    await second.resign();
  });
});
