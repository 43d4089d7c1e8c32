import * as raft from '../support/raft';
import { five, peerB, peerC, peerD } from '../support/raft';

describe('Election restriction (§5.4.1)', () => {
  it.each([
    // voter's log, candidate's last entry, granted
    ['1:1 2:2 3:2', '3:2', true],
    ['1:1 2:2 3:2', '4:2', true],
    ['1:1 2:2 3:2', '2:2', false],
    ['1:1 2:2 3:2', '1:3', true],
    ['1:1 2:2 3:2', '9:1', false],
    ['', '0:0', true],
    ['', '1:1', true],
    ['1:1', '0:0', false],
  ])('a member with the log %j gives a candidate whose log ends at %s its vote: %s (§5.4.1)', (log, last, granted) => {
    for (const preVote of [false, true]) {
      const member = raft.member({ term: 4, log });
      const update = member.receive(peerB, raft.requestVote({ term: 5, last, preVote }));
      const answer = raft.onlySent(update, 'request-vote-response', peerB);
      expect(answer).toMatchObject({ voteGranted: granted, preVote });
      expect(member.status.votedFor).toBe(granted && !preVote ? peerB : undefined);
    }
  });

  it('a refused candidate leaves the vote to a better one of the same term (§5.4.1)', () => {
    const member = raft.member({ term: 4, log: '1:1 2:2' });
    member.receive(peerB, raft.requestVote({ term: 5, last: '1:1' }));
    const update = member.receive(peerC, raft.requestVote({ term: 5, last: '2:2' }));
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 5 }));
  });

  it('a request says where the candidate’s log ends, also when entries there are not durable yet (§5.4.1)', () => {
    const member = raft.follower({ term: 2, log: '1:1' });
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries: '2:2' }));
    const update = member.timeOut();
    expect(raft.onlySent(update, 'request-vote', peerB)).toEqual(
      raft.requestVote({ term: 3, last: '2:2', preVote: true }),
    );
  });
});

describe('Committing entries from previous terms (§5.4.2)', () => {
  it('an entry of an earlier term is not committed by counting, though everybody holds it (§5.4.2, Figure 8)', () => {
    const member = raft.leader({ term: 4, voters: five, log: '1:1 2:2 3:2' });
    for (const peer of member.peers) expect(member.acknowledge(peer, 3).commitIndex).toBe(0);
  });

  it('it is committed with the first entry of the leader’s own term (§5.4.2)', () => {
    const member = raft.leader({ term: 4, voters: five, log: '1:1 2:2 3:2' });
    for (const peer of [peerB, peerC, peerD]) member.acknowledge(peer, 3);
    expect(member.acknowledge(peerB, 4).commitIndex).toBe(0);
    expect(member.acknowledge(peerC, 4).commitIndex).toBe(4);
  });

  it('a leader begins its term with an empty entry of its own, so that this happens soon (§8)', () => {
    const member = raft.candidate({ term: 4, log: '1:1 2:2' });
    member.persisted();
    const update = member.receive(peerB, raft.vote({ term: 4 }));
    const noOp = { index: 3, term: 4, kind: 'no-op', payload: new Uint8Array(0) };
    expect(update.persist?.entries).toEqual([noOp]);
    for (const to of [peerB, peerC]) {
      const expected = { prevLogIndex: 2, prevLogTerm: 2, entries: [noOp], leaderCommit: 0 };
      expect(raft.onlySent(update, 'append-entries', to)).toMatchObject(expected);
    }
  });

  it('a new leader keeps, and completes, what its predecessors left (§5.4.3, leader completeness)', () => {
    const member = raft.leader({ term: 4, log: '1:1 2:2 3:3' });
    expect(member.log).toBe('1:1 2:2 3:3 4:4');
    expect(member.acknowledge(peerC).commitIndex).toBe(4);
  });
});
