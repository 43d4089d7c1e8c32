import { simpleConfiguration } from '../../src/raft';
import * as raft from '../support/raft';
import { peerB, peerC, self, testOptions } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;

/** A leader of term 3 whose log begins after 4:1; peer B lacks all of it, peer C has everything. */
function compacted(): raft.TestMember {
  const member = raft.leader({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
  member.acknowledge(peerC);
  member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 6, hint: '2:1' }));
  return member;
}

/** The same when it has just found out that B needs a snapshot. */
function sending(): raft.TestMember {
  const member = compacted();
  const update = member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 4, hint: '2:1' }));
  expect(update.snapshots).toEqual([peerB]);
  return member;
}

function delivered(member: raft.TestMember, lastIndex: number, arrived = true): ReturnType<raft.TestMember['turn']> {
  return member.turn({ kind: 'snapshot-sent', peer: peerB, lastIndex, delivered: arrived });
}

describe('The leader sends a snapshot when the log no longer holds what a follower lacks (§7)', () => {
  it('asks first whether the follower holds the place just before its log (§7)', () => {
    const member = raft.leader({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const update = member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 6, hint: '2:1' }));
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 4, prevLogTerm: 1 });
    expect(update.snapshots).toEqual([]);
    expect(member.acknowledge(peerB, 4).snapshots).toEqual([]);
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 4 });
  });

  it('wants one snapshot, and sends only heartbeats until it is done (§7)', () => {
    const member = sending();
    expect(member.peer(peerB).state).toBe('snapshot');
    for (let beat = 0; beat < 10; beat++) {
      const update = member.advance(heartbeatIntervalMs);
      expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 4, entries: [] });
      member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 4, hint: '2:1' }));
      member.acknowledge(peerC);
      expect(update.snapshots).toEqual([]);
    }
    expect(raft.entriesSent(member.propose(1), peerB)).toEqual([]);
  });

  it('goes on after it once it is delivered: the next heartbeat finds the follower there (§7)', () => {
    const member = sending();
    expect(delivered(member, 6).messages).toEqual([]);
    const beat = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(beat, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 6, prevLogTerm: 2 });
    expect(raft.entriesSent(member.acknowledge(peerB, 6), peerB)).toEqual(['7:3']);
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 6 });
  });

  it('goes on at once when the follower acknowledges it before the driver says so (§7)', () => {
    const member = sending();
    expect(raft.entriesSent(member.acknowledge(peerB, 6), peerB)).toEqual(['7:3']);
    expect(delivered(member, 6).messages).toEqual([]);
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 6 });
  });

  it('wants another when it was not delivered, at the next heartbeat and not before (§7, invariant L9)', () => {
    const member = sending();
    expect(delivered(member, 6, false)).toMatchObject({ messages: [], snapshots: [] });
    member.advance(heartbeatIntervalMs);
    const update = member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 4, hint: '2:1' }));
    expect(update.snapshots).toEqual([peerB]);
  });

  it('an old answer of the follower is no reason to stop (§7)', () => {
    const member = sending();
    expect(member.acknowledge(peerB, 3).snapshots).toEqual([]);
    expect(member.peer(peerB)).toMatchObject({ state: 'snapshot', matchIndex: 3 });
  });

  it('a lost connection says nothing of the snapshot, which travels by itself (§7)', () => {
    const member = sending();
    member.turn({ kind: 'unreachable', peer: peerB });
    expect(member.peer(peerB).state).toBe('snapshot');
  });

  it('wants another when its log was shortened beyond the one that is delivered (§7)', () => {
    const member = sending();
    member.turn({ kind: 'applied', index: 7 }, { kind: 'prefix-removed', index: 7 });
    const update = member.acknowledge(peerB, 6);
    expect(update.snapshots).toEqual([peerB]);
  });

  it('a follower that was silent while the log was shortened is found again (§7, invariant L9)', () => {
    const member = raft.establishedLeader({ log: '1:1 2:1 3:1', term: 2 });
    member.turn({ kind: 'unreachable', peer: peerB });
    member.propose(1);
    member.persisted();
    member.acknowledge(peerC);
    member.turn({ kind: 'applied', index: 5 }, { kind: 'prefix-removed', index: 5 });
    const beat = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(beat, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 5, prevLogTerm: 2 });
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 5, hint: '4:2' }));
    expect(update.snapshots).toEqual([peerB]);
  });

  it('a deposed leader wants none any more; what the driver says of the last one changes nothing (§7)', () => {
    const member = sending();
    member.receive(peerC, raft.appendEntries({ term: 4, prev: '7:3' }));
    expect(delivered(member, 6).messages).toEqual([]);
  });

  it('entries that were asked of storage and are gone by now lead to a snapshot (§7)', () => {
    const log = '1:1 2:1 3:1 4:1';
    const member = raft.leader({ term: 2, log, inMemory: 1, applied: 4 });
    member.acknowledge(peerC);
    const asked = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '1:1' }));
    expect(asked.loads).toEqual([{ peer: peerB, firstIndex: 2, lastIndex: 3 }]);
    const update = member.turn({ kind: 'prefix-removed', index: 3 }, { kind: 'loaded', peer: peerB, entries: [] });
    expect(update.snapshots).toEqual([peerB]);
  });

  it('and so do those that came just before they went, to the last one (§7)', () => {
    const log = '1:1 2:1 3:1 4:1';
    const member = raft.leader({ term: 2, log, inMemory: 1, applied: 4 });
    member.acknowledge(peerC);
    const asked = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 4, hint: '2:1' }));
    expect(asked.loads).toEqual([{ peer: peerB, firstIndex: 3, lastIndex: 3 }]);
    const entries = raft.parseLog(log).slice(2, 3);
    const update = member.turn({ kind: 'prefix-removed', index: 3 }, { kind: 'loaded', peer: peerB, entries });
    expect(update.snapshots).toEqual([peerB]);
  });
});

