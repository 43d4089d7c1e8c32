import type { MemberChange } from '../../src/raft';
import { CoreCluster } from '../support/core-cluster';
import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, self, three, testOptions } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;
const learner = 8n;
const promote: MemberChange = { kind: 'add-voter', member: learner };

describe('Catching up new servers (thesis §4.2.1)', () => {
  it('a learner is sent the log and counts for nothing (§4.2.1, invariant M6)', () => {
    const member = raft.establishedLeader({ learners: [learner] });
    const update = member.propose(1);
    expect(raft.entriesSent(update, learner)).toEqual(['2:1']);
    expect(member.acknowledge(learner).commitIndex).toBe(1);
    member.persisted();
    expect(member.acknowledge(learner).commitIndex).toBe(1);
    expect(member.acknowledge(peerB).commitIndex).toBe(2);
  });

  it('a learner answers who asks for its vote: it may be a voter and not know (§4.2.1, invariant M6)', () => {
    const member = raft.member({ id: learner, voters: three, learners: [learner], term: 1, log: '1:1' });
    const update = member.receive(peerB, raft.requestVote({ term: 2, last: '1:1' }));
    expect(raft.onlySent(update, 'request-vote-response', peerB)).toEqual(raft.vote({ term: 2 }));
    expect(update.persist?.hardState).toEqual({ term: 2, votedFor: peerB });
  });

  it('a learner never campaigns, and forgets a leader it does not hear (§4.2.1)', () => {
    const member = raft.follower({ id: learner, voters: three, learners: [learner], term: 3 });
    for (let count = 0; count < 10; count++) expect(member.timeOut().messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'follower', term: 3, leader: undefined });
  });

  it('a learner becomes a voter only when it lacks little (§4.2.1, invariant M8)', () => {
    const member = raft.establishedLeader({ learners: [learner], options: { maxPromotionLag: 2 } });
    member.propose(...Array.from({ length: 5 }, () => 1));
    member.persisted();
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    member.acknowledge(learner, 3);
    expect(member.peer(learner)).toMatchObject({ matchIndex: 3, isActive: true, isCaughtUp: false });
    expect(member.change([promote]).changes).toEqual([{ id: 1, accepted: false, reason: 'not-caught-up' }]);
    member.acknowledge(learner, 4);
    expect(member.peer(learner).isCaughtUp).toBe(true);
    expect(member.change([promote]).changes).toMatchObject([{ accepted: true }]);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n, learner] });
  });

  it('a learner that is silent is not promoted, whatever it holds (§4.2.1)', () => {
    const member = raft.establishedLeader({ learners: [learner] });
    for (let beat = 0; beat < 6; beat++) {
      member.advance(heartbeatIntervalMs);
      for (const peer of [peerB, peerC]) member.acknowledge(peer);
    }
    expect(member.change([promote]).changes).toMatchObject([{ reason: 'not-caught-up' }]);
    expect(member.change([promote], true).changes).toMatchObject([{ accepted: true }]);
  });

  it('nor when it shall replace another at the same time', () => {
    const member = raft.establishedLeader({ learners: [learner], options: { maxPromotionLag: 0 } });
    member.propose(1);
    member.persisted();
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    const replace: MemberChange[] = [promote, { kind: 'remove', member: peerC }];
    expect(member.change(replace).changes).toMatchObject([{ reason: 'not-caught-up' }]);
    member.acknowledge(learner);
    expect(member.change(replace).changes).toMatchObject([{ accepted: true }]);
  });
});

describe('Removing the current leader (thesis §4.2.2)', () => {
  const removeSelf: MemberChange = { kind: 'remove', member: self };

  it('it leads on until its removal is committed, and does not count itself (§4.2.2)', () => {
    const member = raft.establishedLeader({ voters: [1n, 2n, 3n, 4n] });
    member.change([removeSelf]);
    member.persisted();
    expect(member.acknowledge(peerB)).toMatchObject({ commitIndex: 1, change: undefined });
    const update = member.acknowledge(peerC);
    expect(update.commitIndex).toBe(2);
    expect(update.change).toEqual({ role: 'follower', term: 1, leader: undefined });
  });

  it('before it goes it tells the others that they can commit, and asks one of them to lead (§4.2.2, §3.10)', () => {
    const member = raft.establishedLeader();
    member.change([removeSelf]);
    member.acknowledge(peerC);
    const update = member.acknowledge(peerB);
    for (const peer of [peerB, peerC]) {
      expect(raft.onlySent(update, 'append-entries', peer)).toMatchObject({ leaderCommit: 2 });
    }
    expect(raft.sent(update, 'timeout-now', peerB)).toHaveLength(1);
    expect(raft.sent(update, 'timeout-now')).toHaveLength(1);
  });

  it('it never campaigns again (§4.2.2)', () => {
    const member = raft.establishedLeader();
    member.change([removeSelf]);
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    expect(member.role).toBe('follower');
    for (let count = 0; count < 5; count++) expect(member.timeOut().messages).toEqual([]);
  });

  it('but it campaigns while its removal may not be committed: the others may need its log (§4.2.2)', () => {
    const member = raft.establishedLeader({ voters: [self, peerB] });
    member.change([removeSelf]);
    member.persisted();
    member.advance(electionTimeoutMs);
    expect(member.role).toBe('follower');
    const asked = raft.onlySent(member.timeOut(), 'request-vote', peerB);
    expect(asked).toMatchObject({ preVote: true, lastLogIndex: 2 });
    member.receive(peerB, raft.vote({ term: 2, preVote: true }));
    member.persisted();
    // Its own vote does not count.
    expect(member.role).toBe('candidate');
    member.receive(peerB, raft.vote({ term: 2 }));
    expect(member.role).toBe('leader');
    member.persisted();
    const update = member.acknowledge(peerB);
    expect(update.commitIndex).toBe(3);
    expect(update.change).toMatchObject({ role: 'follower', term: 2 });
  });

  it('it steps down too when it made itself a learner (§4.2.2)', () => {
    const member = raft.establishedLeader();
    member.change([{ kind: 'add-learner', member: self }]);
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    expect(member.role).toBe('follower');
  });

  it('a cluster goes on with another leader without waiting for an election timeout (§4.2.2)', () => {
    const cluster = new CoreCluster({ size: 3 });
    cluster.run(500);
    const { leader } = cluster;
    if (leader === undefined) throw new Error('there is a leader');
    const before = cluster.now;
    cluster.change(leader, [{ kind: 'remove', member: leader }]);
    cluster.settle();
    expect(cluster.now).toBe(before);
    expect(cluster.leader).not.toBe(leader);
    expect(cluster.propose(cluster.leader ?? 0n).proposed).toMatchObject([{ accepted: true }]);
  });
});

