/** A member that was away too long gets the state itself (§7), while the others go on; the log stays short meanwhile. */
import { eventually, ProcessCluster } from '../../support/process-cluster';
import { StallWatch } from '../../support/stalls';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

/** Writes that the absent member misses. `MISSED_WRITES=200000` for a longer campaign. */
const missedWrites = Number(process.env.MISSED_WRITES ?? 6000);
const withinMs = 60_000 + missedWrites * 5;
/** An entry may hold the writes of all writers at once. */
const shortLog = ['--compact-log-entries', '50', '--trailing-log-entries', '50'];

describe('A member that lacks more than the log holds', () => {
  let cluster: ProcessCluster;
  let stalls: StallWatch;

  beforeEach(async () => {
    stalls = new StallWatch();
    cluster = await ProcessCluster.start({ args: shortLog });
  }, 30_000);
  afterEach(async () => {
    await cluster.stop();
    await stalls.stop();
  });

  it(
    'returns through a snapshot under load, causes no election, and has everything',
    async () => {
      const leader = await cluster.leader();
      const [absent, other] = cluster.members.filter((member) => member !== leader);
      if (absent === undefined || other === undefined) throw new Error('there are three members');
      await cluster.end(absent, 'SIGKILL');
      const { term, lastLogIndex: lastKnown } = await required(cluster, leader);
      const clients = Array.from({ length: 32 }, (_, at) => cluster.client([at % 4 === 0 ? other : leader]));
      const writers = new SteadyWriters('steady', clients);
      await writers.more(missedWrites, withinMs);
      const { firstLogIndex, lastLogIndex, logDatabaseBytes } = await required(cluster, leader);
      expect(firstLogIndex).toBeGreaterThan(lastKnown + 1);
      expect(lastLogIndex - firstLogIndex).toBeLessThan(1000);
      expect(logDatabaseBytes).toBeLessThan(16 * 1024 * 1024);
      writers.resetGap();
      cluster.startMember(absent);
      await writers.more(500);
      while (((await cluster.status(absent))?.firstLogIndex ?? 0) < firstLogIndex) await writers.more(100);
      await writers.more(500);
      expect(writers.longestGapMs).toBeLessThan(2000 + stalls.longestMs);
      const account = await writers.stop();
      await cluster.converged();
      expect(await required(cluster, leader)).toMatchObject({ role: 'leader', term });
      for (const member of cluster.members) {
        expect(contradictions(account, await cluster.contents(member))).toEqual([]);
      }
    },
    withinMs + 120_000,
  );

  it('is found again after kill -9 at any moment of the installation', async () => {
    const leader = await cluster.leader();
    const absent = cluster.members.find((member) => member !== leader);
    if (absent === undefined) throw new Error('there are three members');
    const writers = new SteadyWriters('steady', [cluster.client([leader]), cluster.client([leader])]);
    let kills = 0;
    for (let round = 0; round < 6; round++) {
      await cluster.end(absent, 'SIGKILL');
      await writers.more(1500, 60_000);
      cluster.startMember(absent);
      // Starting takes some 500 ms, and the snapshot arrives and is installed some 10 to 200 ms after.
      await new Promise((resolve) => setTimeout(resolve, 500 + 60 * round));
      kills++;
    }
    expect(kills).toBe(6);
    await cluster.end(absent, 'SIGKILL');
    cluster.startMember(absent);
    const account = await writers.stop();
    await cluster.converged();
    expect(account.acknowledged).toBeGreaterThan(8000);
    expect(contradictions(account, await cluster.contents(absent))).toEqual([]);
  }, 180_000);
});

/** Beside 32 writers an answer may take longer than `status` waits. */
function required(cluster: ProcessCluster, member: ProcessCluster['members'][number]) {
  return eventually(10_000, `a status of ${member.name}`, () => cluster.status(member));
}
