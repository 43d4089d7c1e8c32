import type { ListedMember } from '../../../src/node/member-directory';
import type { Wish } from '../../../src/node/membership-plan';
import { defaultNodeOptions } from '../../../src/node/options';
import { directoryEntry, NodeCluster, otherMember, runningNode, type ClusterMember } from '../../support/node-cluster';

async function change(cluster: NodeCluster, through: ClusterMember, wish: Wish, ms = 2000): Promise<unknown> {
  const done = through.node?.changeMembers(wish, { deadline: cluster.time.now() + ms });
  const outcome = done?.catch((error: unknown) => error);
  await cluster.advance(ms + 100);
  return outcome;
}

async function write(cluster: NodeCluster, through: ClusterMember, count: number): Promise<void> {
  const call = { deadline: cluster.time.now() + 10_000 };
  const node = runningNode(through);
  const results = Array.from({ length: count }, (_, at) => node.propose(Buffer.from(`w${at}`), call));
  await cluster.advance(500);
  await Promise.all(results);
}

function standings(member: ClusterMember): string {
  const list = member.node?.members() ?? [];
  return list
    .map(({ name, standing }: ListedMember) => (standing === 'voter' ? name : `${name} ${standing}`))
    .join(', ');
}

function named(id: bigint): { readonly name: string } {
  return { name: directoryEntry(id).name };
}

describe('Members of a running cluster', () => {
  it('are known by name from the beginning', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    expect(standings(leader)).toBe('m1, m2, m3');
    expect(leader.node.status().peers.map(({ state }) => state)).toEqual(['replicate', 'replicate']);
  });

  it('are added as learners, and vote once they have caught up (thesis §4.2.1)', async () => {
    const cluster = await NodeCluster.start(3, { compactLogEntries: 5, trailingLogEntries: 5 });
    const leader = await cluster.leader();
    for (let round = 0; round < 10; round++) await write(cluster, leader, 5);
    const wish = { $case: 'add', value: { member: directoryEntry(4n, true) } } as const;
    expect(await change(cluster, otherMember(cluster, leader), wish)).toEqual(expect.any(Number));
    expect(standings(leader)).toBe('m1, m2, m3, m4 learner');
    // It has not started: nothing to wait for.
    await cluster.advance(3000);
    expect(standings(leader)).toBe('m1, m2, m3, m4 learner');
    const joined = await cluster.join(4n);
    await cluster.advance(5000);
    expect(standings(leader)).toBe('m1, m2, m3, m4');
    expect(standings(joined)).toBe('m1, m2, m3, m4');
    expect(joined.machine.commands).toEqual(leader.machine.commands);
    await write(cluster, joined, 3);
    expect(leader.node.status().role).toBe('leader');
  });

  it('stay learners if that is wished, until they are promoted', async () => {
    const cluster = await NodeCluster.start(1);
    const leader = await cluster.leader();
    await change(cluster, leader, { $case: 'add', value: { member: directoryEntry(2n) } });
    const joined = await cluster.join(2n);
    await cluster.advance(3000);
    expect(standings(joined)).toBe('m1, m2 learner');
    expect(await change(cluster, joined, { $case: 'promote', value: named(2n) })).toEqual(expect.any(Number));
    expect(standings(joined)).toBe('m1, m2');
  });

  it('are removed, told so, and disturb nobody (M5)', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const removed = otherMember(cluster, leader);
    const { term } = leader.node.status();
    expect(await change(cluster, leader, { $case: 'remove', value: named(removed.id) })).toEqual(expect.any(Number));
    expect(removed.removals).toBe(1);
    await cluster.advance(10_000);
    expect(leader.node.status()).toMatchObject({ role: 'leader', term });
    await write(cluster, leader, 3);
    expect(standings(leader)).not.toContain(named(removed.id).name);
  });

  it('that were removed send their callers elsewhere at once', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const removed = otherMember(cluster, leader);
    await change(cluster, leader, { $case: 'remove', value: named(removed.id) }, 200);
    const call = { deadline: cluster.time.now() + 60_000 };
    const node = runningNode(removed);
    await expect(node.propose(Buffer.from('x'), call)).rejects.toMatchObject({ code: 'stopping', outcome: 'not-done' });
    await expect(node.readBarrier(call)).rejects.toMatchObject({ code: 'stopping' });
    const wish = { $case: 'promote', value: { name: 'm1' } } as const;
    await expect(node.changeMembers(wish, call)).rejects.toMatchObject({ code: 'stopping' });
    expect(node.status().hasQuorum).toBe(false);
  });

  it('include the leader, which is removed and succeeded (thesis §4.2.2)', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    expect(await change(cluster, leader, { $case: 'remove', value: named(leader.id) })).toEqual(expect.any(Number));
    await cluster.advance(5000);
    expect(cluster.members.find(({ id }) => id === leader.id)?.removals).toBe(1);
    const successor = await cluster.leader();
    expect(successor.id).not.toBe(leader.id);
    await write(cluster, successor, 3);
  });

  it('are replaced in one step, dead as they are (thesis §4.3)', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const dead = otherMember(cluster, leader);
    await cluster.crash(dead);
    const member = { ...directoryEntry(9n), name: named(dead.id).name };
    const wish = { $case: 'replace', value: { ...named(dead.id), member } } as const;
    expect(await change(cluster, otherMember(cluster, leader), wish)).toEqual(expect.any(Number));
    const joined = await cluster.join(9n);
    await cluster.advance(3000);
    expect(leader.node.members().map(({ id }) => id)).toContain(9n);
    expect(leader.node.members()).toHaveLength(3);
    await write(cluster, joined, 3);
    expect(joined.machine.commands).toEqual(leader.machine.commands);
  });

  it('move without becoming others', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const value = { name: 'm2', peerAddress: 'elsewhere:7', clientAddress: '' };
    expect(await change(cluster, leader, { $case: 'update', value })).toEqual(expect.any(Number));
    for (const { node } of cluster.members) {
      expect(node?.members().find(({ name }) => name === 'm2')).toMatchObject({ id: 2n, peerAddress: 'elsewhere:7' });
    }
  });

  it('cannot be changed so that the cluster would stop', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const dead = otherMember(cluster, leader);
    await cluster.crash(dead);
    await cluster.advance(3000);
    const alive = otherMember(cluster, leader, dead);
    const outcome = await change(cluster, leader, { $case: 'remove', value: named(alive.id) });
    expect(outcome).toMatchObject({ code: 'change-refused', outcome: 'not-done' });
    expect(standings(leader)).toBe('m1, m2, m3');
  });

  it('refuse what makes no sense, with the reason', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const outcome = await change(cluster, otherMember(cluster, leader), { $case: 'remove', value: { name: 'm7' } });
    expect(outcome).toMatchObject({ code: 'change-refused', message: expect.stringContaining('no member m7') });
  });

  it('are not changed without a leader, surely', async () => {
    const cluster = await NodeCluster.start(3);
    cluster.passes = () => false;
    const [alone] = cluster.members;
    if (alone === undefined) throw new Error('there are three');
    const outcome = await change(cluster, alone, { $case: 'remove', value: named(2n) });
    expect(outcome).toMatchObject({ code: 'no-leader', outcome: 'not-done' });
  });

  it('do not know whether a change was made when the leader is cut off meanwhile', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    cluster.passes = ({ from, to }) => from !== leader.id && to !== leader.id;
    const outcome = await change(
      cluster,
      leader,
      { $case: 'remove', value: named(otherMember(cluster, leader).id) },
      3000,
    );
    expect(outcome).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
    cluster.passes = () => true;
    await cluster.advance(5000);
    expect(standings(await cluster.leader())).toBe('m1, m2, m3');
  });
});

