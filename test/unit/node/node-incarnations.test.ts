import { MemoryDisk } from '../../../src/storage/memory-storage';
import { ListMachine, NodeCluster, runningNode, type ClusterMember } from '../../support/node-cluster';

/** A member as it was before, with its disk as it is now: to be put back later. */
function copyOf({ disk }: ClusterMember): MemoryDisk {
  const copy = new MemoryDisk(disk.id);
  const { identity, configuration, hardState, lastRemoved, boots } = disk;
  Object.assign(copy, { identity, configuration, hardState, lastRemoved, boots });
  copy.entries.push(...disk.entries);
  for (const [peer, incarnation] of disk.peerIncarnations) copy.peerIncarnations.set(peer, incarnation);
  return copy;
}

async function aFollower(cluster: NodeCluster): Promise<ClusterMember> {
  const leader = await cluster.leader();
  const follower = cluster.members.find(({ id }) => id !== leader.id);
  if (follower === undefined) throw new Error('there is a follower');
  return follower;
}

/** Starts a member on this disk, in the place of a follower that is gone. */
async function returnWith(cluster: NodeCluster, disk: MemoryDisk, from: ClusterMember): Promise<ClusterMember> {
  const machine = new ListMachine();
  const member: ClusterMember = { ...from, disk, machine, fatal: [], storage: undefined, node: undefined };
  cluster.members[cluster.members.indexOf(from)] = member;
  await cluster.startMember(member);
  await cluster.advance(3000);
  return member;
}

async function restart(cluster: NodeCluster, member: ClusterMember): Promise<void> {
  await cluster.crash(member);
  await cluster.startMember(member);
  await cluster.advance(2000);
}

async function write(cluster: NodeCluster, command: string): Promise<void> {
  const { node } = await cluster.leader();
  const done = node.propose(Buffer.from(command), { deadline: cluster.time.now() + 5000 });
  await cluster.advance(100);
  await done;
}

describe('A member with another disk than before (invariant M7)', () => {
  let cluster: NodeCluster;

  beforeEach(async () => {
    cluster = await NodeCluster.start(3);
    await write(cluster, 'one');
  });

  it('is refused when its disk was wiped: it stops, and the others go on', async () => {
    const follower = await aFollower(cluster);
    await cluster.crash(follower);
    const wiped = await returnWith(cluster, new MemoryDisk(), follower);
    expect(wiped.fatal).toMatchObject([
      { code: 'refused-to-start', message: expect.stringContaining(`replace m${wiped.id}`) },
    ]);
    expect([undefined, wiped.id]).toContain(wiped.disk.hardState.votedFor);
    expect(wiped.disk.lastIndex).toBe(0);
    await write(cluster, 'two');
  });

  it('cannot be started again on the disk that was refused', async () => {
    const follower = await aFollower(cluster);
    await cluster.crash(follower);
    const wiped = await returnWith(cluster, new MemoryDisk(), follower);
    await cluster.crash(wiped);
    await expect(cluster.startMember(wiped)).rejects.toMatchObject({ code: 'damaged' });
  });

  it.each([0, 1, 3])('is refused with an old copy of its disk, started %d times more since', async (boots) => {
    const follower = await aFollower(cluster);
    await cluster.crash(follower);
    const copy = copyOf(follower);
    await cluster.startMember(follower);
    await write(cluster, 'two');
    for (let boot = 0; boot < boots; boot++) await restart(cluster, follower);
    await cluster.crash(follower);
    const restored = await returnWith(cluster, copy, follower);
    expect(restored.fatal).toMatchObject([{ code: 'refused-to-start' }]);
    await write(cluster, 'three');
  });

  it('is admitted with its own disk however often it starts, alone and with all others', async () => {
    for (const member of cluster.members) await restart(cluster, member);
    for (const member of cluster.members) await cluster.crash(member);
    for (const member of cluster.members) await cluster.startMember(member);
    await write(cluster, 'two');
    await cluster.advance(3000);
    expect(cluster.members.map(({ fatal }) => fatal)).toEqual([[], [], []]);
    for (const member of cluster.members) {
      expect(runningNode(member).status().appliedIndex).toBe((await cluster.leader()).node.status().appliedIndex);
      expect(member.disk.peerIncarnations.size).toBe(2);
    }
  });

  it('answers nobody after it was refused', async () => {
    const follower = await aFollower(cluster);
    await cluster.crash(follower);
    // Nobody hears it; the leader, which knows it, stays.
    cluster.passes = ({ from }) => from !== follower.id;
    const wiped = await returnWith(cluster, new MemoryDisk(), follower);
    expect(wiped.fatal).toEqual([]);
    cluster.passes = () => true;
    await cluster.advance(3000);
    expect(wiped.fatal).toHaveLength(1);
    const late = runningNode(wiped).propose(Buffer.from('late'), { deadline: cluster.time.now() + 5000 });
    await expect(late).rejects.toMatchObject({ code: 'stopping', outcome: 'not-done' });
  });
});
