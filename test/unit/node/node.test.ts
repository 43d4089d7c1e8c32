/** The driver over in-memory storage and transport, in virtual time. */
import { QuorateError } from '../../../src/base/error';
import type { PeerMessage } from '../../../src/transport/transport';
import { NodeCluster, type ClusterMember } from '../../support/node-cluster';

const command = (text: string): Uint8Array => Buffer.from(text);

/** Proposes through a member that runs. */
function proposeTo({ node }: ClusterMember, text: string): Promise<number> {
  return node === undefined
    ? Promise.reject(new Error('the member does not run'))
    : node.propose(command(text), { deadline: Infinity });
}

describe('a node', () => {
  it('answers a proposal when a majority holds it and it is applied here', async () => {
    const cluster = await NodeCluster.start(3);
    const { node, machine } = await cluster.leader();
    const answer = node.propose(command('a'), { deadline: Infinity });
    await cluster.settle();
    await expect(answer).resolves.toBe(1);
    expect(machine.commands).toEqual(['a']);
  });

  it('forwards a proposal to the leader and answers when its own copy has applied it', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const follower = cluster.members.find(({ id }) => id !== leader.id);
    const answer = follower?.node?.propose(command('b'), { deadline: Infinity });
    await cluster.settle();
    await expect(answer).resolves.toBe(1);
    expect(follower?.machine.commands).toEqual(['b']);
  });

  it('hears of every commit at once while it follows closely, else a moment later', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const [close, distant] = cluster.members.filter(({ id }) => id !== leader.id);
    close?.node?.followClosely(true);
    await cluster.advance(100);
    const answer = proposeTo(leader, 'c');
    await cluster.settle();
    await answer;
    expect(close?.machine.commands).toEqual(['c']);
    expect(distant?.machine.commands).toEqual([]);
    await cluster.advance(10);
    expect(distant?.machine.commands).toEqual(['c']);
  });

  it('applies a batch of proposals in the order of the calls', async () => {
    const cluster = await NodeCluster.start(3, { maxForwardBytes: 40 });
    const leader = await cluster.leader();
    const follower = cluster.members.find(({ id }) => id !== leader.id);
    const answers = ['1', '2', '3', '4', '5'].map((text) =>
      follower === undefined ? Promise.reject(new Error('no follower')) : proposeTo(follower, text),
    );
    await cluster.settle();
    await Promise.all(answers);
    expect(leader.machine.commands).toEqual(['1', '2', '3', '4', '5']);
  });

  it('keeps a proposal for the next leader when the one it was handed to fails before appending it', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const follower = cluster.members.find(({ id }) => id !== leader.id);
    cluster.passes = ({ message }) => message.kind !== 'forward-proposals';
    const answer = follower?.node?.propose(command('kept'), { deadline: Infinity });
    await cluster.settle();
    cluster.passes = () => true;
    const original = cluster.members.find(({ id }) => id === leader.id);
    if (original !== undefined) await cluster.crash(original);
    const successor = await cluster.leader();
    await cluster.advance(500);
    await expect(answer).resolves.toBe(1);
    expect(successor.machine.commands).toEqual(['kept']);
  });

  it('tells not-done for a proposal that found no leader, unknown for one whose leader is silent', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const follower = cluster.members.find(({ id }) => id !== leader.id);
    cluster.passes = ({ message }) => message.kind !== 'forward-proposals';
    const lost = follower?.node?.propose(command('x'), { deadline: cluster.time.now() + 300 });
    const lostOutcome = lost?.catch((error: unknown) => error);
    await cluster.advance(400);
    expect(await lostOutcome).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });

    cluster.passes = () => false;
    await cluster.advance(5000);
    const alone = follower?.node?.propose(command('y'), { deadline: cluster.time.now() + 300 });
    const aloneOutcome = alone?.catch((error: unknown) => error);
    await cluster.advance(400);
    expect(await aloneOutcome).toMatchObject({ code: 'no-leader', outcome: 'not-done' });
  });

  it('does a proposal once also when the network holds the request back over a change of leader', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    const follower = cluster.members.find(({ id }) => id !== leader.id);
    const held: PeerMessage[] = [];
    cluster.passes = ({ message, from, to }) => {
      if (message.kind === 'forward-proposals' && held.length === 0) {
        held.push(message);
        return false;
      }
      return from !== leader.id && to !== leader.id;
    };
    const answer = follower?.node?.propose(command('once'), { deadline: Infinity });
    await cluster.advance(5000);
    cluster.passes = () => true;
    await cluster.advance(5000);
    // The request of long ago arrives at last.
    const [late] = held;
    if (late !== undefined && follower !== undefined) {
      cluster.network.transport(follower.id).send(leader.id, late);
    }
    await cluster.advance(1000);
    await answer;
    for (const { machine } of cluster.members) expect(machine.commands).toEqual(['once']);
  });

  it('lets no message leave before the term and vote it speaks of are durable (S8)', async () => {
    const cluster = await NodeCluster.start(3);
    for (const { id } of cluster.members) cluster.stalledDisks.add(id);
    const seen: string[] = [];
    cluster.passes = ({ message }) => {
      if (message.kind === 'request-vote' && !message.preVote) seen.push('vote requested');
      if (message.kind === 'request-vote-response' && !message.preVote) seen.push('vote given');
      return true;
    };
    await cluster.advance(10_000);
    expect(seen).toEqual([]);
    for (const { id } of cluster.members) cluster.resumeDisk(id);
    await cluster.leader();
    expect(seen).toContain('vote given');
  });

  it('does not count itself before its own disk has the entry (S7)', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    await cluster.settle();
    const others = cluster.members.filter(({ id }) => id !== leader.id);
    const [first] = others;
    cluster.stalledDisks.add(leader.id);
    if (first !== undefined) cluster.stalledDisks.add(first.id);
    const answer = leader.node.propose(command('slow'), { deadline: Infinity });
    await cluster.advance(300);
    expect(leader.machine.commands).toEqual([]);
    if (first !== undefined) cluster.resumeDisk(first.id);
    await cluster.advance(300);
    // Two followers are a majority; yet this member applies only what its own disk holds.
    expect(first?.machine.commands).toEqual(['slow']);
    expect(leader.machine.commands).toEqual([]);
    cluster.resumeDisk(leader.id);
    await cluster.advance(300);
    await expect(answer).resolves.toBe(1);
  });

  it('serves a read barrier through any member, after everything acknowledged before', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    await Promise.all([leader.node.propose(command('w'), { deadline: Infinity }), cluster.settle()]);
    for (const member of cluster.members) {
      const barrier = member.node?.readBarrier({ deadline: Infinity });
      await cluster.settle();
      await barrier;
      expect(member.machine.commands).toEqual(['w']);
    }
  });

  it('confirms no read for a leader that was replaced without knowing it', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    cluster.passes = ({ from, to }) => from !== leader.id && to !== leader.id;
    const barrier = leader.node.readBarrier({ deadline: cluster.time.now() + 900 }).catch((error: unknown) => error);
    await cluster.advance(1000);
    expect(await barrier).toBeInstanceOf(QuorateError);
    expect(await barrier).toMatchObject({ outcome: 'not-done' });
  });

  it('catches up after a crash and drops what was never committed', async () => {
    const cluster = await NodeCluster.start(3);
    const leader = await cluster.leader();
    cluster.passes = ({ from }) => from !== leader.id;
    const lost = leader.node.propose(command('uncommitted'), { deadline: cluster.time.now() + 200 });
    const outcome = lost.catch((error: unknown) => error);
    await cluster.advance(300);
    expect(await outcome).toMatchObject({ outcome: 'unknown' });
    const original = cluster.members.find(({ id }) => id === leader.id);
    if (original === undefined) throw new Error('the leader is a member');
    await cluster.crash(original);
    cluster.passes = () => true;
    const successor = await cluster.leader();
    await Promise.all([successor.node.propose(command('kept'), { deadline: Infinity }), cluster.settle()]);
    await cluster.startMember(original);
    await cluster.advance(3000);
    expect(original.machine.commands).toEqual(['kept']);
    expect(original.disk.entries.map(({ kind }) => kind)).toEqual(['no-op', 'no-op', 'command']);
  });

  it('stops at once when its disk fails, and answers nobody (architecture §1.5)', async () => {
    const cluster = await NodeCluster.start(1);
    const leader = await cluster.leader();
    let answered = false;
    cluster.stalledDisks.add(leader.id);
    leader.node.propose(command('z'), { deadline: Infinity }).then(
      () => (answered = true),
      () => (answered = true),
    );
    await cluster.settle();
    leader.storage?.fail();
    await cluster.advance(1000);
    expect(leader.fatal).toHaveLength(1);
    expect(answered).toBe(false);
  });

  it('refuses more than it can hold, surely not done', async () => {
    const cluster = await NodeCluster.start(3, { maxWaitingProposals: 2 });
    const leader = await cluster.leader();
    const call = { deadline: Infinity };
    const accepted = [leader.node.propose(command('1'), call), leader.node.propose(command('2'), call)];
    await expect(leader.node.propose(command('3'), call)).rejects.toMatchObject({
      code: 'overloaded',
      outcome: 'not-done',
    });
    await cluster.settle();
    await Promise.all(accepted);
  });
});
