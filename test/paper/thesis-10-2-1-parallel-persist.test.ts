import * as raft from '../support/raft';
import { five, peerB, peerC, self } from '../support/raft';

describe('The leader writes to its disk in parallel with its followers (thesis §10.2.1)', () => {
  it('sends entries before they are durable here (§10.2.1)', () => {
    const member = raft.establishedLeader();
    const update = member.propose(5);
    expect(update.persist?.entries).toHaveLength(1);
    expect(raft.entriesSent(update, peerB)).toEqual(['2:1']);
    expect(member.status).toMatchObject({ lastIndex: 2, durableIndex: 1 });
  });

  it('counts itself only for what is durable here (§10.2.1)', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    expect(member.acknowledge(peerB).commitIndex).toBe(1);
    expect(member.persisted().commitIndex).toBe(2);
  });

  it('commits what a majority of the others holds, before it is durable here (§10.2.1)', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.acknowledge(peerB);
    expect(member.acknowledge(peerC)).toMatchObject({ commitIndex: 2 });
    expect(member.status.durableIndex).toBe(1);
  });

  it('counts a batch as far as the disk has come (§10.2.1)', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    const first = member.sequence;
    member.propose(5);
    const second = member.sequence;
    member.propose(5);
    member.acknowledge(peerB, 4);
    expect(member.persisted(first).commitIndex).toBe(2);
    expect(member.persisted(second).commitIndex).toBe(3);
    expect(member.persisted().commitIndex).toBe(4);
  });

  it('takes one completion for all before it, and an old one for nothing new (§10.2.1)', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    const first = member.sequence;
    member.propose(5);
    member.persisted();
    expect(member.status.durableIndex).toBe(3);
    member.persisted(first);
    expect(member.status.durableIndex).toBe(3);
  });

  it('numbers what it hands out one by one, and only when there is something (§10.2.1)', () => {
    const member = raft.establishedLeader();
    const before = member.sequence;
    expect(member.propose(5).persist?.sequence).toBe(before + 1);
    expect(member.advance(20).persist).toBeUndefined();
    expect(member.propose(5).persist?.sequence).toBe(before + 2);
  });
});

describe('The follower acknowledges only what is durable (thesis §10.2.1, invariant S8)', () => {
  it('says nothing of new entries until they are on its disk (§10.2.1)', () => {
    const member = raft.follower({ term: 1 });
    const taken = member.receive(peerB, raft.appendEntries({ term: 1, entries: '1:1 2:1' }));
    expect(taken.messages).toEqual([]);
    const update = member.persisted();
    expect(update.messages).toEqual([{ to: peerB, message: raft.success({ term: 1, matchIndex: 2 }) }]);
  });

  it('a heartbeat meanwhile gets the place that is durable (§10.2.1)', () => {
    const member = raft.follower({ term: 1, log: '1:1' });
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: '2:1 3:1' }));
    const update = member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1' }));
    expect(raft.onlySent(update, 'append-entries-response')).toEqual(raft.success({ term: 1, matchIndex: 1 }));
  });

  it('several messages in one turn get one answer (§10.2.1)', () => {
    const member = raft.follower({ term: 1, log: '1:1' });
    const message = raft.appendEntries({ term: 1, prev: '1:1' });
    const event = { kind: 'receive' as const, from: peerB, message };
    expect(raft.sent(member.turn(event, event, event), 'append-entries-response')).toHaveLength(1);
  });

  it('what became durable under an earlier leader is not told the next one as its own (§10.2.1)', () => {
    const member = raft.follower({ term: 1, log: '1:1' });
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: '2:1 3:1' }));
    const update = member.receive(peerC, raft.appendEntries({ term: 2, prev: '1:1' }));
    expect(update.messages).toEqual([{ to: peerC, message: raft.success({ term: 2, matchIndex: 1 }) }]);
    expect(member.persisted().messages).toEqual([]);
    expect(member.status.durableIndex).toBe(3);
  });

  it('a committed entry is committed here too before it is durable: the driver applies only what is both', () => {
    const member = raft.follower({ term: 1 });
    const update = member.receive(peerB, raft.appendEntries({ term: 1, entries: '1:1', commit: 1 }));
    expect(update.commitIndex).toBe(1);
    expect(member.status.durableIndex).toBe(0);
  });
});

