import * as raft from '../../support/raft';
import { peerB, peerC, testOptions } from '../../support/raft';

const { heartbeatIntervalMs } = testOptions;

const one = { kind: 'command', payload: new Uint8Array(4) } as const;

describe('Telling followers of commits', () => {
  const news = { entries: [], leaderCommit: 2 };

  it('happens soon, not with the next heartbeat', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.persisted();
    expect(member.acknowledge(peerB).messages).toEqual([]);
    expect(member.advance(heartbeatIntervalMs / 10 - 1).messages).toEqual([]);
    expect(member.raft.nextTickAt).toBe(member.now + 1);
    const update = member.advance(1);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ ...news, prevLogIndex: 2 });
    expect(raft.onlySent(update, 'append-entries', peerC)).toMatchObject({ ...news, prevLogIndex: 1 });
  });

  it('happens at once where the last message was sent long enough ago', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.persisted();
    member.advance(heartbeatIntervalMs / 10);
    expect(raft.onlySent(member.acknowledge(peerB), 'append-entries', peerC)).toMatchObject(news);
  });

  it('happens at once where somebody follows closely, as long as that is so', () => {
    const member = raft.establishedLeader();
    const acknowledge = (matchIndex: number, followsClosely: boolean) =>
      member.receive(peerC, raft.success({ term: 1, matchIndex, followsClosely }));
    member.propose(5);
    member.persisted();
    const update = acknowledge(2, true);
    expect(raft.onlySent(update, 'append-entries')).toMatchObject(news);
    expect(raft.sent(update, 'append-entries', peerC)).toHaveLength(1);
    member.propose(5);
    member.persisted();
    expect(acknowledge(3, false).messages).toEqual([]);
  });

  it.each([
    ['for a proposal of its own', { kind: 'propose', id: 1, term: 1, proposals: [one], askedBy: peerC }],
    ['for a read, which it can answer when it has applied so much', { kind: 'read', id: 1, askedBy: peerC }],
  ] as const)('happens at once where a member waits %s', (_, event) => {
    const member = raft.establishedLeader();
    if (event.kind === 'read') {
      member.propose(5);
      member.persisted();
      member.acknowledge(peerB);
    }
    const asked = member.turn(event);
    const told = event.kind === 'read' ? asked : (member.persisted(), member.acknowledge(peerB));
    expect(raft.onlySent(told, 'append-entries')).toMatchObject(news);
    expect(raft.sent(told, 'append-entries', peerC)).toHaveLength(1);
  });

  it('happens at once of a configuration, which decides who goes', () => {
    const member = raft.establishedLeader();
    member.change([{ kind: 'add-learner', member: 9n }]);
    member.persisted();
    const update = member.acknowledge(peerB);
    for (const peer of [peerB, peerC]) {
      expect(raft.onlySent(update, 'append-entries', peer)).toMatchObject(news);
    }
  });

  it('happens once for each commit', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.persisted();
    member.acknowledge(peerB);
    member.advance(heartbeatIntervalMs / 10);
    expect(member.acknowledge(peerC).messages).toEqual([]);
    expect(member.advance(heartbeatIntervalMs / 10).messages).toEqual([]);
  });

  it('is asked for in every acknowledgement while somebody here follows closely', () => {
    const member = raft.follower({ log: '1:1', leader: peerB });
    for (const wanted of [true, false]) {
      member.turn({ kind: 'follow-closely', wanted });
      const update = member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1' }));
      expect(raft.onlySent(update, 'append-entries-response')).toMatchObject({ followsClosely: wanted });
    }
  });

  it('rides on entries that go out anyway', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.persisted();
    const update = member.turn(
      { kind: 'receive', from: peerB, message: raft.success({ term: 1, matchIndex: 2 }) },
      { kind: 'propose', id: 2, term: 1, proposals: [one] },
    );
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ leaderCommit: 2, entries: [{ index: 3 }] });
  });

  it('waits for the next heartbeat where the peer is probed', () => {
    const member = raft.leader({ term: 2, log: '1:1' });
    const update = member.acknowledge(peerB);
    expect(update.commitIndex).toBe(2);
    expect(raft.sent(update, 'append-entries', peerC)).toEqual([]);
    const beat = raft.onlySent(member.advance(heartbeatIntervalMs), 'append-entries', peerC);
    expect(beat).toMatchObject({ leaderCommit: 2 });
  });
});
