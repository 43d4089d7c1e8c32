/** Very many leases whose time is up in the same second: all gone soon, none early, and the members do not notice. */
import { required } from '../../src/base/assert';
import type { QuorateClient } from '../../src/client';
import { eventually, ProcessCluster } from '../support/process-cluster';

/** Half of them expire together; the others stay. The whole: QUORATE_MASS_LEASES=100000, a few minutes. */
const leases = Number(process.env.QUORATE_MASS_LEASES ?? 20_000);
const half = leases / 2;
/** From the first put to the end of all leases: they must all be there before, however slow the machine is. */
const lifeMs = leases > 20_000 ? 60_000 : 20_000;
const longTtlMs = 3_600_000;

/** From the end of the last lease's time to its last key. */
const goneWithinMs = 10_000;
/** So close together all leases end. */
const sameSecondMs = 1000;
const idsPerRenewal = 1000;

/** Keys below a prefix, each with a lease of its own. */
interface Holder {
  readonly key: string;
  readonly leaseId: bigint;
  /** On this program's clock: not before the one, and not after the other if expiry were exact. */
  readonly endsAfter: number;
  readonly endsBefore: number;
}

/** @param ttlAt the time to live of a lease that is granted at a time on this program's clock, ms */
async function putAll(
  client: QuorateClient,
  prefix: string,
  ttlAt: (now: number) => number,
): Promise<readonly Holder[]> {
  const writes = client.writeStream({ maxUnanswered: 2000 });
  const answers: Promise<Holder>[] = [];
  for (let at = 0; at < half; at++) {
    const key = `${prefix}/${String(at).padStart(6, '0')}`;
    await writes.ready();
    const sentAt = performance.now();
    const ttlMs = Math.ceil(ttlAt(sentAt));
    const put = writes.put(key, 'x', { ttlMs });
    answers.push(
      put.then(({ leaseId }) => ({
        key,
        leaseId: required(leaseId, 'a put with a ttl makes a lease'),
        endsAfter: sentAt + ttlMs,
        endsBefore: performance.now() + ttlMs,
      })),
    );
  }
  const holders = await Promise.all(answers);
  await writes.close();
  return holders;
}

/** Renews all of them, many at a time. */
async function renewAll(client: QuorateClient, holders: readonly Holder[]): Promise<void> {
  const parts: (readonly Holder[])[] = [];
  for (let at = 0; at < holders.length; at += idsPerRenewal) parts.push(holders.slice(at, at + idsPerRenewal));
  await Promise.all(parts.map((some) => client.leases.renew(some.map(({ leaseId }) => leaseId))));
}

async function count(client: QuorateClient, prefix: string): Promise<number> {
  let keys = 0;
  for await (const { kvs } of client.list({
    selection: { kind: 'prefix', prefix },
    pageSize: 1000,
    keysOnly: true,
  }))
    keys += kvs.length;
  return keys;
}

describe('leases that end in the same second', () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    cluster = await ProcessCluster.start();
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
  });

  it('are all gone within ten seconds, none early, without an election (E1, E3)', async () => {
    const client = cluster.client(cluster.members, 30_000);
    const kept = await putAll(client, 'long', () => longTtlMs);
    const endAt = performance.now() + lifeMs;
    const holders = await putAll(client, 'short', (now) => endAt - now);
    const firstEnd = holders.reduce((least, { endsAfter }) => Math.min(least, endsAfter), Infinity);
    const lastEnd = holders.reduce((most, { endsBefore }) => Math.max(most, endsBefore), 0);
    const endsAfter = new Map(holders.map((holder) => [holder.key, holder.endsAfter]));
    const watch = await client.watch({ kind: 'prefix', prefix: 'short/' }, { omit: ['put'] });
    const termBefore = (await cluster.status(await cluster.leader()))?.term;
    await renewAll(client, kept);
    expect(performance.now()).toBeLessThan(firstEnd);

    const deletedAt = new Map<string, number>();
    const early: string[] = [];
    for await (const message of watch) {
      const now = performance.now();
      for (const { kv } of message.kind === 'events' ? message.events : []) {
        deletedAt.set(kv.key, now);
        if (now < (endsAfter.get(kv.key) ?? Infinity)) early.push(kv.key);
      }
      if (deletedAt.size === half) break;
    }
    const goneAfterMs = [...deletedAt.values()].reduce((a, b) => Math.max(a, b)) - lastEnd;

    const took = `they end within ${String(lastEnd - firstEnd)} ms, and are gone ${String(goneAfterMs)} ms after`;
    console.log(`${String(leases)} leases, ${String(half)} of them at once: ${took}`);

    expect(early).toEqual([]);
    expect(lastEnd - firstEnd).toBeLessThan(sameSecondMs);
    expect(goneAfterMs).toBeLessThan(goneWithinMs);
    expect(deletedAt.size).toBe(half);
    const termAfter = await eventually(5000, 'a leader answers', async () => {
      return (await cluster.status(await cluster.leader()))?.term;
    });
    expect(termAfter).toBe(termBefore);
    expect(await count(client, 'short/')).toBe(0);
    expect(await count(client, 'long/')).toBe(half);
  }, 300_000);
});
