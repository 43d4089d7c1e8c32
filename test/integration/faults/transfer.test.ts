/** Leadership changes hands by command and on SIGTERM, under load, without one failed write (thesis §3.10). */
import { eventually, ProcessCluster } from '../../support/process-cluster';
import { StallWatch } from '../../support/stalls';
import { contradictions, SteadyWriters, type Account } from '../../support/steady-writers';

/** Twice the default: a machine that stalls for a second must not look like an election that nobody asked for. */
const electionTimeoutMs = 2000;

describe('Leadership', () => {
  let cluster: ProcessCluster;
  let stalls: StallWatch;

  beforeEach(async () => {
    stalls = new StallWatch();
    cluster = await ProcessCluster.start({ args: ['--election-timeout', String(electionTimeoutMs)] });
  }, 30_000);
  afterEach(async () => {
    await cluster.stop();
    await stalls.stop();
  });

  function failures({ told }: Account): readonly string[] {
    return [...told].filter(([, outcome]) => outcome !== 'acknowledged').map(([key, outcome]) => `${key} ${outcome}`);
  }

  it('is transferred ten times under load without one failed write', async () => {
    const writers = new SteadyWriters(
      'steady',
      [...cluster.members, undefined].map((member) => cluster.client(member && [member])),
    );
    const operator = cluster.client();
    const { term } = (await cluster.status(await cluster.leader())) ?? { term: 0 };
    for (let round = 0; round < 10; round++) {
      await writers.more(30);
      const leader = await cluster.leader();
      const successor = cluster.members[(cluster.members.indexOf(leader) + 1) % 3];
      const { name } = await operator.cluster.transferLeadership(successor?.name);
      expect(name).toBe(successor?.name);
    }
    await writers.more(30);
    const account = await writers.stop();
    expect(failures(account)).toEqual([]);
    expect(account.longestGapMs).toBeLessThan(electionTimeoutMs / 2 + stalls.longestMs);
    expect((await cluster.status(await cluster.leader()))?.term).toBe(term + 10);
    await cluster.converged();
    for (const member of cluster.members) expect(contradictions(account, await cluster.contents(member))).toEqual([]);
  }, 90_000);

  it('is handed over by a leader that is asked to stop, before it stops', async () => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    const writers = new SteadyWriters('steady', [cluster.client(others), cluster.client(others)]);
    await writers.more(50);
    writers.resetGap();
    expect(await cluster.end(leader, 'SIGTERM')).toBe(0);
    await writers.more(50);
    // Well below the election timeout, which a leader that just vanishes costs.
    expect(writers.longestGapMs).toBeLessThan(electionTimeoutMs / 2 + stalls.longestMs);
    const account = await writers.stop();
    expect(failures(account)).toEqual([]);
    await eventually(5000, 'a leader among the others', () => cluster.leader(others));
  }, 60_000);
});
