/** What takes a member long to apply takes the others as long: nobody's silence meanwhile is a reason to give it up. */
import { defaultRaftOptions, type ApplyUntil, type Entry } from '../../../src/raft';
import { type ClusterMember, NodeCluster, otherMember, runningNode } from '../../support/node-cluster';

const { electionTimeoutMs, heartbeatIntervalMs } = defaultRaftOptions;

const isLong = ({ payload }: Entry): boolean => Buffer.from(payload).toString().endsWith('long');

/** Applying the command `long` takes the member so long. */
function applySlowly(cluster: NodeCluster, { machine }: ClusterMember, ms: number): void {
  const apply = machine.apply.bind(machine);
  machine.apply = (entries) => {
    if (entries.some(isLong)) cluster.time.standStill(ms);
    return apply(entries);
  };
}

/** A machine to which `long` takes long; `onBegun` is told when it begins with that. */
function tellsLong({ machine }: ClusterMember, onBegun: () => void): void {
  const apply = machine.apply.bind(machine);
  machine.apply = (entries: readonly Entry[], until: ApplyUntil = 'end') => {
    const at = entries.findIndex(isLong);
    if (at >= 0 && until === 'long') return apply(entries.slice(0, at));
    if (at >= 0) onBegun();
    return apply(entries);
  };
}

/** A cluster whose leader, and perhaps another, took `ms` to apply something; since then nothing comes to `deaf`. */
async function afterLongTurns(ms: number, who: 'leader' | 'follower') {
  const cluster = await NodeCluster.start(3);
  const leader = await cluster.leader();
  const deaf = who === 'leader' ? leader : otherMember(cluster, leader);
  for (const member of new Set([leader, deaf])) applySlowly(cluster, member, ms);
  const done = leader.node.propose(Buffer.from('long'), { deadline: Infinity });
  const isApplied = (): boolean => cluster.members.every(({ machine }) => machine.commands.length === 1);
  cluster.passes = ({ to }) => to !== deaf.id || !isApplied();
  await cluster.advance(0);
  await done;
  expect(isApplied()).toBe(true);
  const { term } = leader.node.status();
  return { cluster, leader, deaf, term };
}

describe('A turn that takes longer than an election timeout', () => {
  it.each(['leader', 'follower'] as const)('is no silence of the others: a %s gives nobody up', async (who) => {
    const { cluster, leader, deaf, term } = await afterLongTurns(2 * electionTimeoutMs, who);
    await cluster.advance(electionTimeoutMs / 2);
    expect(runningNode(deaf).status()).toMatchObject({ role: who, term });
    cluster.passes = () => true;
    await cluster.advance(5 * electionTimeoutMs);
    expect(runningNode(leader).status()).toMatchObject({ role: 'leader', term });
  });

  it('puts off by an election timeout at most what follows from silence', async () => {
    const { cluster, deaf } = await afterLongTurns(10 * electionTimeoutMs, 'leader');
    await cluster.advance(electionTimeoutMs + 2 * heartbeatIntervalMs);
    expect(runningNode(deaf).status().role).not.toBe('leader');
  });
});

describe('An entry that takes long', () => {
  it('is begun by nobody before all have heard that it is committed, and nothing overtakes it', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const commitsAtBegin: number[][] = [];
    for (const member of cluster.members) {
      tellsLong(member, () => {
        commitsAtBegin.push(cluster.members.map((each) => runningNode(each).status().commitIndex));
      });
    }
    const { commitIndex } = runningNode(leader).status();
    const commands = ['before', 'long', 'after', 'long', 'end'];
    const done = commands.map((each) => runningNode(leader).propose(Buffer.from(each), { deadline: Infinity }));
    await cluster.advance(heartbeatIntervalMs);
    expect(await Promise.all(done)).toEqual([1, 2, 3, 4, 5]);
    for (const { machine } of cluster.members) expect(machine.commands).toEqual(commands);
    expect(commitsAtBegin).toHaveLength(6);
    for (const commits of commitsAtBegin) expect(Math.min(...commits)).toBeGreaterThanOrEqual(commitIndex + 2);
  });

  it('is begun also where it must be read from the log', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const late = otherMember(cluster, leader);
    // More than a member keeps in memory of its log when it starts.
    const commands = ['x'.repeat(2000), 'long', 'y'.repeat(2000), 'long', 'z'.repeat(2000)];
    for (const each of commands) void runningNode(leader).propose(Buffer.from(each), { deadline: Infinity });
    await cluster.advance(10 * heartbeatIntervalMs);
    await cluster.crash(late);
    Object.assign(late.machine, { commands: [], appliedIndex: 0, appliedTerm: 0 });
    let begun = 0;
    tellsLong(late, () => begun++);
    await cluster.startMember(late);
    await cluster.advance(10 * heartbeatIntervalMs);
    expect(late.machine.commands).toEqual(commands);
    expect(begun).toBe(2);
  });
});
