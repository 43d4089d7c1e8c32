/** The test of kill -9 of all members at once, as often as it is wanted: part of the gate, and longer as a campaign. */
import { ProcessCluster } from './process-cluster';
import { contradictions, SteadyWriters, type Account } from './steady-writers';

export function describeKillAll(rounds: number): void {
  describe('kill -9 of all members at once under load', () => {
    let cluster: ProcessCluster;

    beforeEach(async () => {
      cluster = await ProcessCluster.start({ args: ['--election-timeout', '300', '--heartbeat-interval', '50'] });
    }, 30_000);
    afterEach(() => cluster.stop());

    it(
      `keeps every acknowledged write and equal members over ${String(rounds)} times`,
      async () => {
        const accounts: Account[] = [];
        for (let round = 1; round <= rounds; round++) {
          const clients = Array.from({ length: 8 }, () => cluster.client(cluster.members, 1000));
          const writers = new SteadyWriters(`round-${String(round)}`, clients);
          await writers.more(50);
          await Promise.all(cluster.members.map((member) => cluster.end(member, 'SIGKILL')));
          const account = await writers.stop();
          expect(account.acknowledged).toBeGreaterThanOrEqual(50);
          accounts.push(account);

          for (const member of cluster.members) cluster.startMember(member);
          await cluster.leader();
          await cluster.converged();
          const [first, ...others] = await Promise.all(cluster.members.map((member) => cluster.contents(member)));
          for (const other of others) expect(other).toEqual(first);
          for (const earlier of accounts) expect(contradictions(earlier, first ?? [])).toEqual([]);
        }
      },
      30_000 + 20_000 * rounds,
    );
  });
}
