/** The test of a retry storm, as long as it is wanted: part of the gate, and longer as a campaign. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRng } from '../../src/base/rng';
import { ProcessCluster } from './process-cluster';
import { changes, debts, newVolume, StormClient, type Held } from './retry-storm';

/** Between two deaths of a leader: an election, and a while of work. */
const lifeMs = 2500;

export function describeRetryStorm({
  clients: count,
  seconds,
}: {
  readonly clients: number;
  readonly seconds: number;
}): void {
  const leastDeaths = Math.floor(seconds / 10);

  describe(`A retry storm of ${String(count)} clients while leaders are killed`, () => {
    let cluster: ProcessCluster;

    beforeEach(async () => {
      cluster = await ProcessCluster.start({ args: ['--election-timeout', '500', '--heartbeat-interval', '50'] });
    }, 30_000);
    afterEach(() => cluster.stop());

    async function heldBy(member: ProcessCluster['members'][number]): Promise<Held> {
      const leases: bigint[] = [];
      for await (const page of cluster.client([member], 20_000).leases.list()) {
        leases.push(...page.map(({ leaseId }) => leaseId));
      }
      return { contents: await cluster.contents(member), leases };
    }

    it(
      'has every change done exactly once (X1, X5)',
      async () => {
        const volume = newVolume();
        // Each tries once: it is the storm that repeats.
        const members = cluster.members.map((member) => cluster.client([member], 2000, 1));
        const rng = seededRng(64);
        const clients = Array.from({ length: count }, (_, at) => {
          return new StormClient(`c${String(at).padStart(2, '0')}`, members, { rng, volume });
        });
        const until = performance.now() + seconds * 1000;
        let deaths = 0;
        // A slow machine is given the time it needs for what makes it a storm.
        const isOver = (): boolean => performance.now() > until && deaths >= leastDeaths;
        const storm = Promise.all(clients.map((client) => client.run(isOver)));
        while (!isOver()) {
          await sleep(lifeMs);
          const leader = await cluster.leader();
          await cluster.end(leader, 'SIGKILL');
          cluster.startMember(leader);
          deaths++;
        }
        await cluster.leader();
        await storm;
        await cluster.converged();

        for (const member of cluster.members) expect(debts(clients, await heldBy(member))).toEqual([]);
        // It was a storm.
        console.log(volume, `${String(deaths)} leaders killed`);
        expect(deaths).toBeGreaterThanOrEqual(leastDeaths);
        for (const change of changes) expect(volume.acknowledged.get(change)).toBeGreaterThan(count);
        expect(volume.sendings).toBeGreaterThan(10 * count);
        expect(volume.replays).toBeGreaterThan(count);
        expect(volume.unknown).toBeGreaterThan(0);
      },
      seconds * 1000 + 120_000,
    );
  });
}
