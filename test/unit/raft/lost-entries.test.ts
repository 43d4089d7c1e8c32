import * as raft from '../../support/raft';
import { peerB, peerC, testOptions } from '../../support/raft';

const { heartbeatIntervalMs } = testOptions;

/** B holds 4 of the leader's entries and said so; then its disk is set back, and it holds 2. */
function setBack(): raft.TestMember {
  const member = raft.establishedLeader({ term: 2, log: '1:1 2:1 3:1' });
  member.now += 1;
  return member;
}

describe('A peer that lost what it had acknowledged (fault 32: an old disk came back)', () => {
  it('is suspected when it refuses what it acknowledged, and asked again at once', () => {
    const member = setBack();
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '2:1' }));
    expect(update.warnings).toEqual([]);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 4, readRound: 1 });
    expect(member.peer(peerB).matchIndex).toBe(4);
  });

  it('is convicted by its answer to that; it counts for nothing until it acknowledges anew, and is repaired', () => {
    const member = setBack();
    member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '2:1' }));
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '2:1', readRound: 1 }));
    expect(update.warnings).toEqual([
      { kind: 'peer-lost-entries', peer: peerB, acknowledgedIndex: 4, possibleIndex: 2 },
    ]);
    expect(raft.entriesSent(update, peerB)).toEqual(['3:1 4:2']);
    expect(member.peer(peerB)).toMatchObject({ state: 'probe', matchIndex: 0 });
    member.propose(1);
    member.persisted();
    expect(member.acknowledge(peerB, 4).commitIndex).toBe(4);
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 4 });
    expect(member.acknowledge(peerB, 5).commitIndex).toBe(5);
  });

  it('is not suspected for a refusal that came late: the answer to the question clears it', () => {
    const member = setBack();
    member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 3, hint: '2:1' }));
    member.acknowledge(peerB, 4, 1);
    for (let beat = 0; beat < 3; beat++) {
      member.advance(heartbeatIntervalMs);
      const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 3, hint: '2:1' }));
      expect(update.warnings).toEqual([]);
      for (const peer of [peerB, peerC]) member.acknowledge(peer, 4, 1);
    }
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 4 });
  });

  it('one that was wiped is sent everything again', () => {
    const member = setBack();
    member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '0:0' }));
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '0:0', readRound: 1 }));
    expect(update.warnings).toMatchObject([{ acknowledgedIndex: 4, possibleIndex: 0 }]);
    expect(raft.entriesSent(update, peerB)).toEqual(['1:1 2:1 3:1 4:2']);
  });

  it('the commit index does not fall', () => {
    const member = setBack();
    member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '0:0' }));
    member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '0:0', readRound: 1 }));
    expect(member.status.commitIndex).toBe(4);
  });
});