describe('The receiver of a snapshot (§7)', () => {
  it('takes it in place of its log and state, and acknowledges it once it is durable (§7, invariants N2, S8)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:1' });
    const message = raft.installSnapshot({ term: 3, last: '9:2', voters: [self, peerB], configurationIndex: 5 });
    const update = member.receive(peerB, message);
    expect(update.install).toEqual(message.snapshot);
    expect(update.persist).toMatchObject({ snapshot: message.snapshot, entries: [] });
    expect(update.commitIndex).toBe(9);
    expect(update.messages).toEqual([]);
    expect(member.status).toMatchObject({
      firstIndex: 10,
      lastIndex: 9,
      lastTerm: 2,
      durableIndex: 0,
      appliedIndex: 0,
    });
    const done = member.persisted();
    expect(done.messages).toEqual([{ to: peerB, message: raft.success({ term: 3, matchIndex: 9 }) }]);
    member.turn({ kind: 'applied', index: 9 });
    expect(member.status).toMatchObject({ durableIndex: 9, appliedIndex: 9 });
  });

  it('has the configuration of the snapshot from then on (§7, thesis §4.1)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:1' });
    member.receive(
      peerB,
      raft.installSnapshot({ term: 3, last: '9:2', voters: [self, peerB, 9n], configurationIndex: 5 }),
    );
    expect(member.raft.configuration).toMatchObject({ index: 5, configuration: { voters: [1n, 2n, 9n] } });
    expect(member.raft.snapshotAt(9).configuration.index).toBe(5);
  });

  it('goes on with the entries after it, also before it is durable (§7)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:1' });
    member.receive(peerB, raft.installSnapshot({ term: 3, last: '9:2' }));
    const update = member.receive(peerB, raft.appendEntries({ term: 3, prev: '9:2', entries: '10:3', commit: 10 }));
    expect(update.persist).toMatchObject({ snapshot: undefined, entries: [{ index: 10 }] });
    expect(update.commitIndex).toBe(10);
    expect(member.persisted(member.sequence - 1).messages).toMatchObject([{ message: { matchIndex: 9 } }]);
    expect(member.persisted().messages).toMatchObject([{ message: { matchIndex: 10 } }]);
  });

  it('what was on its way to the disk before says nothing any more (invariant S8)', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    member.receive(peerB, raft.appendEntries({ term: 3, prev: '1:1', entries: '2:3 3:3' }));
    const old = member.sequence;
    member.receive(peerB, raft.installSnapshot({ term: 3, last: '9:3' }));
    expect(member.persisted(old).messages).toEqual([]);
    expect(member.status.durableIndex).toBe(0);
  });

  it('keeps a log that goes on after it, and only learns that it is committed (§7, invariant N3)', () => {
    const member = raft.follower({ term: 2, log: '1:1 2:1 3:2 4:2' });
    const update = member.receive(peerB, raft.installSnapshot({ term: 2, last: '3:2' }));
    expect(update).toMatchObject({ install: undefined, persist: undefined, commitIndex: 3 });
    expect(member.log).toBe('1:1 2:1 3:2 4:2');
    expect(update.messages).toEqual([{ to: peerB, message: raft.success({ term: 2, matchIndex: 4 }) }]);
  });

  it('drops a log that contradicts it (§7)', () => {
    const member = raft.member({ term: 2, log: '1:1 2:1 3:2 4:2' });
    expect(member.receive(peerB, raft.installSnapshot({ term: 3, last: '3:3' })).install).toBeDefined();
    expect(member.status).toMatchObject({ firstIndex: 4, lastIndex: 3, lastTerm: 3 });
  });

  it('never goes back (§7, invariant N3)', () => {
    const member = raft.follower({ term: 3, log: '1:1 2:1', applied: 2 });
    const update = member.receive(peerB, raft.installSnapshot({ term: 3, last: '1:1' }));
    expect(update).toMatchObject({ install: undefined, persist: undefined, commitIndex: 2 });
    expect(update.messages).toMatchObject([{ message: { success: true, matchIndex: 2 } }]);
  });

  it('nor to a place that its log no longer holds (§7, invariant N3)', () => {
    const member = raft.follower({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const update = member.receive(peerB, raft.installSnapshot({ term: 3, last: '2:1' }));
    expect(update).toMatchObject({ install: undefined, persist: undefined, commitIndex: 4 });
  });

  it('one that comes twice is taken once', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    member.receive(peerB, raft.installSnapshot({ term: 3, last: '9:2' }));
    expect(member.receive(peerB, raft.installSnapshot({ term: 3, last: '9:2' }))).toMatchObject({
      install: undefined,
      persist: undefined,
    });
  });

  it('tells a leader of the past that it is one (§5.1)', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    const update = member.receive(peerC, raft.installSnapshot({ term: 2, last: '9:2' }));
    expect(update.install).toBeUndefined();
    expect(raft.onlySent(update, 'append-entries-response', peerC)).toMatchObject({ term: 3, success: false });
  });

  it('is a sign of life of the leader, which it may not have known (§5.2)', () => {
    const member = raft.member({ term: 1, log: '1:1' });
    const update = member.receive(peerB, raft.installSnapshot({ term: 3, last: '9:2' }));
    expect(update.change).toEqual({ role: 'follower', term: 3, leader: peerB });
    expect(member.raft.nextTickAt).toBeGreaterThanOrEqual(electionTimeoutMs);
  });

  it.each([
    ['of another who says to lead the term', peerC, raft.installSnapshot({ term: 3, last: '9:2' })],
    ['of a later term than its leader’s', peerB, raft.installSnapshot({ term: 3, last: '9:4' })],
    ['of nothing', peerB, raft.installSnapshot({ term: 3, last: '0:0' })],
    ['with a configuration of later', peerB, raft.installSnapshot({ term: 3, last: '9:2', configurationIndex: 10 })],
    ['with a configuration that cannot be', peerB, raft.installSnapshot({ term: 3, last: '9:2', voters: [0n] })],
  ])('does not hear of a snapshot %s', (_, from, message) => {
    const member = raft.follower({ term: 3, log: '1:1' });
    expect(member.receive(from, message)).toMatchObject({ install: undefined, persist: undefined, messages: [] });
  });
});

