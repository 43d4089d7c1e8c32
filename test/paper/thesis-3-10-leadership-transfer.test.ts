import { CoreCluster } from '../support/core-cluster';
import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, self, testOptions } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;

describe('Leadership transfer (thesis §3.10)', () => {
  it('the leader stops taking proposals, which are surely not done (§3.10, step 1)', () => {
    const member = raft.establishedLeader();
    member.propose(1);
    member.transfer(peerB);
    const update = member.propose(1);
    expect(update.proposed).toEqual([{ id: 1, accepted: false, reason: 'not-leader' }]);
    expect(update.persist).toBeUndefined();
  });

  it('it brings the successor’s log up to date before it asks (§3.10, step 2)', () => {
    const member = raft.establishedLeader();
    member.propose(1);
    expect(raft.sent(member.transfer(peerB), 'timeout-now')).toEqual([]);
    expect(raft.sent(member.acknowledge(peerC), 'timeout-now')).toEqual([]);
    expect(raft.onlySent(member.acknowledge(peerB), 'timeout-now', peerB)).toEqual(raft.timeoutNow(1));
  });

  it('it sends again what the successor seems to have lost, in time for the transfer (§3.10, step 2)', () => {
    const member = raft.establishedLeader();
    // Sent to B, and lost on the way: B goes on answering heartbeats with what it has.
    member.propose(1);
    member.acknowledge(peerC);
    member.transfer(peerB);
    const again: string[] = [];
    for (let waited = 0; waited < electionTimeoutMs - heartbeatIntervalMs && again.length === 0; waited += 10) {
      again.push(...raft.entriesSent(member.advance(10), peerB));
      again.push(...raft.entriesSent(member.acknowledge(peerB, 1), peerB));
      member.acknowledge(peerC);
    }
    expect(again).toEqual(['2:1']);
    expect(raft.onlySent(member.acknowledge(peerB), 'timeout-now', peerB)).toEqual(raft.timeoutNow(1));
  });

  it('it asks a successor that has everything at once, and only once (§3.10, step 3)', () => {
    const member = raft.establishedLeader();
    expect(raft.onlySent(member.transfer(peerB), 'timeout-now', peerB)).toEqual(raft.timeoutNow(1));
    expect(raft.sent(member.advance(heartbeatIntervalMs), 'timeout-now')).toEqual([]);
  });

  it('it ends when the successor’s higher term arrives (§3.10)', () => {
    const member = raft.establishedLeader();
    member.transfer(peerB);
    const update = member.receive(peerB, raft.requestVote({ term: 2, last: '1:1', leadershipTransfer: true }));
    expect(update.transfers).toEqual([{ id: 1, done: true }]);
    expect(member.status).toMatchObject({ role: 'follower', votedFor: peerB });
  });

  it('after an election timeout it is given up, and the leader works on (§3.10, invariant L7)', () => {
    const member = raft.establishedLeader();
    member.transfer(peerB);
    for (let waited = 0; waited < electionTimeoutMs - 1; waited += 11) {
      expect(member.advance(11).transfers).toEqual([]);
      member.acknowledge(peerC);
    }
    expect(member.timeOut().transfers).toEqual([{ id: 1, done: false, reason: 'timed-out' }]);
    expect(member.propose(1).proposed).toEqual([{ id: 1, accepted: true, firstIndex: 2 }]);
  });

  it('it asks to be woken when the time is up (§3.10)', () => {
    const member = raft.establishedLeader({ options: { heartbeatIntervalMs: 1000 } });
    member.advance(40);
    for (const peer of member.peers) member.acknowledge(peer);
    const began = member.now;
    member.transfer(peerB);
    member.acknowledge(peerC);
    expect(member.raft.nextTickAt).toBeLessThanOrEqual(began + electionTimeoutMs);
  });

  it.each([
    ['a learner', 8n, 'not-a-voter'],
    ['a stranger', 9n, 'not-a-voter'],
  ])('%s cannot take over (§3.10)', (_, to, reason) => {
    const member = raft.establishedLeader({ learners: [8n] });
    const update = member.transfer(to);
    expect(update.transfers).toEqual([{ id: 1, done: false, reason }]);
    expect(update.messages).toEqual([]);
  });

  it('who will not vote after the joint configuration cannot take over (§3.10, §4.3)', () => {
    const member = raft.establishedLeader({ configuration: { voters: [1n, 2n], outgoing: [1n, 2n, 3n] } });
    expect(member.transfer(peerC).transfers).toEqual([{ id: 1, done: false, reason: 'not-a-voter' }]);
  });

  it('a joint configuration is left while it goes on (§3.10, §4.3)', () => {
    const member = raft.establishedLeader({ voters: five });
    member.change([4n, 5n].map((id) => ({ kind: 'remove', member: id })));
    member.persisted();
    expect(member.transfer(peerD).transfers).toEqual([{ id: 1, done: false, reason: 'not-a-voter' }]);
    member.transfer(peerB);
    for (const peer of member.peers) member.acknowledge(peer);
    for (const peer of member.peers) member.acknowledge(peer);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n], removed: [4n, 5n] });
  });

  it('a transfer to the leader itself is done already', () => {
    expect(raft.establishedLeader().transfer(self).transfers).toEqual([{ id: 1, done: true }]);
  });

  it('there is one at a time', () => {
    const member = raft.establishedLeader();
    member.transfer(peerB);
    expect(member.transfer(peerC).transfers).toEqual([{ id: 1, done: false, reason: 'busy' }]);
  });

  it('only a leader can hand over', () => {
    expect(raft.follower().transfer(peerB).transfers).toEqual([{ id: 1, done: false, reason: 'not-leader' }]);
  });

  it('the configuration stays as it is meanwhile', () => {
    const member = raft.establishedLeader();
    member.transfer(peerB);
    const [answer] = member.change([{ kind: 'add-learner', member: 9n }]).changes;
    expect(answer).toMatchObject({ accepted: false, reason: 'unfinished' });
  });

  it('without a name, the voter that answers and lacks least is chosen; of equals the smallest', () => {
    const member = raft.establishedLeader({ voters: five, learners: [8n] });
    member.propose(1);
    for (const peer of [peerC, peerD, 8n]) member.acknowledge(peer);
    expect(raft.onlySent(member.transfer(), 'timeout-now')).toEqual(raft.timeoutNow(1));
    expect(raft.sent(member.advance(1), 'timeout-now', peerC)).toEqual([]);
    const request = raft.requestVote({ term: 2, last: '2:1', leadershipTransfer: true });
    expect(member.receive(peerC, request).transfers).toEqual([{ id: 1, done: true }]);
  });

  it('without a name, the one that is silent is not chosen', () => {
    const member = raft.establishedLeader();
    member.advance(electionTimeoutMs - 1);
    member.acknowledge(peerC);
    member.advance(1);
    expect(raft.onlySent(member.transfer(), 'timeout-now', peerC)).toEqual(raft.timeoutNow(1));
  });

  it.each([
    ['alone', raft.establishedLeader({ voters: [self] })],
    ['with learners', raft.establishedLeader({ voters: [self], learners: [8n] })],
  ])('a leader %s has nobody to hand over to', (_, member) => {
    expect(member.transfer().transfers).toEqual([{ id: 1, done: false, reason: 'no-successor' }]);
  });

  it('in a cluster at work the successor leads at once, and nothing acknowledged is lost (§3.10)', () => {
    const cluster = new CoreCluster({ size: 3 });
    cluster.run(500);
    for (let round = 0; round < 10; round++) {
      const { leader } = cluster;
      if (leader === undefined) throw new Error('there is a leader');
      cluster.propose(leader);
      const before = cluster.now;
      cluster.transfer(leader);
      cluster.settle();
      expect(cluster.now).toBe(before);
      expect(cluster.leader).not.toBe(leader);
    }
    expect(cluster.checker.changes.transfersDone).toBe(10);
    expect(cluster.checker.committed.filter(({ entry }) => entry.kind === 'command')).toHaveLength(10);
  });
});

describe('TimeoutNow from somebody else (thesis §3.10)', () => {
  it('who follows a leader does not obey another of the same term (§3.10, §5.2)', () => {
    const member = raft.follower({ term: 3 });
    expect(member.receive(peerC, raft.timeoutNow(3)).messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'follower', term: 3, leader: peerB });
  });
});