describe('Leadership', () => {
  it('is handed to a chosen member, asked through any, without a lost write (thesis §3.10)', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const successor = otherMember(cluster, leader);
    const call = { deadline: cluster.time.now() + 5000 };
    const writes = Array.from({ length: 20 }, (_, at) => leader.node.propose(Buffer.from(`${at}`), call));
    const asked = successor.node?.changeMembers({ $case: 'transfer', value: named(successor.id) }, call);
    const more = Array.from({ length: 20 }, (_, at) => leader.node.propose(Buffer.from(`more ${at}`), call));
    await cluster.advance(500);
    await expect(asked).resolves.toEqual(expect.any(Number));
    await Promise.all([...writes, ...more]);
    expect((await cluster.leader()).id).toBe(successor.id);
    expect(new Set(successor.machine.commands).size).toBe(40);
  });

  it('is handed over by a member that resigns, to whoever is up', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const dead = otherMember(cluster, leader);
    await cluster.crash(dead);
    await cluster.advance(2000);
    const resigned = leader.node.resign();
    await cluster.advance(300);
    await resigned;
    expect(leader.node.status().role).toBe('follower');
    expect((await cluster.leader()).id).toBe(otherMember(cluster, leader, dead).id);
  });

  it('stays with whoever has it by the time a member resigns', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const successor = otherMember(cluster, leader);
    const call = { deadline: cluster.time.now() + 1000 };
    const handedOver = leader.node.changeMembers({ $case: 'transfer', value: named(successor.id) }, call);
    await cluster.time.pass(0);
    const resigned = leader.node.resign();
    await cluster.advance(3000);
    await Promise.all([handedOver, resigned]);
    expect(await cluster.leader()).toMatchObject({ id: successor.id });
    expect(leader.node.term).toBe(runningNode(successor).term);
    expect(leader.node.term).toBe(2);
  });

  it('leaves a member whose disk is slow', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    cluster.stalledDisks.add(leader.id);
    const write = otherMember(cluster, leader).node?.propose(Buffer.from('x'), {
      deadline: cluster.time.now() + 10_000,
    });
    await cluster.advance(3000);
    expect((await cluster.leader()).id).not.toBe(leader.id);
    await expect(write).resolves.toEqual(expect.any(Number));
    cluster.resumeDisk(leader.id);
    await cluster.advance(2000);
    expect(leader.machine.commands).toEqual(['x']);
  });

  it('does not leave a member for the time in which its process stood still', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    cluster.stalledDisks.add(leader.id);
    const write = leader.node.propose(Buffer.from('x'), { deadline: cluster.time.now() + 10_000 });
    await cluster.settle();
    const { slowDiskMs } = defaultNodeOptions;
    cluster.time.standStill(slowDiskMs + 100);
    await cluster.advance(slowDiskMs - 100);
    expect((await cluster.leader()).id).toBe(leader.id);
    // Its disk is slow all the same.
    await cluster.advance(200);
    expect((await cluster.leader()).id).not.toBe(leader.id);
    cluster.resumeDisk(leader.id);
    await cluster.advance(2000);
    await expect(write).resolves.toEqual(expect.any(Number));
  });
});
