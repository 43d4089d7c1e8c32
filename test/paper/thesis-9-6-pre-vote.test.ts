import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, peerE, self, testOptions } from '../support/raft';

const { electionTimeoutMs } = testOptions;

describe('Asking for pre-votes (thesis §9.6)', () => {
  it('a member that hears of no leader asks first, and changes neither term nor vote nor disk (§9.6)', () => {
    const member = raft.member({ term: 3, votedFor: peerC, log: '1:1 2:3' });
    const update = member.timeOut();
    expect(member.status).toMatchObject({ role: 'pre-candidate', term: 3, votedFor: peerC, leader: undefined });
    expect(update.persist).toBeUndefined();
    const question = raft.requestVote({ term: 4, last: '2:3', preVote: true });
    expect(update.messages).toEqual([peerB, peerC].map((to) => ({ to, message: question })));
  });

  it('it may ask for ever: cut off, its term stays where it was (§9.6)', () => {
    const member = raft.member({ term: 3, log: '1:3' });
    for (let count = 0; count < 50; count++) expect(member.timeOut().persist).toBeUndefined();
    expect(member.status.term).toBe(3);
  });

  it('campaigns only once a majority would vote for it (§9.6)', () => {
    const member = raft.preCandidate({ voters: five, term: 4 });
    member.receive(peerB, raft.vote({ term: 4, preVote: true }));
    expect(member.status).toMatchObject({ role: 'pre-candidate', term: 3 });
    const update = member.receive(peerC, raft.vote({ term: 4, preVote: true }));
    expect(member.status).toMatchObject({ role: 'candidate', term: 4, votedFor: self });
    expect(raft.onlySent(update, 'request-vote', peerD)).toMatchObject({ term: 4, preVote: false });
  });

  it('pre-votes are no votes: the candidate asks everybody again (§9.6)', () => {
    const member = raft.candidate({ voters: five });
    member.persisted();
    for (const peer of [peerD, peerE]) member.receive(peer, raft.vote({ term: 1, preVote: true }));
    expect(member.role).toBe('candidate');
  });

  it('votes are no pre-votes (§9.6)', () => {
    const member = raft.preCandidate({ term: 2 });
    member.receive(peerB, raft.vote({ term: 2 }));
    expect(member.status.role).not.toBe('candidate');
    const again = raft.candidate();
    again.persisted();
    again.timeOut();
    again.receive(peerB, raft.vote({ term: 1 }));
    expect(again.role).toBe('pre-candidate');
  });

  it('a majority of refusals ends the attempt; the term stays (§9.6)', () => {
    const member = raft.preCandidate({ term: 4 });
    for (const peer of [peerB, peerC]) member.receive(peer, raft.vote({ term: 3, voteGranted: false, preVote: true }));
    expect(member.status).toMatchObject({ role: 'follower', term: 3, votedFor: undefined });
  });

  it('a granted pre-vote of a later term than asked about raises nothing (§9.6)', () => {
    const member = raft.preCandidate({ term: 4 });
    member.receive(peerB, raft.vote({ term: 9, preVote: true }));
    expect(member.status).toMatchObject({ role: 'pre-candidate', term: 3 });
  });

  it('a refusal tells of a later term, in which the next attempt can succeed (§9.6)', () => {
    const member = raft.preCandidate({ term: 4 });
    const update = member.receive(peerB, raft.vote({ term: 6, voteGranted: false, preVote: true }));
    expect(update.change).toEqual({ role: 'follower', term: 6, leader: undefined });
    expect(raft.onlySent(member.timeOut(), 'request-vote', peerB)).toMatchObject({ term: 7, preVote: true });
  });

  it('a pre-candidate that hears of a leader follows it (§9.6)', () => {
    const member = raft.preCandidate({ term: 4 });
    const update = member.receive(peerC, raft.appendEntries({ term: 3 }));
    expect(update.change).toEqual({ role: 'follower', term: 3, leader: peerC });
    member.receive(peerB, raft.vote({ term: 4, preVote: true }));
    expect(member.status).toMatchObject({ role: 'follower', term: 3 });
  });
});

describe('Answering pre-votes (thesis §9.6)', () => {
  it.each([
    ['would vote', 4, '2:2', true],
    ['would not vote for a shorter log', 4, '1:2', false],
    ['would not vote in a term it is in already', 3, '2:2', false],
    ['would not vote in a term that is over', 2, '2:2', false],
  ])('a member that %s says so and changes nothing (§9.6)', (_, term, last, voteGranted) => {
    const member = raft.member({ term: 3, log: '1:1 2:2' });
    const before = { ...member.status, timeout: member.raft.nextTickAt };
    const update = member.receive(peerB, raft.requestVote({ term, last, preVote: true }));
    const answer = raft.vote({ term: voteGranted ? term : 3, voteGranted, preVote: true });
    expect(update.messages).toEqual([{ to: peerB, message: answer }]);
    expect(update.persist).toBeUndefined();
    expect({ ...member.status, timeout: member.raft.nextTickAt }).toEqual(before);
  });

  it('a pre-vote binds nobody: several may get it for the same term (§9.6)', () => {
    const member = raft.member({ term: 3, votedFor: peerC });
    for (const peer of [peerB, peerC, peerD]) {
      const update = member.receive(peer, raft.requestVote({ term: 4, preVote: true }));
      expect(raft.onlySent(update, 'request-vote-response', peer)).toMatchObject({ voteGranted: true });
    }
    const update = member.receive(peerD, raft.requestVote({ term: 4 }));
    expect(raft.onlySent(update, 'request-vote-response', peerD)).toEqual(raft.vote({ term: 4 }));
  });

  it.each([true, false])(
    'a member whose leader is alive refuses and keeps its term (pre-vote: %s, §9.6, §4.2.3)',
    (preVote) => {
      const member = raft.follower({ term: 3, log: '1:1' });
      member.now += electionTimeoutMs - 1;
      const update = member.receive(peerC, raft.requestVote({ term: 9, last: '9:8', preVote }));
      expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(
        raft.vote({ term: 3, voteGranted: false, preVote }),
      );
      expect(member.status).toMatchObject({ term: 3, leader: peerB });
      expect(update.persist).toBeUndefined();
    },
  );

  it.each([true, false])(
    'it no longer refuses once the leader is silent for an election timeout (pre-vote: %s, §9.6)',
    (preVote) => {
      const member = raft.follower({ term: 3, log: '1:1' });
      member.now += electionTimeoutMs;
      const update = member.receive(peerC, raft.requestVote({ term: 4, last: '1:1', preVote }));
      expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 4, preVote }));
    },
  );

  it.each([true, false])('a leader refuses: it is alive itself (pre-vote: %s, §9.6, §4.2.3)', (preVote) => {
    const member = raft.establishedLeader({ term: 3 });
    const update = member.receive(peerC, raft.requestVote({ term: 9, last: '9:8', preVote }));
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(
      raft.vote({ term: 3, voteGranted: false, preVote }),
    );
    expect(member.role).toBe('leader');
  });

  it('a member that asks around itself would vote for another (§9.6)', () => {
    const member = raft.preCandidate({ term: 4 });
    const update = member.receive(peerB, raft.requestVote({ term: 4, preVote: true }));
    expect(raft.onlySent(update, 'request-vote-response', peerB)).toMatchObject({ voteGranted: true });
    expect(member.role).toBe('pre-candidate');
  });
});
