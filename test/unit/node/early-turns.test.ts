/** What others wait for does not wait for the end of the turn of the event loop; what time asks for does. */
import { defaultRaftOptions } from '../../../src/raft';
import { NodeCluster, otherMember, runningNode } from '../../support/node-cluster';

const { electionTimeoutMs } = defaultRaftOptions;

/** Everything that follows from what has happened, but no turn of the event loop ends for a member. */
const withinTheTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function startCluster() {
  const cluster = await NodeCluster.start(3);
  const leader = await cluster.leader();
  await cluster.settle();
  return { cluster, leader };
}

/** Delivers what is on its way, and what follows from that, in this turn. */
async function deliverAll({ network }: NodeCluster): Promise<void> {
  while (network.packets.length > 0) {
    network.deliver();
    await withinTheTurn();
  }
}

/** What is on its way. */
function kindsUnderWay({ network }: NodeCluster): string[] {
  return network.packets.map(({ message }) => message.kind);
}

/** The entries on their way to the followers. */
function entriesUnderWay({ network }: NodeCluster): number {
  return network.packets.reduce(
    (sum, { message }) => sum + (message.kind === 'append-entries' ? message.entries.length : 0),
    0,
  );
}

describe('An early turn', () => {
  it('acknowledges entries, commits, applies and answers in the turn of the event loop in which all that came', async () => {
    const { cluster, leader } = await startCluster();
    const done = leader.node.propose(Buffer.from('one'), { deadline: Infinity });
    await withinTheTurn();
    expect(cluster.network.packets).toHaveLength(0);
    cluster.time.endTurn();
    expect(kindsUnderWay(cluster)).toEqual(['append-entries', 'append-entries']);
    await deliverAll(cluster);
    expect(await done).toBe(1);
  });

  it('does not look at the time: whoever is heard before the turn ends is not given up', async () => {
    const { cluster, leader } = await startCluster();
    const follower = otherMember(cluster, leader);
    cluster.stalledDisks.add(follower.id);
    void leader.node.propose(Buffer.from('one'), { deadline: Infinity });
    cluster.time.endTurn();
    await deliverAll(cluster);
    cluster.time.standStill(3 * electionTimeoutMs);
    while (cluster.time.runNextTimer(cluster.time.now()));
    cluster.resumeDisk(follower.id);
    await withinTheTurn();
    expect(cluster.network.packets.map(({ from, message }) => [from, message.kind])).toEqual([
      [follower.id, 'append-entries-response'],
    ]);
    expect(runningNode(follower).status().role).toBe('follower');
    cluster.time.endTurn();
    expect(runningNode(follower).status().role).toBe('pre-candidate');
  });

  it('leaves what callers want to gather until the turn of the event loop ends', async () => {
    const { cluster, leader } = await startCluster();
    const done = leader.node.propose(Buffer.from('one'), { deadline: Infinity });
    cluster.time.endTurn();
    void leader.node.propose(Buffer.from('two'), { deadline: Infinity });
    await deliverAll(cluster);
    expect(await done).toBe(1);
    expect(entriesUnderWay(cluster)).toBe(0);
    cluster.time.endTurn();
    expect(entriesUnderWay(cluster)).toBe(2);
  });

  it('answers the question of a follower for its reads in the turn of the event loop in which that came', async () => {
    const { cluster, leader } = await startCluster();
    const follower = otherMember(cluster, leader);
    const read = runningNode(follower).readBarrier({ deadline: Infinity });
    cluster.time.endTurn();
    expect(kindsUnderWay(cluster)).toEqual(['forward-read']);
    await deliverAll(cluster);
    await expect(read).resolves.toBeUndefined();
  });

  it('has a follower ask for the reads that came meanwhile with the answer', async () => {
    const { cluster, leader } = await startCluster();
    const follower = runningNode(otherMember(cluster, leader));
    const first = follower.readBarrier({ deadline: Infinity });
    cluster.time.endTurn();
    const meanwhile = follower.readBarrier({ deadline: Infinity });
    await deliverAll(cluster);
    await expect(Promise.all([first, meanwhile])).resolves.toHaveLength(2);
  });

  it.each([
    [127, 0],
    [128, 256],
  ])('of %d proposals in one turn sends %d entries before that ends', async (proposals, entries) => {
    const { cluster, leader } = await startCluster();
    for (let at = 0; at < proposals; at++) void leader.node.propose(Buffer.from('x'), { deadline: Infinity });
    await withinTheTurn();
    expect(entriesUnderWay(cluster)).toBe(entries);
  });
});
