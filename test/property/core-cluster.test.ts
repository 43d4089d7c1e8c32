import fc from 'fast-check';
import { CoreCluster } from '../support/core-cluster';
import { expectConvergence, faultSchedules, happen, scheduleOptions } from '../support/core-schedules';
import { noVolume, type Volume } from '../support/safety-checker';

describe.each([3, 4, 5])('a cluster of %i cores under random schedules', (size) => {
  const total: Volume & { schedules: number } = { schedules: 0, ...noVolume() };

  it('keeps every safety property of Figure 3 at every step, and converges once faults end', () => {
    fc.assert(
      fc.property(faultSchedules, fc.nat(), (schedule, seed) => {
        const cluster = new CoreCluster({ size, seed, options: scheduleOptions });
        for (const step of schedule) happen(cluster, step);
        expectConvergence(cluster);
        total.schedules++;
        for (const key of Object.keys(cluster.checker.volume) as (keyof Volume)[]) {
          total[key] += cluster.checker.volume[key];
        }
      }),
      // Finding a smaller schedule that fails takes minutes: SHRINK=1 asks for it.
      { numRuns: 250, seed: 20140616 + size, endOnFailure: process.env['SHRINK'] !== '1' },
    );
  });

  it('really did something', () => {
    expect(total.schedules).toBe(250);
    expect(total.elections).toBeGreaterThan(600);
    expect(total.commits).toBeGreaterThan(3_000);
    expect(total.truncations).toBeGreaterThan(120);
    expect(total.restarts).toBeGreaterThan(600);
    expect(total.loads).toBeGreaterThan(400);
    expect(total.readsConfirmed).toBeGreaterThan(400);
    expect(total.readsFailed).toBeGreaterThan(300);
    expect(total.acknowledgements).toBeGreaterThan(30_000);
  });
});