describe('An old write never makes newer entries durable (architecture §1.2)', () => {
  it('entries that were replaced while on their way to the disk are not taken for the new ones', () => {
    const member = raft.follower({ term: 1, log: '1:1' });
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: '2:1 3:1 4:1' }));
    const old = member.sequence;
    member.receive(peerC, raft.appendEntries({ term: 2, prev: '2:1', entries: '3:2 4:2' }));
    const update = member.persisted(old);
    expect(member.status.durableIndex).toBe(2);
    expect(update.messages).toEqual([{ to: peerC, message: raft.success({ term: 2, matchIndex: 2 }) }]);
    expect(raft.onlySent(member.persisted(), 'append-entries-response')).toMatchObject({ matchIndex: 4 });
  });

  it('also when the entries were replaced twice, and the log got longer than ever', () => {
    const member = raft.follower({ term: 1 });
    member.receive(peerB, raft.appendEntries({ term: 1, entries: '1:1 2:1' }));
    const first = member.sequence;
    member.receive(peerC, raft.appendEntries({ term: 2, entries: '1:2 2:2 3:2' }));
    const second = member.sequence;
    member.receive(peerB, raft.appendEntries({ term: 3, prev: '1:2', entries: '2:3 3:3 4:3' }));
    member.persisted(first);
    expect(member.status.durableIndex).toBe(0);
    member.persisted(second);
    expect(member.status.durableIndex).toBe(1);
    member.persisted();
    expect(member.status.durableIndex).toBe(4);
  });

  it('what was durable is so no longer once it is replaced', () => {
    const member = raft.follower({ term: 1, log: '1:1 2:1 3:1' });
    expect(member.status.durableIndex).toBe(3);
    const update = member.receive(peerC, raft.appendEntries({ term: 2, prev: '1:1', entries: '2:2 3:2 4:2' }));
    expect(member.status.durableIndex).toBe(1);
    expect(update.messages).toEqual([]);
  });

  it('a persist says all that a turn replaced, from its first change on', () => {
    const member = raft.follower({ term: 1, log: '1:1 2:1 3:1' });
    const event = (from: bigint, message: raft.Message): raft.Event => ({ kind: 'receive', from, message });
    const update = member.turn(
      event(peerC, raft.appendEntries({ term: 2, prev: '1:1', entries: '2:2 3:2 4:2' })),
      event(peerB, raft.appendEntries({ term: 3, prev: '3:2', entries: '4:3' })),
    );
    expect(update.persist?.hardState).toEqual({ term: 3, votedFor: undefined });
    expect(raft.drawLog(update.persist?.entries ?? [])).toBe('2:2 3:2 4:3');
  });

  it('a deposed leader’s own entries do not count for it when it leads again', () => {
    const member = raft.establishedLeader();
    member.propose(5, 5);
    const old = member.sequence;
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries: '2:2' }));
    member.persisted(old);
    expect(member.status).toMatchObject({ lastIndex: 2, durableIndex: 1 });
  });
});

describe('A vote counts once it is durable (invariant S8)', () => {
  it('a candidate’s vote for itself too', () => {
    const member = raft.candidate();
    member.receive(peerB, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
    expect(member.persisted().change).toEqual({ role: 'leader', term: 1, leader: self });
  });

  it('but a majority of others is enough', () => {
    const member = raft.candidate({ voters: five });
    for (const peer of [2n, 3n, 4n]) member.receive(peer, raft.vote({ term: 1 }));
    expect(member.role).toBe('leader');
  });

  it('a vote for itself in an earlier term that becomes durable late does not count in this one', () => {
    const member = raft.candidate();
    const old = member.sequence;
    member.timeOut();
    member.receive(peerB, raft.vote({ term: 2, preVote: true }));
    member.receive(peerB, raft.vote({ term: 2 }));
    member.persisted(old);
    expect(member.status).toMatchObject({ role: 'candidate', term: 2 });
    member.persisted();
    expect(member.role).toBe('leader');
  });

  it('term and vote go to the disk in the update that asks for votes or gives one', () => {
    const member = raft.member({ term: 1 });
    const given = member.receive(peerC, raft.requestVote({ term: 4 }));
    expect(given.messages).toHaveLength(1);
    expect(given.persist).toEqual({ sequence: 1, hardState: { term: 4, votedFor: peerC }, entries: [] });
  });
});