describe('Disruptive servers (thesis §4.2.3)', () => {
  it('a removed member is sent its removal, and that it is committed; then no more (§4.2.3, invariant M5)', () => {
    const member = raft.establishedLeader();
    const update = member.change([{ kind: 'remove', member: peerC }]);
    expect(raft.entriesSent(update, peerC)).toEqual(['2:1']);
    expect(member.peer(peerC).isLeaving).toBe(true);
    member.persisted();
    member.acknowledge(peerC);
    const committed = member.acknowledge(peerB);
    expect(raft.onlySent(committed, 'append-entries', peerC)).toMatchObject({ leaderCommit: 2 });
    expect(raft.sent(member.advance(heartbeatIntervalMs), 'append-entries', peerC)).toEqual([]);
    expect(member.raft.peers(member.now).map(({ peer }) => peer)).toEqual([peerB]);
  });

  it('who cannot be told is given up after an election timeout (§4.2.3)', () => {
    const member = raft.establishedLeader();
    member.change([{ kind: 'remove', member: peerC }]);
    member.persisted();
    for (let beat = 0; beat < electionTimeoutMs / heartbeatIntervalMs; beat++) {
      expect(member.raft.peers(member.now)).toHaveLength(2);
      member.acknowledge(peerB);
      member.advance(heartbeatIntervalMs);
    }
    expect(member.raft.peers(member.now).map(({ peer }) => peer)).toEqual([peerB]);
  });

  it('a new leader tells those its predecessor removed, as long as it is not sure that they know (§4.2.3)', () => {
    const cluster = new CoreCluster({ size: 4 });
    cluster.run(500);
    const leader = cluster.leader ?? 0n;
    const [victim = 0n, successor = 0n] = cluster.ids.filter((id) => id !== leader);
    cluster.cut(leader, victim);
    cluster.change(leader, [{ kind: 'remove', member: victim }]);
    for (const id of cluster.ids) if (id !== leader) cluster.cut(id, leader);
    cluster.settle();
    cluster.crash(leader);
    for (let attempt = 0; attempt < 8 && cluster.leader !== successor; attempt++) {
      cluster.now += 2 * electionTimeoutMs;
      cluster.timeOut(successor);
      cluster.settle();
    }
    expect(cluster.leader).toBe(successor);
    expect(cluster.raft(victim).configuration.configuration.removed).toEqual([victim]);
    expect(cluster.raft(victim).status.commitIndex).toBe(cluster.raft(successor).status.commitIndex);
  });

  it('one that was not told campaigns in vain: terms and leader stay (§4.2.3, §9.6, invariant L4)', () => {
    const cluster = new CoreCluster({ size: 4 });
    cluster.run(500);
    const leader = cluster.leader ?? 0n;
    const victim = cluster.ids.find((id) => id !== leader) ?? 0n;
    cluster.partition(cluster.ids.filter((id) => id !== victim));
    cluster.change(leader, [{ kind: 'remove', member: victim }]);
    cluster.run(500);
    cluster.heal();
    const { term } = cluster.raft(leader).status;
    cluster.run(3000);
    expect(cluster.raft(victim).configuration.index).toBe(0);
    expect(cluster.raft(victim).status).toMatchObject({ leader: undefined, term });
    expect(cluster.raft(leader).status).toMatchObject({ role: 'leader', term });
  });

  it('who hears from a leader refuses even a higher term (§4.2.3)', () => {
    const member = raft.follower({ voters: five, term: 2, log: '1:1' });
    const update = member.receive(peerD, raft.requestVote({ term: 7, last: '9:6' }));
    expect(raft.onlySent(update, 'request-vote-response', peerD)).toEqual(raft.vote({ term: 2, voteGranted: false }));
    expect(member.status.term).toBe(2);
  });
});
