import { defaultNodeOptions } from '../../../src/node/options';
import { NodeCluster, otherMember, runningNode, type ClusterMember } from '../../support/node-cluster';

const shortLog = { compactLogEntries: 5, trailingLogEntries: 5 };

async function propose(cluster: NodeCluster, through: ClusterMember, texts: readonly string[]): Promise<number[]> {
  const call = { deadline: cluster.time.now() + 60_000 };
  const node = runningNode(through);
  const results = texts.map((text) => node.propose(Buffer.from(text), call));
  await cluster.advance(300);
  return Promise.all(results);
}

function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `command ${from + at}`);
}

/** Nothing gets from or to this member. */
function cutOff(cluster: NodeCluster, member: ClusterMember): void {
  cluster.passes = ({ from, to }) => from !== member.id && to !== member.id;
}

async function converge(cluster: NodeCluster): Promise<void> {
  cluster.passes = () => true;
  await cluster.advance(8000);
  const [first] = cluster.members;
  for (const { machine, fatal } of cluster.members) {
    expect(fatal).toEqual([]);
    expect(machine.commands).toEqual(first?.machine.commands);
  }
}

/** Rounds of writes, so that the log is cut several times. */
async function write(cluster: NodeCluster, through: ClusterMember, from: number, to: number): Promise<void> {
  for (let at = from; at <= to; at += 5) await propose(cluster, through, texts(at, Math.min(to, at + 4)));
}

describe('A node with a short log', () => {
  it('cuts the log once the state is durable, and keeps the window (N4)', async () => {
    const cluster = await NodeCluster.start(3, shortLog);
    const leader = await cluster.leader();
    await write(cluster, leader, 1, 60);
    const { firstLogIndex, appliedIndex } = leader.node.status();
    expect(firstLogIndex).toBeGreaterThan(40);
    expect(appliedIndex - firstLogIndex + 1).toBeGreaterThanOrEqual(5);
    expect(leader.disk.entries.length).toBeLessThanOrEqual(20);
    await converge(cluster);
  });

  it('sends its state to a member that lacks more than the log holds (§7)', async () => {
    const cluster = await NodeCluster.start(3, shortLog);
    const leader = await cluster.leader();
    const lagging = otherMember(cluster, leader);
    await write(cluster, leader, 1, 5);
    cutOff(cluster, lagging);
    await write(cluster, leader, 6, 60);
    expect(lagging.machine.commands).toHaveLength(5);
    const { term } = leader.node.status();
    await converge(cluster);
    expect(lagging.machine.commands).toHaveLength(60);
    // It skipped what the log no longer held, and its own log begins there.
    expect(lagging.node?.status().firstLogIndex).toBeGreaterThan(40);
    expect(leader.node.status().term).toBe(term);
    await propose(cluster, lagging, ['through the one that lagged']);
    await converge(cluster);
  });

  it('goes on from the snapshot after a restart', async () => {
    const cluster = await NodeCluster.start(3, shortLog);
    const leader = await cluster.leader();
    const lagging = otherMember(cluster, leader);
    cutOff(cluster, lagging);
    await write(cluster, leader, 1, 40);
    await converge(cluster);
    await cluster.crash(lagging);
    await write(cluster, leader, 41, 45);
    await cluster.startMember(lagging);
    await converge(cluster);
    expect(lagging.machine.commands).toHaveLength(45);
  });

  it('tries again when a transfer breaks off, and applies nothing of it', async () => {
    const cluster = await NodeCluster.start(3, shortLog);
    const leader = await cluster.leader();
    const lagging = otherMember(cluster, leader);
    cutOff(cluster, lagging);
    await write(cluster, leader, 1, 40);
    let broken = 0;
    cluster.passes = ({ message, to }) => {
      const isLost = message.kind === 'snapshot' && to === lagging.id && message.sequence === 1 && broken < 3;
      if (isLost) broken++;
      return !isLost;
    };
    await cluster.advance(6 * defaultNodeOptions.snapshotRetryMs);
    expect(broken).toBe(3);
    await converge(cluster);
    expect(lagging.machine.commands).toHaveLength(40);
  });

  it('tells the outcome-unknown of a proposal whose fate the snapshot hides', async () => {
    const cluster = await NodeCluster.start(3, shortLog);
    const leader = await cluster.leader();
    const lagging = otherMember(cluster, leader);
    // Its question gets to the leader, and nothing gets back to it.
    cluster.passes = ({ to }) => to !== lagging.id;
    const pending = lagging.node?.propose(Buffer.from('hidden'), { deadline: cluster.time.now() + 60_000 });
    const outcome = pending?.catch((error: unknown) => error);
    await cluster.advance(50);
    cutOff(cluster, lagging);
    await write(cluster, leader, 1, 40);
    await converge(cluster);
    expect(leader.machine.commands).toContain('hidden');
    expect(await outcome).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
  });
});
