/** kill -9 of the leader while several clients write: the others go on, and nothing acknowledged is lost or done twice. */
import { ProcessCluster } from '../../support/process-cluster';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

describe('kill -9 of the leader under steady writes', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);
  afterEach(() => cluster.stop());

  it('lets writes resume within 2 s, loses and repeats nothing, and takes the dead member back', async () => {
    const gaps: number[] = [];
    const clients = Array.from({ length: 8 }, () => cluster.client());
    for (let round = 1; round <= 3; round++) {
      const writers = new SteadyWriters(`round-${String(round)}`, clients);
      await writers.more(200);
      const leader = await cluster.leader();
      writers.resetGap();
      await cluster.end(leader, 'SIGKILL');
      await writers.more(200);
      const { longestGapMs } = writers;
      cluster.startMember(leader);
      await writers.more(200);
      const account = await writers.stop();

      gaps.push(longestGapMs);
      await cluster.converged();
      for (const member of cluster.members) {
        expect(contradictions(account, await cluster.contents(member))).toEqual([]);
      }
    }
    // Below the default election timeout of 1 s: the followers are told that the leader's process is gone (ADR 9). One slow
    // election in three (a split vote) is not a failure; two are.
    gaps.sort((a, b) => a - b);
    expect(gaps[1]).toBeLessThan(1000);
    const [first, ...others] = await Promise.all(cluster.members.map((member) => cluster.contents(member)));
    for (const other of others) expect(other).toEqual(first);
  }, 90_000);
});
