import fc from 'fast-check';
import { CoreCluster } from '../support/core-cluster';
import type { Volume } from '../support/safety-checker';

/** One thing that happens in a schedule. `who`, `whom` and `amount` are any numbers; each step takes what it needs. */
interface Happening {
  readonly what: keyof typeof happenings;
  readonly who: number;
  readonly whom: number;
  readonly amount: number;
}

/** Everything is small, so that every bound is met: one or two entries a message, almost nothing in memory. */
const options = { maxAppendBytes: 150, maxInflightAppends: 3, maxInflightBytes: 600, maxCachedBytes: 300 };

const happenings = {
  /** The oldest packets arrive. */
  deliver: (cluster: CoreCluster, { amount }: Happening) => {
    for (let count = amount % 8; count >= 0; count--) cluster.deliver();
  },
  /** A younger packet overtakes the others. */
  overtake: (cluster: CoreCluster, { who }: Happening) => {
    if (cluster.wire.length > 0) cluster.deliver(who % cluster.wire.length);
  },
  /** A packet arrives now and will arrive again. */
  duplicate: (cluster: CoreCluster, { who }: Happening) => {
    if (cluster.wire.length > 0) cluster.deliver(who % cluster.wire.length, true);
  },
  drop: (cluster: CoreCluster, { who, amount }: Happening) => {
    const at = who % Math.max(1, cluster.wire.length);
    const lost = new Set(cluster.wire.slice(at, at + 1 + (amount % 4)));
    cluster.drop((packet) => lost.has(packet));
  },
  /** A disk finishes some of what it was given. */
  disk: (cluster: CoreCluster, { who, amount }: Happening) => {
    const id = pick(cluster, who);
    if (cluster.isUp(id) && cluster.seat(id).queue.length > 0) cluster.finishDisk(id, 1 + (amount % 3));
  },
  wait: (cluster: CoreCluster, { amount }: Happening) => {
    cluster.advance(amount % 40);
  },
  /** One member's patience ends; a leader among them sends its heartbeats. */
  timeOut: (cluster: CoreCluster, { who }: Happening) => {
    const id = pick(cluster, who);
    if (cluster.isUp(id)) cluster.timeOut(id);
  },
  propose: (cluster: CoreCluster, { who, amount }: Happening) => {
    const id = cluster.leader ?? pick(cluster, who);
    if (!cluster.isUp(id)) return;
    for (let count = amount % 4; count >= 0; count--) cluster.propose(id);
  },
  /** Anybody who believes to lead is asked to read: who is mistaken must not answer. */
  read: (cluster: CoreCluster) => {
    for (const id of cluster.ids) {
      if (cluster.seat(id).raft?.status.role === 'leader') cluster.read(id);
    }
  },
  partition: (cluster: CoreCluster, { amount }: Happening) => {
    const sides = [0, 1].map((side) => cluster.ids.filter((id) => ((amount >> Number(id)) & 1) === side));
    cluster.partition(...sides);
  },
  cutOneWay: (cluster: CoreCluster, { who, whom }: Happening) => {
    cluster.cut(pick(cluster, who), pick(cluster, whom));
  },
  heal: (cluster: CoreCluster) => {
    cluster.heal();
  },
  lostConnection: (cluster: CoreCluster, { who, whom }: Happening) => {
    const [id, peer] = [pick(cluster, who), pick(cluster, whom)];
    if (cluster.isUp(id)) cluster.step(id, { kind: 'unreachable', peer });
  },
  timeoutNow: (cluster: CoreCluster, { whom }: Happening) => {
    const { leader } = cluster;
    const to = pick(cluster, whom);
    if (leader === undefined || leader === to) return;
    cluster.wire.push({ from: leader, to, message: { kind: 'timeout-now', term: cluster.raft(leader).status.term } });
  },
  crash: (cluster: CoreCluster, { who, amount }: Happening) => {
    const id = pick(cluster, who);
    if (cluster.isUp(id)) cluster.crash(id, amount % 4);
  },
  /** After a power cut the state machine may know less than it did, and memory holds only the end of the log. */
  restart: (cluster: CoreCluster, { who, amount }: Happening) => {
    const id = pick(cluster, who);
    if (cluster.isUp(id)) return;
    cluster.restart(id, {
      applied: Math.max(0, cluster.seat(id).applied.length - (amount % 5)),
      inMemory: 1 + (amount % 7),
    });
  },
  /** A disk becomes slow, or quick again. A slow one still does a job when `disk` meets it. */
  slowDisk: (cluster: CoreCluster, { who }: Happening) => {
    const id = pick(cluster, who);
    if (!cluster.slowDisks.delete(id)) cluster.slowDisks.add(id);
  },
  /** The leader is cut off without knowing it: it takes a command, another is elected and commits one, both are read. */
  usurp: (cluster: CoreCluster, { whom }: Happening) => {
    const { leader } = cluster;
    const others = cluster.ids.filter((id) => id !== leader && cluster.isUp(id));
    const usurper = others[whom % Math.max(1, others.length)];
    if (leader === undefined || usurper === undefined) return;
    cluster.partition(others);
    cluster.propose(leader);
    for (let attempt = 0; attempt < 3 && cluster.raft(usurper).status.role !== 'leader'; attempt++) {
      cluster.now += cluster.options.electionTimeoutMs;
      cluster.timeOut(usurper);
      cluster.settle();
    }
    cluster.propose(usurper);
    cluster.settle();
    happenings.read(cluster);
    cluster.settle();
  },
  /** A stretch without new faults, so that something gets done. */
  calm: (cluster: CoreCluster, { amount }: Happening) => {
    cluster.run(50 + (amount % 300), 10);
  },
};

