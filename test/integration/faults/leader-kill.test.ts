/** kill -9 of the leader while several clients write: the others go on, and nothing acknowledged is lost or done twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessCluster } from '../../support/process-cluster';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

describe('kill -9 of the leader under steady writes', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);
  afterEach(() => cluster.stop());

  it('lets writes resume within 2 s, loses and repeats nothing, and takes the dead member back', async () => {
    const clients = Array.from({ length: 8 }, () => cluster.client());
    for (let round = 1; round <= 3; round++) {
      const writers = new SteadyWriters(`round-${String(round)}`, clients);
      await sleep(500);
      const leader = await cluster.leader();
      writers.resetGap();
      await cluster.end(leader, 'SIGKILL');
      await sleep(3000);
      const before = writers.acknowledged;
      cluster.startMember(leader);
      await sleep(1000);
      const account = await writers.stop();

      expect(before).toBeGreaterThan(200);
      expect(account.longestGapMs).toBeLessThan(2500);
      await cluster.converged();
      for (const member of cluster.members) {
        expect(contradictions(account, await cluster.contents(member))).toEqual([]);
      }
    }
    const [first, ...others] = await Promise.all(cluster.members.map((member) => cluster.contents(member)));
    for (const other of others) expect(other).toEqual(first);
  }, 90_000);
});
