import { CoreCluster, type Packet } from '../../support/core-cluster';
import { testOptions } from '../../support/raft';

/** A commit that nobody waits for is told no later than this. */
const commitNewsMs = testOptions.heartbeatIntervalMs / 10;

/** A cluster at rest under a leader, and everything that is sent from then on. */
function atRest(size: number): { cluster: CoreCluster; leader: bigint; packets: Packet[] } {
  const packets: Packet[] = [];
  const observer = { delivered: (packet: Packet) => void packets.push(packet) };
  const cluster = new CoreCluster({ size, observer });
  cluster.run(500);
  const { leader } = cluster;
  if (leader === undefined) throw new Error('there is a leader');
  packets.length = 0;
  return { cluster, leader, packets };
}

describe('Messages for each proposal', () => {
  it.each([3, 5])('a single one costs two for each of %i members but the leader, and the commit index', (size) => {
    const { cluster, leader, packets } = atRest(size);
    cluster.propose(leader);
    cluster.settle();
    expect(packets).toHaveLength(2 * (size - 1));
    cluster.run(commitNewsMs);
    expect(packets).toHaveLength(3 * (size - 1));
    expect(cluster.checker.committed).toHaveLength(2);
    for (const id of cluster.ids) expect(cluster.raft(id).status.commitIndex).toBe(2);
  });

  it('one after the other they cost two each: the next one tells the commit index', () => {
    const { cluster, leader, packets } = atRest(3);
    for (let count = 0; count < 100; count++) {
      cluster.propose(leader);
      cluster.settle();
    }
    expect(packets).toHaveLength(2 * 2 * 100);
  });

  it('where every commit is to be heard of at once they cost three each', () => {
    const { cluster, leader, packets } = atRest(3);
    for (const id of cluster.ids) cluster.step(id, { kind: 'follow-closely', wanted: true });
    cluster.run(cluster.options.heartbeatIntervalMs);
    packets.length = 0;
    for (let count = 0; count < 100; count++) {
      cluster.propose(leader);
      cluster.settle();
      for (const id of cluster.ids) expect(cluster.raft(id).status.commitIndex).toBe(2 + count);
    }
    expect(packets).toHaveLength(3 * 2 * 100);
  });

  it('twenty at once cost no more than one', () => {
    const { cluster, leader, packets } = atRest(3);
    const proposals = Array.from({ length: 20 }, () => ({ kind: 'command' as const, payload: new Uint8Array(10) }));
    cluster.step(leader, { kind: 'propose', id: 1, term: cluster.raft(leader).status.term, proposals });
    cluster.settle();
    expect(packets).toHaveLength(4);
  });

  it('a new leader gets one answer of each: a term and a vote that become durable are no news for it', () => {
    const answers: Packet[] = [];
    const delivered = (packet: Packet): void => {
      if (packet.message.kind === 'append-entries-response') answers.push(packet);
    };
    const cluster = new CoreCluster({ size: 3, observer: { delivered } });
    cluster.timeOut(1n);
    cluster.settle();
    expect(cluster.leader).toBe(1n);
    expect(answers).toHaveLength(2);
  });

  it('heartbeats are always answered, so that the leader knows its quorum', () => {
    const { cluster, packets } = atRest(3);
    cluster.run(10 * cluster.options.heartbeatIntervalMs);
    const count = (kind: string): number => packets.filter(({ message }) => message.kind === kind).length;
    expect(count('append-entries')).toBe(20);
    expect(count('append-entries-response')).toBe(20);
  });

  it('under a trickle of proposals the leader hears of every member at least every one and a half heartbeat intervals', () => {
    const { cluster, leader, packets } = atRest(3);
    const heard = new Map<bigint, number>();
    let longest = 0;
    for (let round = 0; round < 300; round++) {
      if (round % 3 === 0) cluster.propose(leader);
      cluster.advance(1 + (round % 7));
      cluster.settle();
      for (const { from, to } of packets.splice(0)) {
        if (to === leader) heard.set(from, cluster.now);
      }
      for (const at of heard.values()) longest = Math.max(longest, cluster.now - at);
    }
    expect(heard.size).toBe(2);
    expect(longest).toBeLessThanOrEqual(1.5 * cluster.options.heartbeatIntervalMs);
  });
});

describe('Heartbeats and bulk', () => {
  it('a heartbeat is sent beside bulk that is on its way, so that it may overtake it', () => {
    const cluster = new CoreCluster({ size: 2, options: { maxAppendBytes: 200, maxInflightBytes: 100_000 } });
    cluster.run(500);
    const leader = cluster.leader ?? 0n;
    cluster.drop();
    const heartbeats: number[] = [];
    for (let ms = 0; ms < 4 * cluster.options.heartbeatIntervalMs; ms++) {
      cluster.propose(leader, 150);
      cluster.advance(1);
      for (const { message } of cluster.wire) {
        if (message.kind === 'append-entries' && message.entries.length === 0) heartbeats.push(cluster.now);
      }
      cluster.wire = cluster.wire.filter(
        ({ message }) => message.kind === 'append-entries' && message.entries.length > 0,
      );
    }
    expect(heartbeats.length).toBeGreaterThanOrEqual(3);
  });
});