const weights: Record<keyof typeof happenings, number> = {
  deliver: 50,
  overtake: 8,
  duplicate: 8,
  drop: 8,
  disk: 35,
  wait: 12,
  timeOut: 8,
  propose: 16,
  read: 6,
  partition: 2,
  cutOneWay: 2,
  heal: 6,
  lostConnection: 2,
  timeoutNow: 2,
  crash: 3,
  restart: 6,
  slowDisk: 2,
  usurp: 3,
  calm: 6,
};

const happening = fc.record({
  what: fc.oneof(...Object.entries(weights).map(([what, weight]) => ({ arbitrary: fc.constant(what), weight }))),
  who: fc.nat(60),
  whom: fc.nat(60),
  amount: fc.nat(1023),
}) as fc.Arbitrary<Happening>;

function pick(cluster: CoreCluster, number: number): bigint {
  return BigInt((number % cluster.seats.size) + 1);
}

/** Faults end. A leader must be there within ten election timeouts, and soon everybody has everything. */
function expectConvergence(cluster: CoreCluster): void {
  cluster.heal();
  cluster.slowDisks.clear();
  for (const id of cluster.ids) if (!cluster.isUp(id)) cluster.restart(id);
  cluster.run(10 * cluster.options.electionTimeoutMs, 10);
  const { leader } = cluster;
  if (leader === undefined) throw new Error('there is a leader again');
  cluster.propose(leader);
  const read = cluster.checker.volume.readsConfirmed;
  cluster.read(leader);
  cluster.run(2 * cluster.options.electionTimeoutMs, 10);
  expect(cluster.leader).toBe(leader);
  expect(cluster.checker.volume.readsConfirmed).toBe(read + 1);
  for (const id of cluster.ids) {
    expect(cluster.drawLog(id)).toBe(cluster.drawLog(leader));
    expect(cluster.seat(id).applied).toHaveLength(cluster.checker.committed.length);
  }
  expect(cluster.checker.committed).toHaveLength(cluster.raft(leader).status.lastIndex);
}

describe.each([3, 4, 5])('a cluster of %i cores under random schedules', (size) => {
  const total: Volume & { schedules: number } = {
    schedules: 0,
    elections: 0,
    commits: 0,
    truncations: 0,
    restarts: 0,
    loads: 0,
    readsConfirmed: 0,
    readsFailed: 0,
    acknowledgements: 0,
  };

  it('keeps every safety property of Figure 3 at every step, and converges once faults end', () => {
    const schedules = fc.array(happening, { minLength: 100, maxLength: 500, size: 'max' });
    fc.assert(
      fc.property(schedules, fc.nat(), (schedule, seed) => {
        const cluster = new CoreCluster({ size, seed, options });
        for (const step of schedule) happenings[step.what](cluster, step);
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
