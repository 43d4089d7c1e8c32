import type { AppendEntries } from '../../../src/raft';
import * as raft from '../../support/raft';
import { peerB, peerC } from '../../support/raft';

describe('AppendEntries receiver', () => {
  const malformed: [string, AppendEntries][] = [
    ['a gap after its predecessor', raft.appendEntries({ term: 4, prev: '2:1', entries: '4:4' })],
    ['a gap between its entries', raft.appendEntries({ term: 4, prev: '2:1', entries: '3:4 5:4' })],
    ['an entry twice', raft.appendEntries({ term: 4, prev: '2:1', entries: '3:4 3:4' })],
    ['terms that fall', raft.appendEntries({ term: 4, prev: '2:1', entries: '3:3 4:2' })],
    ['a term below its predecessor’s', raft.appendEntries({ term: 4, prev: '2:3', entries: '3:2' })],
    ['an entry of a later term than its own', raft.appendEntries({ term: 4, prev: '2:1', entries: '3:4 4:5' })],
    ['a predecessor of a later term than its own', raft.appendEntries({ term: 4, prev: '2:9' })],
  ];

  it.each(malformed)('ignores a message with %s, whoever sends it', (_, message) => {
    for (const member of [raft.follower({ term: 3, log: '1:1 2:1' }), raft.candidate({ term: 3, log: '1:1 2:1' })]) {
      const before = { ...member.status, log: member.log, timeout: member.raft.nextTickAt };
      member.now += 1;
      const update = member.receive(peerC, message);
      expect(update).toMatchObject({ persist: undefined, messages: [], change: undefined });
      expect({ ...member.status, log: member.log, timeout: member.raft.nextTickAt }).toEqual(before);
    }
  });

  it('agrees with what lies before its first entry: that is committed, hence in every leader’s log', () => {
    const member = raft.member({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 5 });
    const message = raft.appendEntries({ term: 3, prev: '2:1', entries: '3:1 4:1 5:2 6:2 7:3', commit: 6 });
    const update = member.receive(peerB, message);
    expect(member.log).toBe('5:2 6:2 7:3');
    expect(raft.drawLog(update.persist?.entries ?? [])).toBe('7:3');
    expect(raft.onlySent(member.persisted(), 'append-entries-response')).toMatchObject({
      success: true,
      matchIndex: 7,
    });
  });

  it('claims nothing of places before its first entry when it tells an old leader its term', () => {
    const member = raft.member({ term: 5, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const update = member.receive(peerB, raft.appendEntries({ term: 3, prev: '2:1' }));
    const expected = { success: false, term: 5, rejectedIndex: 2, hintIndex: 0, hintTerm: 0 };
    expect(raft.onlySent(update, 'append-entries-response')).toMatchObject(expected);
  });

  it('refuses a wrong term just before its first entry', () => {
    const member = raft.member({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const update = member.receive(peerB, raft.appendEntries({ term: 3, prev: '4:2', entries: '5:3' }));
    expect(raft.onlySent(update, 'append-entries-response')).toMatchObject({ success: false, rejectedIndex: 4 });
  });

  it('names the leader it follows', () => {
    const member = raft.member({ term: 2 });
    const update = member.receive(peerC, raft.appendEntries({ term: 2 }));
    expect(update.change).toEqual({ role: 'follower', term: 2, leader: peerC });
    expect(member.receive(peerC, raft.appendEntries({ term: 2 })).change).toBeUndefined();
  });
});

describe('AppendEntries response', () => {
  it.each([
    ['a match beyond the log', raft.success({ term: 2, matchIndex: 99 })],
    ['a refusal of a place beyond the log', raft.rejection({ term: 2, rejectedIndex: 99, hint: '50:2' })],
    ['a hint beyond the log', raft.rejection({ term: 2, rejectedIndex: 2, hint: '50:9' })],
    ['a refusal of the place before all', raft.rejection({ term: 2, rejectedIndex: 0, hint: '0:0' })],
  ])('survives %s', (_, nonsense) => {
    const member = raft.establishedLeader({ term: 2, log: '1:1' });
    member.receive(peerB, nonsense);
    expect(member.status).toMatchObject({ role: 'leader', commitIndex: 2 });
    member.propose(5);
    member.persisted();
    expect(member.acknowledge(peerB).commitIndex).toBe(3);
  });

  it('of a stranger is ignored', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1' });
    expect(member.receive(77n, raft.success({ term: 2, matchIndex: 2 })).messages).toEqual([]);
  });

  it('reaches nobody but a leader', () => {
    for (const member of [raft.follower({ term: 2 }), raft.candidate({ term: 2 }), raft.preCandidate({ term: 3 })]) {
      const before = member.status;
      expect(member.receive(peerC, raft.success({ term: 2, matchIndex: 3 })).messages).toEqual([]);
      expect(member.status).toEqual(before);
    }
  });
});
