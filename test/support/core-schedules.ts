/** Random schedules for a core cluster: everything that can happen to one, and what must be true once faults end. */
import fc from 'fast-check';
import { allMembers, isJoint, type MemberChange, type MemberId } from '../../src/raft';
import { majority } from '../../src/raft/quorum';
import type { CoreCluster } from './core-cluster';

/** One thing that happens in a schedule. `who`, `whom` and `amount` are any numbers; each step takes what it needs. */
export interface Happening {
  readonly what: string;
  readonly who: number;
  readonly whom: number;
  readonly amount: number;
}

/** Everything is small, so that every bound is met: one or two entries a message, almost nothing in memory. */
export const scheduleOptions = {
  maxAppendBytes: 150,
  maxInflightAppends: 3,
  maxInflightBytes: 600,
  maxCachedBytes: 300,
};

type Happen = (cluster: CoreCluster, happening: Happening) => void;

const faults = {
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
  /** Anybody who believes to lead is asked to read: who is mistaken must not answer. Everybody else asks whom it follows. */
  read: (cluster: CoreCluster) => {
    for (const id of cluster.ids) {
      const role = cluster.seat(id).raft?.status.role;
      if (role === 'leader') cluster.read(id);
      else if (role !== undefined) cluster.questions.ask(id);
    }
  },
  question: (cluster: CoreCluster, { amount }: Happening) => {
    cluster.questions.arrive(1 + (amount % 4));
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
  /**
   * The leader is cut off without knowing it, alone or with as many others as are no quorum: it takes a command, another is
   * elected and commits one, both are read.
   */
  usurp: (cluster: CoreCluster, { whom, amount }: Happening) => {
    const { leader } = cluster;
    const others = cluster.ids.filter((id) => id !== leader && cluster.isUp(id));
    const loyal = others.splice(amount % 2 === 0 ? Infinity : majority(cluster.ids.length));
    const usurper = others[whom % Math.max(1, others.length)];
    if (leader === undefined || usurper === undefined) return;
    cluster.partition(others, [leader, ...loyal]);
    cluster.propose(leader);
    for (let attempt = 0; attempt < 3 && cluster.raft(usurper).status.role !== 'leader'; attempt++) {
      cluster.now += cluster.options.electionTimeoutMs;
      cluster.timeOut(usurper);
      cluster.settle();
    }
    cluster.propose(usurper);
    cluster.settle();
    faults.read(cluster);
    cluster.settle();
  },
  /** A stretch without new faults, so that something gets done. */
  calm: (cluster: CoreCluster, { amount }: Happening) => {
    cluster.run(50 + (amount % 300), 10);
  },
};

/** What the cluster does to itself: shorter logs, other members, another leader. */
const changes = {
  compact: (cluster: CoreCluster, { who, amount }: Happening) => {
    const id = pick(cluster, who);
    if (cluster.isUp(id)) cluster.compact(id, amount % 6);
  },
  /** A new machine listens, and the leader is asked to let it learn. */
  join: (cluster: CoreCluster) => {
    if (cluster.leader === undefined || cluster.seats.size >= maxSeats) return;
    const id = BigInt(cluster.seats.size + 1);
    cluster.join(id);
    cluster.change(cluster.leader, [{ kind: 'add-learner', member: id }]);
  },
  /** One wish, which may be refused. */
  changeOne: (cluster: CoreCluster, { who, amount }: Happening) => {
    change(cluster, [who], amount % 8 === 0);
  },
  /** Several wishes at once: a joint configuration. */
  changeSome: (cluster: CoreCluster, { who, whom, amount }: Happening) => {
    change(cluster, [who, whom], amount % 8 === 0);
  },
  transfer: (cluster: CoreCluster, { whom, amount }: Happening) => {
    const { leader } = cluster;
    if (leader !== undefined) cluster.transfer(leader, amount % 3 === 0 ? undefined : pick(cluster, whom));
  },
  /** A member is cut off until others have shortened their logs: it will need a snapshot. */
  fallBehind: (cluster: CoreCluster, { who }: Happening) => {
    const { leader } = cluster;
    const id = pick(cluster, who);
    if (leader === undefined || id === leader) return;
    cluster.partition(cluster.ids.filter((other) => other !== id));
    for (let count = 0; count < 4; count++) cluster.propose(leader);
    cluster.settle();
    for (const other of cluster.ids) if (other !== id && cluster.isUp(other)) cluster.compact(other, 0);
    cluster.heal();
  },
};

const maxSeats = 9;

/** Asks for something that makes sense most of the time: promote, add at once, remove, demote. */
function wish(cluster: CoreCluster, leader: MemberId, number: number): MemberChange {
  const { voters, learners } = cluster.raft(leader).configuration.configuration;
  const outsiders = cluster.ids.filter((id) => !voters.includes(id) && !learners.includes(id));
  const [kind, candidates] = (
    [
      ['add-voter', learners],
      ['add-voter', outsiders],
      ['remove', [...voters, ...learners]],
      ['add-learner', voters],
    ] as const
  )[number % 4] ?? ['remove', voters];
  return { kind, member: candidates[(number >> 2) % Math.max(1, candidates.length)] ?? pick(cluster, number) };
}

/** Two of the voters stay at least, so that something remains to be tested. */
function change(cluster: CoreCluster, numbers: readonly number[], force: boolean): void {
  const { leader } = cluster;
  if (leader === undefined) return;
  const wishes = numbers.map((number) => wish(cluster, leader, number));
  const { voters } = cluster.raft(leader).configuration.configuration;
  const leave = wishes.filter(({ kind, member }) => kind !== 'add-voter' && voters.includes(member));
  if (voters.length - leave.length >= 2) cluster.change(leader, wishes, force);
}

const faultWeights: Record<keyof typeof faults, number> = {
  deliver: 50,
  overtake: 8,
  duplicate: 8,
  drop: 8,
  disk: 35,
  wait: 12,
  timeOut: 8,
  propose: 16,
  read: 6,
  question: 10,
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

const changeWeights: Record<keyof typeof changes, number> = {
  compact: 10,
  join: 4,
  changeOne: 6,
  changeSome: 8,
  transfer: 4,
  fallBehind: 3,
};

const happenings: Readonly<Record<string, Happen>> = { ...faults, ...changes };

/** Faults and work, in a cluster that stays as it is. */
export const faultSchedules = schedulesOf(faultWeights);

/** The same, while logs are shortened, members come and go, and leadership is handed over. */
export const changeSchedules = schedulesOf({ ...faultWeights, ...changeWeights });

export function happen(cluster: CoreCluster, step: Happening): void {
  happenings[step.what]?.(cluster, step);
}

function schedulesOf(weights: Readonly<Record<string, number>>): fc.Arbitrary<Happening[]> {
  const happening = fc.record({
    what: fc.oneof(...Object.entries(weights).map(([what, weight]) => ({ arbitrary: fc.constant(what), weight }))),
    who: fc.nat(60),
    whom: fc.nat(60),
    amount: fc.nat(1023),
  });
  return fc.array(happening, { minLength: 100, maxLength: 500, size: 'max' });
}

function pick(cluster: CoreCluster, number: number): bigint {
  return BigInt((number % cluster.seats.size) + 1);
}

/** Faults end. A leader must be there within ten election timeouts, and soon every member has everything. */
export function expectConvergence(cluster: CoreCluster): void {
  cluster.heal();
  cluster.slowDisks.clear();
  for (const id of cluster.ids) if (!cluster.isUp(id)) cluster.restart(id);
  cluster.run(10 * cluster.options.electionTimeoutMs, 10);
  const { leader } = cluster;
  if (leader === undefined) throw new Error('there is a leader again');
  cluster.questions.lose();
  const proposed = cluster.propose(leader).proposed[0]?.accepted;
  const read = cluster.checker.volume.readsConfirmed;
  cluster.read(leader);
  cluster.run(2 * cluster.options.electionTimeoutMs, 10);
  expect([proposed, cluster.leader]).toEqual([true, leader]);
  expect(cluster.checker.volume.readsConfirmed).toBe(read + 1);
  const { configuration } = cluster.raft(leader).configuration;
  expect(isJoint(configuration)).toBe(false);
  for (const id of allMembers(configuration)) expectEqualTo(cluster, leader, id);
  expect(cluster.checker.committed).toHaveLength(cluster.raft(leader).status.lastIndex);
}

function expectEqualTo(cluster: CoreCluster, leader: MemberId, id: MemberId): void {
  expect(cluster.seat(id).log).toHaveLength(cluster.seat(leader).log.length);
  expect(cluster.raft(id).status.lastTerm).toBe(cluster.raft(leader).status.lastTerm);
  expect(cluster.seat(id).applied).toHaveLength(cluster.checker.committed.length);
}
