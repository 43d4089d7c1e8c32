import fc from 'fast-check';
import { CoreCluster } from '../support/core-cluster';
import { changeSchedules, expectConvergence, happen, scheduleOptions } from '../support/core-schedules';
import { noChanges, type ChangeVolume } from '../support/safety-checker';

describe.each([
  { size: 3, leaseReads: false },
  { size: 4, leaseReads: true },
])('a cluster of $size cores that changes under random schedules, leases: $leaseReads', ({ size, leaseReads }) => {
  const runs = 250;
  const total = noChanges();
  let readsConfirmed = 0;

  it('keeps the invariants S1 to S15, M1 to M7, N1, N3 and K3 at every step, and converges once faults end', () => {
    fc.assert(
      fc.property(changeSchedules, fc.nat(), (schedule, seed) => {
        const cluster = new CoreCluster({
          size,
          seed,
          options: { ...scheduleOptions, maxPromotionLag: 3, leaseReads },
        });
        for (const step of schedule) happen(cluster, step);
        expectConvergence(cluster);
        for (const key of Object.keys(total) as (keyof ChangeVolume)[]) total[key] += cluster.checker.changes[key];
        readsConfirmed += cluster.checker.volume.readsConfirmed;
      }),
      // Finding a smaller schedule that fails takes minutes: SHRINK=1 asks for it.
      { numRuns: runs, seed: 20150710 + size, endOnFailure: process.env['SHRINK'] !== '1' },
    );
  });

  it('really did something', () => {
    expect(total.compactions).toBeGreaterThan(500);
    expect(total.installs).toBeGreaterThan(150);
    expect(total.configurations).toBeGreaterThan(200);
    expect(total.joint).toBeGreaterThan(12);
    expect(total.transfersDone).toBeGreaterThan(60);
    expect(total.refusals).toBeGreaterThan(300);
    expect(readsConfirmed).toBeGreaterThan(300);
    // Nobody lost what it had acknowledged, and nobody was suspected of it.
    expect(total.warnings).toBe(0);
  });
});
