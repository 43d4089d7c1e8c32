/** What takes a member long to apply takes the others as long: nobody's silence meanwhile is a reason to give it up. */
import { defaultRaftOptions } from '../../../src/raft';
import { type ClusterMember, NodeCluster, otherMember, runningNode } from '../../support/node-cluster';

const { electionTimeoutMs, heartbeatIntervalMs } = defaultRaftOptions;

/** Applying the command `long` takes the member so long. */
function applySlowly(cluster: NodeCluster, { machine }: ClusterMember, ms: number): void {
  const apply = machine.apply.bind(machine);
  machine.apply = (entries) => {
    if (entries.some(({ payload }) => Buffer.from(payload).toString().endsWith('long'))) cluster.time.standStill(ms);
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
