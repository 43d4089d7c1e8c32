import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, self, testOptions } from '../support/raft';

describe('ReadIndex (thesis §6.4)', () => {
  it('a read waits until a majority has confirmed the leader by an answer to a later message (§6.4)', () => {
    const member = raft.establishedLeader();
    const asked = member.read(7);
    expect(asked.reads).toEqual([]);
    for (const to of [peerB, peerC]) expect(raft.onlySent(asked, 'append-entries', to)).toMatchObject({ readRound: 1 });
    const update = member.acknowledge(peerB, 1, 1);
    expect(update.reads).toEqual([{ id: 7, confirmed: true, readIndex: 1 }]);
  });

  it('needs as many answers as an election needs votes (§6.4)', () => {
    const member = raft.establishedLeader({ voters: five, learners: [8n] });
    member.read(7);
    expect(member.acknowledge(peerB, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerB, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(8n, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(9n, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerC, 1, 1).reads).toHaveLength(1);
  });

  it('the only voter confirms itself (§6.4)', () => {
    const member = raft.leader({ voters: [self] });
    expect(member.read(7).reads).toEqual([{ id: 7, confirmed: true, readIndex: 1 }]);
  });

  it('a leader that becomes the only voter while it waits confirms itself (§6.4; simulator, seed 2003)', () => {
    const member = raft.establishedLeader({ voters: [self, peerB] });
    member.read(7);
    const removed = member.change([{ kind: 'remove', member: peerB }]);
    expect(member.configuration).toMatchObject({ voters: [self] });
    expect([...removed.reads, ...member.persisted().reads]).toMatchObject([{ id: 7, confirmed: true }]);
  });

  it('a refused AppendEntries confirms too: it was answered in this term (§6.4)', () => {
    const member = raft.establishedLeader();
    member.read(7);
    const update = member.receive(peerC, raft.rejection({ term: 1, rejectedIndex: 1, hint: '0:0', readRound: 1 }));
    expect(update.reads).toHaveLength(1);
  });

  it('no round begins before an entry of the leader’s own term is committed (§6.4, §8)', () => {
    const member = raft.leader({ term: 3, log: '1:1 2:2' });
    const asked = member.read(7);
    expect(asked.messages).toEqual([]);
    expect(member.acknowledge(peerB, 2).reads).toEqual([]);
    const committed = member.acknowledge(peerB, 3);
    expect(committed.commitIndex).toBe(3);
    expect(raft.onlySent(committed, 'append-entries', peerB)).toMatchObject({ readRound: 1 });
    expect(committed.reads).toEqual([]);
    expect(member.acknowledge(peerB, 3, 1).reads).toEqual([{ id: 7, confirmed: true, readIndex: 3 }]);
  });

  it('what was answered before the read arrived confirms nothing (§6.4)', () => {
    const member = raft.establishedLeader();
    member.read(1);
    member.acknowledge(peerB, 1, 1);
    member.read(2);
    expect(member.acknowledge(peerB, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerC, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerC, 1, 2).reads).toEqual([{ id: 2, confirmed: true, readIndex: 1 }]);
  });

  it('a read that comes while a round is on its way waits for the next, with a fresh number (§6.4)', () => {
    const member = raft.establishedLeader();
    member.read(1);
    expect(member.read(2).messages).toEqual([]);
    const first = member.acknowledge(peerB, 1, 1);
    expect(first.reads).toEqual([{ id: 1, confirmed: true, readIndex: 1 }]);
    expect(raft.onlySent(first, 'append-entries', peerC)).toMatchObject({ readRound: 2 });
    expect(member.acknowledge(peerC, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerB, 1, 2).reads).toEqual([{ id: 2, confirmed: true, readIndex: 1 }]);
  });

  it('one round serves all reads that waited when it began (§6.4)', () => {
    const member = raft.establishedLeader();
    const update = member.turn({ kind: 'read', id: 1 }, { kind: 'read', id: 2 }, { kind: 'read', id: 3 });
    expect(raft.sent(update, 'append-entries', peerB)).toHaveLength(1);
    expect(member.acknowledge(peerC, 1, 1).reads.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('tells the commit index of the time the round began, which the read must see (§6.4)', () => {
    const member = raft.establishedLeader();
    member.propose(10);
    member.persisted();
    member.acknowledge(peerB, 2);
    member.read(7);
    member.propose(10);
    expect(member.acknowledge(peerB, 2, 1).reads).toEqual([{ id: 7, confirmed: true, readIndex: 2 }]);
  });

  it('rides on entries that are sent anyway (§6.4)', () => {
    const member = raft.establishedLeader();
    const proposal = { kind: 'command' as const, payload: new Uint8Array(3) };
    const update = member.turn({ kind: 'read', id: 1 }, { kind: 'propose', id: 2, term: 1, proposals: [proposal] });
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ readRound: 1, entries: [{ index: 2 }] });
  });

  it('asks again with the next heartbeat when the round was lost (§6.4)', () => {
    const member = raft.establishedLeader();
    member.read(7);
    const update = member.advance(testOptions.heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerC)).toMatchObject({ readRound: 1 });
  });

  it.each([
    ['a higher term', (member: raft.TestMember) => member.receive(peerB, raft.vote({ term: 9, voteGranted: false }))],
    ['a lost quorum', (member: raft.TestMember) => member.advance(testOptions.electionTimeoutMs)],
  ])('every open read fails when the leader steps down by %s (§6.4)', (_, stepDown) => {
    const member = raft.establishedLeader();
    member.read(1);
    member.read(2);
    const update = stepDown(member);
    expect(member.role).toBe('follower');
    expect(update.reads).toEqual([1, 2].map((id) => ({ id, confirmed: false, reason: 'not-leader' })));
  });

  it('an answer of an old term of the same leader confirms nothing in its new one (§6.4)', () => {
    const member = raft.establishedLeader();
    member.read(1);
    member.receive(peerC, raft.vote({ term: 2, voteGranted: false }));
    member.timeOut();
    expect(member.role).toBe('pre-candidate');
    member.receive(peerB, raft.vote({ term: 3, preVote: true }));
    member.persisted();
    member.receive(peerB, raft.vote({ term: 3 }));
    member.persisted();
    member.acknowledge(peerB);
    expect(member.status).toMatchObject({ role: 'leader', term: 3, commitIndex: 2 });
    member.read(2);
    expect(member.receive(peerC, raft.success({ term: 1, matchIndex: 1, readRound: 1 })).reads).toEqual([]);
    expect(member.acknowledge(peerC, 1, 1).reads).toHaveLength(1);
  });

  it('an answer to a round that never was is ignored (§6.4)', () => {
    const member = raft.establishedLeader();
    member.acknowledge(peerB, 1, 99);
    member.read(1);
    expect(member.acknowledge(peerC, 1, 0).reads).toEqual([]);
    expect(member.acknowledge(peerC, 1, 1).reads).toHaveLength(1);
  });

  it('who does not lead refuses at once (§6.4)', () => {
    const refused = [{ id: 7, confirmed: false, reason: 'not-leader' }];
    for (const member of [raft.follower(), raft.preCandidate(), raft.candidate()]) {
      expect(member.read(7).reads).toEqual(refused);
    }
  });

  it('a follower that asks has thereby answered: of three members no other is asked (§6.4)', () => {
    const member = raft.establishedLeader();
    const asked = member.turn({ kind: 'read', id: 7, askedBy: peerB });
    expect(raft.sent(asked, 'append-entries', peerC)).toEqual([]);
    expect(asked.reads).toEqual([{ id: 7, confirmed: true, readIndex: 1 }]);
  });

  it.each([
    ['of five members others must answer, too', { voters: five }, peerB],
    ['a learner that asks counts for nothing', { learners: [8n] }, 8n],
    ['nor does who is no member', {}, 9n],
    [
      'in a joint configuration it must complete both majorities',
      { configuration: { voters: [self, peerB, peerC], outgoing: [self, peerC, peerD] } },
      peerB,
    ],
  ])('%s (§6.4)', (_, setup, askedBy) => {
    const member = raft.establishedLeader(setup);
    const asked = member.turn({ kind: 'read', id: 7, askedBy });
    expect(asked.reads).toEqual([]);
    expect(raft.onlySent(asked, 'append-entries', peerB)).toMatchObject({ readRound: 1 });
  });

  it('who is asked before an entry of its own term is committed lets the asker wait, too (§6.4, §8)', () => {
    const member = raft.leader({ term: 3, log: '1:1 2:2' });
    expect(member.turn({ kind: 'read', id: 7, askedBy: peerB }).reads).toEqual([]);
    member.acknowledge(peerB, 3);
    expect(member.acknowledge(peerB, 3, 1).reads).toEqual([{ id: 7, confirmed: true, readIndex: 3 }]);
  });

  it('refuses more reads than may wait, those under way included', () => {
    const member = raft.establishedLeader({ options: { maxPendingReads: 3 } });
    for (const id of [1, 2, 3]) expect(member.read(id).reads).toEqual([]);
    expect(member.read(4).reads).toEqual([{ id: 4, confirmed: false, reason: 'overloaded' }]);
    member.acknowledge(peerB, 1, 1);
    expect(member.read(5).reads).toEqual([]);
  });
});

describe('The follower’s side of ReadIndex (thesis §6.4)', () => {
  it('answers a new round at once, though entries that came with it are not durable yet (§6.4)', () => {
    const member = raft.follower({ term: 1 });
    const update = member.receive(peerB, raft.appendEntries({ term: 1, entries: '1:1', readRound: 4 }));
    const answer = raft.success({ term: 1, matchIndex: 0, readRound: 4 });
    expect(raft.onlySent(update, 'append-entries-response')).toEqual(answer);
    expect(raft.onlySent(member.persisted(), 'append-entries-response')).toEqual({ ...answer, matchIndex: 1 });
  });

  it('names the round also in a refusal, but never to the leader of an earlier term (§6.4)', () => {
    const member = raft.follower({ term: 2 });
    const refused = member.receive(peerB, raft.appendEntries({ term: 2, prev: '5:2', readRound: 4 }));
    expect(raft.onlySent(refused, 'append-entries-response')).toMatchObject({ success: false, readRound: 4 });
    const old = member.receive(peerC, raft.appendEntries({ term: 1, prev: '0:0', readRound: 9 }));
    expect(raft.onlySent(old, 'append-entries-response')).toMatchObject({ success: false, term: 2, readRound: 0 });
  });

  it('begins anew with each term: rounds of one leader mean nothing to the next (§6.4)', () => {
    const member = raft.follower({ term: 1 });
    member.receive(peerB, raft.appendEntries({ term: 1, readRound: 8 }));
    const update = member.receive(peerC, raft.appendEntries({ term: 2, readRound: 1 }));
    expect(raft.onlySent(update, 'append-entries-response', peerC)).toMatchObject({ term: 2, readRound: 1 });
  });
});