describe('Log compaction (§7)', () => {
  it('the log begins after what was removed; the place before it is still known (§7)', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1 2:1 3:1' });
    member.turn({ kind: 'applied', index: 4 }, { kind: 'prefix-removed', index: 2 });
    expect(member.status).toMatchObject({ firstIndex: 3, lastIndex: 4 });
    expect(member.log).toBe('3:1 4:2');
    expect(member.raft.snapshotAt(2).last).toEqual({ index: 2, term: 1 });
  });

  it('what was told already is no news', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1 2:1 3:1' });
    member.turn(
      { kind: 'applied', index: 4 },
      { kind: 'prefix-removed', index: 2 },
      { kind: 'prefix-removed', index: 1 },
    );
    expect(member.status.firstIndex).toBe(3);
  });

  it('entries that are not applied are never removed (invariant N4)', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1 2:1 3:1' });
    member.turn({ kind: 'applied', index: 2 });
    expect(() => member.turn({ kind: 'prefix-removed', index: 3 })).toThrow('N4');
  });

  it('a follower whose log begins later than what is sent agrees with it: that is committed (§5.4)', () => {
    const member = raft.follower({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const update = member.receive(peerB, raft.appendEntries({ term: 3, prev: '2:1', entries: '3:1 4:1 5:2 6:2 7:3' }));
    expect(update.persist?.entries).toMatchObject([{ index: 7 }]);
  });

  it('the configuration at the log’s beginning stays known (§7, thesis §4.1)', () => {
    const member = raft.follower({ term: 2, log: '1:1' });
    const voters = [self, peerB, peerC, 4n];
    const entries = [raft.configurationEntry('2:2', simpleConfiguration(voters)), ...raft.parseLog('3:2 4:2')];
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries, commit: 4 }));
    member.persisted();
    member.turn({ kind: 'applied', index: 4 }, { kind: 'prefix-removed', index: 3 });
    expect(member.raft.snapshotAt(3).configuration).toMatchObject({ index: 2, configuration: { voters } });
    expect(() => member.raft.snapshotAt(2)).toThrow('a snapshot ends within the log');
  });

  it('and comes into force again when a later one is removed from the log (invariant M2)', () => {
    const member = raft.follower({ term: 2, log: '1:1' });
    const voters = [self, peerB, peerC, 4n];
    const first = raft.configurationEntry('2:2', simpleConfiguration(voters));
    const second = raft.configurationEntry('4:2', simpleConfiguration([...voters, 5n]));
    const entries = [first, ...raft.parseLog('3:2'), second];
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries, commit: 3 }));
    member.persisted();
    member.turn({ kind: 'applied', index: 3 }, { kind: 'prefix-removed', index: 3 });
    expect(member.raft.configuration.index).toBe(4);
    member.receive(peerC, raft.appendEntries({ term: 3, prev: '3:2', entries: '4:3' }));
    expect(member.raft.configuration).toMatchObject({ index: 2, configuration: { voters } });
  });
});
