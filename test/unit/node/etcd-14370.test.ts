import { NodeCluster, runningNode } from '../../support/node-cluster';

describe('etcd #14370: a cluster of one acknowledged before its own disk had the entry', () => {
  it('a write is answered after the fsync, and a crash before it answers nobody', async () => {
    const cluster = await NodeCluster.start(1);
    const { node, id } = await cluster.leader();
    const [member] = cluster.members;
    if (member === undefined) throw new Error('there is one');
    let answers = 0;
    const propose = (text: string) => {
      const answered = node.propose(Buffer.from(text), { deadline: cluster.time.now() + 60_000 });
      answered.then(
        () => answers++,
        () => undefined,
      );
    };

    cluster.stalledDisks.add(id);
    propose('waits for the disk');
    await cluster.advance(10);
    expect(answers).toBe(0);
    expect(member.machine.commands).toEqual([]);
    cluster.resumeDisk(id);
    await cluster.settle();
    expect(answers).toBe(1);

    cluster.stalledDisks.add(id);
    propose('is lost with the power');
    await cluster.advance(10);
    await cluster.crash(member);
    expect(answers).toBe(1);
    cluster.stalledDisks.delete(id);
    await cluster.startMember(member);
    await cluster.leader();
    expect(runningNode(member).status().hasQuorum).toBe(true);
    expect(member.machine.commands).toEqual(['waits for the disk']);
  });
});
