import { simpleConfiguration, type MemberChange } from '../../src/raft';
import * as raft from '../support/raft';
import { peerB, peerC, peerD, peerE, self } from '../support/raft';

const replaceC: MemberChange[] = [
  { kind: 'remove', member: peerC },
  { kind: 'add-voter', member: peerD },
];

describe('Joint consensus (thesis §4.3)', () => {
  it('a change of more than one voter begins with both configurations together (§4.3)', () => {
    const member = raft.establishedLeader();
    expect(member.change(replaceC).changes).toEqual([{ id: 1, accepted: true, index: 2 }]);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 4n], outgoing: [1n, 2n, 3n], autoLeave: true });
  });

  it('entries need a majority of the old and of the new voters (§4.3)', () => {
    const member = raft.establishedLeader({ configuration: { voters: [1n, 4n, 5n], outgoing: [1n, 2n, 3n] } });
    member.propose(1);
    member.persisted();
    for (const peer of [peerD, peerE]) expect(member.acknowledge(peer).commitIndex).toBe(1);
    expect(member.acknowledge(peerB).commitIndex).toBe(2);
  });

  it('so do elections (§4.3)', () => {
    const member = raft.candidate({ configuration: { voters: [1n, 4n, 5n], outgoing: [1n, 2n, 3n] } });
    member.persisted();
    for (const peer of [peerB, peerC]) member.receive(peer, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
    member.receive(peerD, raft.vote({ term: 1 }));
    expect(member.role).toBe('leader');
  });

  it('and leadership, to be confirmed or kept (§4.3, §6.4)', () => {
    const member = raft.establishedLeader({ configuration: { voters: [1n, 4n, 5n], outgoing: [1n, 2n, 3n] } });
    member.read(1);
    for (const peer of [peerB, peerC]) expect(member.acknowledge(peer, 1, 1).reads).toEqual([]);
    expect(member.acknowledge(peerD, 1, 1).reads).toHaveLength(1);
    for (let beat = 0; beat < 6; beat++) {
      member.advance(20);
      for (const peer of [peerB, peerC]) member.acknowledge(peer);
    }
    expect(member.role).toBe('follower');
  });

  it('once it is committed the leader leaves it by itself (§4.3)', () => {
    const member = raft.establishedLeader();
    member.change(replaceC);
    member.persisted();
    expect(member.acknowledge(peerC).commitIndex).toBe(1);
    const update = member.acknowledge(peerB);
    expect(update).toMatchObject({ commitIndex: 2, persist: { entries: [{ index: 3, kind: 'configuration' }] } });
    expect(member.configuration).toEqual({ voters: [1n, 2n, 4n], removed: [3n] });
  });

  it('while it lasts no other change begins (§4.3, invariant M1)', () => {
    const member = raft.establishedLeader();
    member.change(replaceC);
    expect(member.change([{ kind: 'add-learner', member: 9n }]).changes).toMatchObject([{ reason: 'unfinished' }]);
    member.persisted();
    for (const peer of [peerB, peerD]) member.acknowledge(peer, 2);
    expect(member.change([{ kind: 'add-learner', member: 9n }]).changes).toMatchObject([{ reason: 'unfinished' }]);
    member.persisted();
    for (const peer of [peerB, peerD]) member.acknowledge(peer, 3);
    expect(member.change([{ kind: 'add-learner', member: 9n }]).changes).toMatchObject([{ accepted: true }]);
  });

  it('a new leader that finds it in its log finishes it, after an entry of its own (§4.3, invariant M3)', () => {
    const joint = {
      voters: [1n, 2n, 4n],
      outgoing: [1n, 2n, 3n],
      learners: [],
      learnersNext: [],
      autoLeave: true,
      removed: [],
    };
    const member = raft.follower({ term: 1, log: '1:1' });
    const entry = raft.configurationEntry('2:1', joint);
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: [entry], commit: 1 }));
    member.persisted();
    member.timeOut();
    for (const peer of [peerB, peerD]) member.receive(peer, raft.vote({ term: 2, preVote: true }));
    member.persisted();
    for (const peer of [peerB, peerD]) member.receive(peer, raft.vote({ term: 2 }));
    member.persisted();
    expect(member.role).toBe('leader');
    expect(member.configuration.outgoing).toEqual([1n, 2n, 3n]);
    for (const peer of [peerB, peerD]) member.acknowledge(peer, 2);
    expect(member.configuration.outgoing).toEqual([1n, 2n, 3n]);
    member.acknowledge(peerB, 3);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 4n], removed: [3n] });
    expect(member.status).toMatchObject({ commitIndex: 3, lastIndex: 4 });
  });

  it('nor does it before, though it knows that the joint configuration is committed (invariant M3)', () => {
    const joint = { ...simpleConfiguration([1n, 2n, 4n]), outgoing: [1n, 2n, 3n], autoLeave: true };
    const member = raft.follower({ term: 1, log: '1:1' });
    const entry = raft.configurationEntry('2:1', joint);
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: [entry], commit: 2 }));
    member.persisted();
    member.timeOut();
    for (const peer of [peerB, peerD]) member.receive(peer, raft.vote({ term: 2, preVote: true }));
    member.persisted();
    for (const peer of [peerB, peerD]) member.receive(peer, raft.vote({ term: 2 }));
    member.persisted();
    expect(member.status).toMatchObject({ role: 'leader', commitIndex: 2, lastIndex: 3 });
    expect(member.configuration.outgoing).toEqual([1n, 2n, 3n]);
  });

  it('a voter that becomes a learner votes on the old side until the end (§4.3)', () => {
    const member = raft.establishedLeader();
    member.change([
      { kind: 'add-learner', member: peerC },
      { kind: 'add-voter', member: peerD },
    ]);
    expect(member.configuration).toMatchObject({ outgoing: [1n, 2n, 3n], learnersNext: [3n] });
    expect(member.configuration.learners).toBeUndefined();
    member.persisted();
    for (const peer of [peerB, peerD]) member.acknowledge(peer);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 4n], learners: [3n] });
  });

  it('a leader that is not among the new leads to the end of the change and does not count itself there (§4.3)', () => {
    const member = raft.establishedLeader();
    member.change([
      { kind: 'remove', member: self },
      { kind: 'add-voter', member: peerD },
    ]);
    member.persisted();
    member.acknowledge(peerB);
    expect(member.status.commitIndex).toBe(1);
    member.acknowledge(peerD);
    expect(member).toMatchObject({ role: 'leader', configuration: { voters: [2n, 3n, 4n], removed: [1n] } });
    for (const peer of [peerB, peerD]) member.acknowledge(peer);
    expect(member.role).toBe('follower');
  });
});
