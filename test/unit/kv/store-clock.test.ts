import { QuorateError } from '../../../src/base/error';
import { maxLeaseClockStepMs } from '../../../src/kv/command';
import { LeaderTasks, roundIntervalMs } from '../../../src/kv/leader-tasks';
import { clockIntervalMs, StoreClock } from '../../../src/kv/store-clock';
import { taskSurroundings } from '../../support/store-tasks';

function bench() {
  const around = taskSurroundings();
  const clock = new StoreClock(around.parts);
  new LeaderTasks({ scheduler: around.time, tasks: [clock], leadingTerm: () => 5 }).start();
  const steps = (): number[] =>
    around.proposer.take().flatMap((command) => (command.kind === 'advance-clock' ? [command.elapsedMs] : []));
  const addLease = () => around.store.leasesById.set(1n, { id: 1n, ttl: 10, grantIndex: 1, renewals: 0, renewedAt: 0 });
  return { ...around, steps, addLease };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe('StoreClock', () => {
  it('stands still while nothing needs it', async () => {
    const { time, steps } = bench();
    await time.pass(100_000);
    expect(steps()).toEqual([]);
  });

  it('moves often while there are leases, by the time that passed, and names its term', async () => {
    const { time, proposer, addLease } = bench();
    addLease();
    await time.pass(roundIntervalMs + clockIntervalMs.leases);
    expect(proposer.take()).toEqual([{ kind: 'advance-clock', term: 5, elapsedMs: clockIntervalMs.leases }]);
    await time.pass(10_000);
    expect(proposer.proposed.length).toBe(10_000 / clockIntervalMs.leases);
  });

  it('moves seldom for the sake of request ids', async () => {
    const { time, store, steps } = bench();
    store.requestCount = 1;
    await time.pass(100_000);
    expect(steps()).toEqual([clockIntervalMs.requests, clockIntervalMs.requests, clockIntervalMs.requests]);
  });

  it('does not count the time before anything needed it', async () => {
    const { time, steps, addLease } = bench();
    await time.pass(50_000);
    addLease();
    await time.pass(1000);
    expect(sum(steps())).toBeLessThanOrEqual(1000 + roundIntervalMs);
  });

  it('takes no step that is too long for leases, however long the member stood still', async () => {
    const { time, steps, addLease } = bench();
    addLease();
    await time.pass(roundIntervalMs);
    time.standStill(60_000);
    await time.pass(roundIntervalMs);
    expect(steps()).toEqual([maxLeaseClockStepMs]);
  });

  it('loses the time of a step that failed', async () => {
    const { time, proposer, steps, addLease } = bench();
    addLease();
    proposer.answer = () => new QuorateError('no-leader', 'nobody leads');
    await time.pass(roundIntervalMs + clockIntervalMs.leases);
    proposer.answer = () => ({ kind: 'done', revision: 1, changed: true });
    steps();
    await time.pass(clockIntervalMs.leases);
    expect(steps()).toEqual([clockIntervalMs.leases]);
  });
});
