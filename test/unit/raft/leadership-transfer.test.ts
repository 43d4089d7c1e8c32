import * as raft from '../../support/raft';
import { peerB, peerC, self, three } from '../../support/raft';

describe('TimeoutNow receiver (thesis §3.10)', () => {
  it('campaigns at once, in a new term and without a pre-vote (§3.10)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:3' });
    const update = member.receive(peerB, raft.timeoutNow(3));
    expect(member.status).toMatchObject({ role: 'candidate', term: 4, votedFor: self });
    expect(update.persist?.hardState).toEqual({ term: 4, votedFor: self });
    const request = raft.requestVote({ term: 4, last: '2:3', leadershipTransfer: true });
    expect(update.messages).toEqual([peerB, peerC].map((to) => ({ to, message: request })));
  });

  it('becomes leader with a majority, its own vote once it is durable (§3.10)', () => {
    const member = raft.follower({ term: 3 });
    member.receive(peerB, raft.timeoutNow(3));
    member.receive(peerB, raft.vote({ term: 4 }));
    expect(member.role).toBe('candidate');
    expect(member.persisted().change).toMatchObject({ role: 'leader', term: 4 });
  });

  it('the only voter leads once its vote is durable', () => {
    const member = raft.member({ voters: [self], term: 3 });
    member.receive(self, raft.timeoutNow(3));
    expect(member.persisted().change).toMatchObject({ role: 'leader', term: 4 });
  });

  it('obeys a leader it did not know yet (§3.10)', () => {
    const member = raft.member({ term: 2 });
    member.receive(peerB, raft.timeoutNow(5));
    expect(member.status).toMatchObject({ role: 'candidate', term: 6 });
  });

  it('does not obey the leader of a term that is over (§3.10, §5.1)', () => {
    const member = raft.follower({ term: 3 });
    expect(member.receive(peerC, raft.timeoutNow(2)).messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'follower', term: 3 });
  });

  it('a message that comes twice begins one election only', () => {
    const member = raft.follower({ term: 3 });
    member.receive(peerB, raft.timeoutNow(3));
    expect(member.receive(peerB, raft.timeoutNow(3)).messages).toEqual([]);
    expect(member.status.term).toBe(4);
  });

  it('a leader does not campaign against itself', () => {
    const member = raft.establishedLeader({ term: 3 });
    expect(member.receive(peerB, raft.timeoutNow(3)).change).toBeUndefined();
    expect(member.role).toBe('leader');
  });

  it('a learner does not campaign (§3.10, §4.2.1)', () => {
    const member = raft.follower({ id: 9n, voters: three, learners: [9n], term: 3 });
    expect(member.receive(peerB, raft.timeoutNow(3)).messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'follower', term: 3 });
  });
});

describe('A vote asked for by the leader itself (thesis §3.10, §4.2.3)', () => {
  it('is given though the leader is alive (§4.2.3)', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    const request = raft.requestVote({ term: 4, last: '1:1', leadershipTransfer: true });
    const update = member.receive(peerC, request);
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 4 }));
    expect(member.status).toMatchObject({ term: 4, votedFor: peerC, leader: undefined });
  });

  it('makes the old leader step down (§3.10)', () => {
    const member = raft.establishedLeader({ term: 3 });
    const request = raft.requestVote({ term: 4, last: '1:3', leadershipTransfer: true });
    const update = member.receive(peerC, request);
    expect(member.status).toMatchObject({ role: 'follower', term: 4, votedFor: peerC });
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 4 }));
  });

  it('is refused like any other when the candidate’s log is behind (§3.10, §5.4.1)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:1' });
    const request = raft.requestVote({ term: 4, last: '1:1', leadershipTransfer: true });
    const update = member.receive(peerC, request);
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 4, voteGranted: false }));
  });
});
