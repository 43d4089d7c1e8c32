/** SIGSTOP of the leader: a new one takes over; the old one, continued, answers nothing stale and loses nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../../../src/client';
import { ProcessCluster, type ProcessMember } from '../../support/process-cluster';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

describe('SIGSTOP of the leader for 5 s', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);
  afterEach(() => cluster.stop());

  /** Reads through one member as fast as it can; the register only grows, so a smaller value than known is stale. */
  async function watchForStaleReads(member: ProcessMember, newest: { value: number }, until: () => boolean) {
    const client = cluster.client([member], 1000);
    const stale: string[] = [];
    let reads = 0;
    while (!until()) {
      const atLeast = newest.value;
      try {
        const { kv } = await client.get('register');
        reads++;
        if (Number(kv?.value ?? 0) < atLeast) stale.push(`${String(kv?.value)} after ${String(atLeast)}`);
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        // A member without a leader may fail at once; do not spin.
        await sleep(10);
      }
    }
    return { stale, reads };
  }

  it('gives no stale linearizable read and loses no write', async () => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    const newest = { value: 0 };
    const run = { isOver: false };
    const writers = new SteadyWriters('steady', [cluster.client(others), cluster.client(others)]);
    const register = cluster.client(others);
    const counting = (async () => {
      for (let value = 1; !run.isOver; value++) {
        await register.put('register', String(value)).then(
          () => (newest.value = value),
          () => undefined,
        );
      }
    })();
    const readers = cluster.members.map((member) => watchForStaleReads(member, newest, () => run.isOver));

    await sleep(1000);
    cluster.signal(leader, 'SIGSTOP');
    await sleep(5000);
    const successor = await cluster.leader(others);
    const { term } = (await cluster.status(successor)) ?? { term: 0 };
    cluster.signal(leader, 'SIGCONT');
    await sleep(2000);
    run.isOver = true;
    await counting;
    const account = await writers.stop();

    for (const { stale, reads } of await Promise.all(readers)) {
      expect(stale).toEqual([]);
      expect(reads).toBeGreaterThan(20);
    }
    expect(newest.value).toBeGreaterThan(50);
    // The old one, returning, causes no further election (thesis §9.6).
    expect((await cluster.status(successor))?.term).toBe(term);
    expect(await cluster.leader()).toBe(successor);
    await cluster.converged();
    for (const member of cluster.members) {
      expect(contradictions(account, await cluster.contents(member))).toEqual([]);
    }
  }, 60_000);
});
