import * as raft from '../support/raft';
import { five, peerB, peerC, self, testOptions } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;

describe('CheckQuorum (thesis §6.2)', () => {
  it('a leader that hears from no majority for an election timeout steps down (§6.2)', () => {
    const member = raft.establishedLeader({ term: 2 });
    member.advance(electionTimeoutMs - 1);
    expect(member.role).toBe('leader');
    const update = member.advance(1);
    expect(update.change).toEqual({ role: 'follower', term: 2, leader: undefined });
    expect(member.status.votedFor).toBe(self);
    expect(member.propose(3).proposed).toEqual([{ id: 1, accepted: false, reason: 'not-leader' }]);
    expect(raft.sent(update, 'append-entries')).toEqual([]);
  });

  it('a leader that stands still claims no quorum, though its time has not been told to it (§6.2)', () => {
    const member = raft.establishedLeader();
    expect(member.raft.hasQuorum(member.now + electionTimeoutMs - 1)).toBe(true);
    expect(member.raft.hasQuorum(member.now + electionTimeoutMs)).toBe(false);
  });

  it.each([
    ['two of three', raft.three, 1],
    ['three of five', five, 2],
  ])('%s are enough to go on (§6.2)', (_, voters, answering) => {
    const member = raft.establishedLeader({ voters });
    for (let beat = 0; beat < 20; beat++) {
      member.advance(heartbeatIntervalMs);
      for (const peer of member.peers.slice(0, answering)) member.acknowledge(peer);
    }
    expect(member.role).toBe('leader');
  });

  it('two of five are not, nor do learners help (§6.2)', () => {
    const member = raft.establishedLeader({ voters: five, learners: [8n, 9n] });
    for (let beat = 0; beat < 6; beat++) {
      member.advance(heartbeatIntervalMs);
      for (const peer of [peerB, 8n, 9n]) member.acknowledge(peer);
    }
    expect(member.role).toBe('follower');
  });

  it('a refusal is a sign of life too (§6.2)', () => {
    const member = raft.leader({ term: 3, log: '1:1 2:2' });
    for (let beat = 0; beat < 10; beat++) {
      member.advance(heartbeatIntervalMs);
      member.receive(peerC, raft.rejection({ term: 3, rejectedIndex: 2, hint: '1:1' }));
    }
    expect(member.role).toBe('leader');
  });

  it('answers of an earlier term are none (§6.2)', () => {
    const member = raft.establishedLeader({ term: 3 });
    for (let beat = 0; beat < 6; beat++) {
      member.advance(heartbeatIntervalMs);
      member.receive(peerC, raft.success({ term: 2, matchIndex: 1 }));
    }
    expect(member.role).toBe('follower');
  });

  it('a new leader gets a whole election timeout to be heard (§6.2)', () => {
    const member = raft.leader({ term: 3 });
    expect(member.advance(electionTimeoutMs - 1).change).toBeUndefined();
    expect(member.advance(1).change).toMatchObject({ role: 'follower' });
  });

  it('the only voter is its own majority (§6.2)', () => {
    const member = raft.leader({ voters: [self] });
    member.advance(100 * electionTimeoutMs);
    expect(member.role).toBe('leader');
  });

  it('asks to be woken in time (§6.2)', () => {
    const member = raft.establishedLeader();
    const contact = member.now;
    for (let wake = 0; wake < 10 && member.role === 'leader'; wake++) member.timeOut();
    expect(member.now).toBe(contact + electionTimeoutMs);
  });

  it('campaigns again like any follower: without a quorum it stays in its term (§6.2, §9.6)', () => {
    const member = raft.establishedLeader({ term: 2 });
    member.advance(electionTimeoutMs);
    for (let count = 0; count < 10; count++) member.timeOut();
    expect(member.status).toMatchObject({ role: 'pre-candidate', term: 2 });
  });

  it('an acknowledgement that comes after stepping down commits nothing (§6.2, invariant S16)', () => {
    const member = raft.establishedLeader({ term: 2 });
    member.propose(3);
    member.persisted();
    member.advance(electionTimeoutMs);
    expect(member.acknowledge(peerB, 2).commitIndex).toBe(1);
    expect(member.role).toBe('follower');
  });
});

describe('What a member says of its quorum', () => {
  it('a leader has one once an entry of its term is committed, until the quorum is silent (§6.2)', () => {
    const member = raft.leader({ term: 2 });
    expect(member.raft.hasQuorum(member.now)).toBe(false);
    member.acknowledge(peerB);
    expect(member.raft.hasQuorum(member.now)).toBe(true);
    member.advance(electionTimeoutMs - 1);
    expect(member.raft.hasQuorum(member.now)).toBe(true);
    member.advance(1);
    expect(member.raft.hasQuorum(member.now)).toBe(false);
  });

  it('a follower has one while it hears from a leader (§6.2)', () => {
    expect(raft.member().raft.hasQuorum(0)).toBe(false);
    const member = raft.follower();
    expect(member.raft.hasQuorum(electionTimeoutMs - 1)).toBe(true);
    expect(member.raft.hasQuorum(electionTimeoutMs)).toBe(false);
  });
});
