/** A member behind a pulled cable: it disturbs nobody, neither while it is away nor when it returns (thesis §9.6). */
import { setTimeout as sleep } from 'node:timers/promises';
import { LinkedCluster } from '../../support/linked-cluster';
import { StallWatch } from '../../support/stalls';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

/** Many election timeouts. `PARTITION_SECONDS=60` gives the minute of a longer campaign. */
const partitionMs = Number(process.env.PARTITION_SECONDS ?? 16) * 1000;
/** Twice the default: a machine that stalls for a second must not look like a member that disturbs. */
const electionTimeoutMs = 2000;

describe('A partition', () => {
  let cluster: LinkedCluster;
  let stalls: StallWatch;

  beforeEach(async () => {
    stalls = new StallWatch();
    cluster = await LinkedCluster.start({ args: ['--election-timeout', String(electionTimeoutMs)] });
  }, 30_000);
  afterEach(async () => {
    await cluster.stop();
    await stalls.stop();
  });

  it(
    'of a follower causes no election and no gap, also when it heals',
    async () => {
      const leader = await cluster.leader();
      const [cutOff, other] = cluster.members.filter((member) => member !== leader);
      if (cutOff === undefined || other === undefined) throw new Error('there are three members');
      const { term } = (await cluster.status(leader)) ?? { term: 0 };
      const writers = new SteadyWriters('steady', [cluster.client([leader, other]), cluster.client([leader, other])]);
      await writers.more(50);
      cluster.isolate(cutOff);
      writers.resetGap();
      await sleep(partitionMs);
      expect((await cluster.status(cutOff))?.term).toBe(term);
      expect((await cluster.status(cutOff))?.hasQuorum).toBe(false);
      await writers.more(50);
      cluster.heal();
      await sleep(3 * electionTimeoutMs);
      await writers.more(50);
      // No election: the same term, the same leader, and no gap of an election timeout.
      expect((await cluster.status(leader))?.term).toBe(term);
      expect(await cluster.leader()).toBe(leader);
      expect(writers.longestGapMs).toBeLessThan(electionTimeoutMs - 200 + stalls.longestMs);
      const account = await writers.stop();
      expect(account.acknowledged).toBeGreaterThan(200);
      await cluster.converged();
      for (const member of cluster.members) expect(contradictions(account, await cluster.contents(member))).toEqual([]);
    },
    partitionMs + 60_000,
  );

  it('of the leader ends its leadership within an election timeout, and it follows when it returns', async () => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    cluster.isolate(leader);
    const isolatedAt = performance.now();
    // CheckQuorum (thesis §6.2): nobody who still reaches it is told that it leads.
    while ((await cluster.status(leader))?.role === 'leader') await sleep(20);
    // It looks once in an election timeout whether a quorum has answered within the last.
    expect(performance.now() - isolatedAt).toBeLessThan(2 * electionTimeoutMs + 500 + stalls.longestMs);
    const successor = await cluster.leader(others);
    const writers = new SteadyWriters('after', [cluster.client(others)]);
    await writers.more(50);
    // More than one term later, if the two that are left were candidates at once.
    const { term } = (await cluster.status(successor)) ?? { term: 0 };
    cluster.heal();
    await sleep(2 * electionTimeoutMs);
    expect(await cluster.leader()).toBe(successor);
    expect((await cluster.status(successor))?.term).toBe(term);
    const account = await writers.stop();
    await cluster.converged();
    for (const member of cluster.members) expect(contradictions(account, await cluster.contents(member))).toEqual([]);
  }, 60_000);
});
