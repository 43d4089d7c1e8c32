import { simpleConfiguration, type MemberChange } from '../../src/raft';
import { CoreCluster } from '../support/core-cluster';
import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, peerE, self, testOptions } from '../support/raft';

const addD: MemberChange = { kind: 'add-voter', member: peerD };
const removeC: MemberChange = { kind: 'remove', member: peerC };

describe('Configuration changes, one server at a time (thesis §4.1)', () => {
  it('a new configuration is an entry, and in force at once on the leader (§4.1, invariant M2)', () => {
    const member = raft.establishedLeader();
    const update = member.change([addD]);
    expect(update.changes).toEqual([{ id: 1, accepted: true, index: 2 }]);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n, 4n] });
    expect(update.persist?.entries).toMatchObject([{ index: 2, kind: 'configuration' }]);
    expect(raft.entriesSent(update, peerB)).toEqual(['2:1']);
  });

  it('the new member is sent the log, and its vote counts, before the change is committed (§4.1)', () => {
    const member = raft.establishedLeader();
    member.change([addD]);
    member.persisted();
    expect(raft.sent(member.advance(testOptions.heartbeatIntervalMs), 'append-entries', peerD)).toHaveLength(1);
    expect(member.acknowledge(peerB).commitIndex).toBe(1);
    expect(member.acknowledge(peerD).commitIndex).toBe(2);
  });

  it('a follower follows it as soon as it has the entry, not when it is committed (§4.1, invariant M2)', () => {
    const member = raft.follower({ term: 2, log: '1:1' });
    const entry = raft.configurationEntry('2:2', simpleConfiguration([self, peerB, peerC, peerD]));
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries: [entry], commit: 1 }));
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n, 4n] });
    expect(member.status.commitIndex).toBe(1);
  });

  it('when the entry is removed, the configuration before it is in force again (§4.1, invariant M2)', () => {
    const member = raft.follower({ term: 2, log: '1:1' });
    const entry = raft.configurationEntry('2:2', simpleConfiguration([self, peerB, peerC, peerD]));
    member.receive(peerB, raft.appendEntries({ term: 2, prev: '1:1', entries: [entry] }));
    member.receive(peerC, raft.appendEntries({ term: 3, prev: '1:1', entries: '2:3' }));
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n] });
    expect(member.raft.configuration.index).toBe(0);
  });

  it('a member that starts finds it in its log (§4.1)', () => {
    const cluster = new CoreCluster({ size: 3 });
    cluster.run(500);
    const leader = cluster.leader ?? 0n;
    cluster.change(leader, [addD]);
    cluster.finishDisk(leader);
    cluster.crash(leader);
    cluster.restart(leader);
    expect(cluster.raft(leader).configuration).toMatchObject({ index: 2, configuration: { voters: [1n, 2n, 3n, 4n] } });
  });

  it('a removed member is no longer counted (§4.1)', () => {
    const member = raft.establishedLeader({ voters: [1n, 2n, 3n, 4n] });
    member.change([{ kind: 'remove', member: peerD }]);
    member.persisted();
    expect(member.acknowledge(peerD).commitIndex).toBe(1);
    expect(member.acknowledge(peerC).commitIndex).toBe(2);
  });

  it('a follower refuses', () => {
    expect(raft.follower().change([addD]).changes).toEqual([{ id: 1, accepted: false, reason: 'not-leader' }]);
  });

  it.each<[string, MemberChange[], string]>([
    ['nothing', [], 'no-change'],
    ['a voter that votes', [{ kind: 'add-voter', member: peerB }], 'no-change'],
    ['one member twice', [addD, { kind: 'remove', member: peerD }], 'named-twice'],
    ['that nobody votes', [1n, 2n, 3n].map((member) => ({ kind: 'remove', member })), 'no-voters'],
  ])('to ask for %s is refused and changes nothing', (_, changes, reason) => {
    const member = raft.establishedLeader();
    const update = member.change(changes);
    expect(update.changes).toEqual([{ id: 1, accepted: false, reason }]);
    expect(update.persist).toBeUndefined();
  });

  it('the next change waits until this one is committed (§4.1, invariant M1)', () => {
    const member = raft.establishedLeader();
    member.change([addD]);
    expect(member.change([removeC]).changes).toMatchObject([{ accepted: false, reason: 'unfinished' }]);
    member.persisted();
    for (const peer of [peerB, peerC, peerD]) member.acknowledge(peer);
    expect(member.change([removeC]).changes).toMatchObject([{ accepted: true, index: 3 }]);
  });

  it('no change begins before an entry of the leader’s own term is committed (2015 bug, invariant M3)', () => {
    const member = raft.leader({ term: 2, log: '1:1' });
    expect(member.change([addD]).changes).toMatchObject([{ accepted: false, reason: 'unfinished' }]);
    expect(member.change([addD], true).changes).toMatchObject([{ accepted: false, reason: 'unfinished' }]);
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    expect(member.change([addD]).changes).toMatchObject([{ accepted: true }]);
  });

  it('what the program keeps with it stays with it, and is found at every later place', () => {
    const member = raft.establishedLeader();
    const context = new Uint8Array([7, 8]);
    member.turn({ kind: 'change-configuration', id: 1, changes: [addD], context });
    expect(member.raft.configuration).toMatchObject({ index: 2, context });
    expect(member.raft.snapshotAt(1).configuration.index).toBe(0);
    expect(member.raft.snapshotAt(2).configuration).toMatchObject({ index: 2, context });
  });

  it('what the program keeps can change alone, such as an address', () => {
    const member = raft.establishedLeader();
    const change = { kind: 'change-configuration', id: 1, changes: [], context: new Uint8Array([7]) } as const;
    expect(member.turn(change).changes).toEqual([{ id: 1, accepted: true, index: 2 }]);
    expect(member.configuration).toEqual({ voters: [1n, 2n, 3n] });
    member.persisted();
    member.acknowledge(peerB);
    expect(member.turn(change).changes).toEqual([{ id: 1, accepted: false, reason: 'no-change' }]);
  });

  it('the id of a former member is never given again (invariant M7)', () => {
    const member = raft.establishedLeader();
    member.change([removeC]);
    member.persisted();
    for (const peer of [peerB, peerC]) member.acknowledge(peer);
    for (const kind of ['add-voter', 'add-learner'] as const) {
      const [answer] = member.change([{ kind, member: peerC }], true).changes;
      expect(answer).toEqual({ id: 1, accepted: false, reason: 'id-was-used' });
    }
  });
});

describe('A change that the cluster could not carry (invariant M8)', () => {
  /** A leader of `voters` that hears from some of them, and only from them, for longer than an election timeout. */
  function hearing(voters: readonly bigint[], from: readonly bigint[]): raft.TestMember {
    const member = raft.establishedLeader({ voters });
    for (let beat = 0; beat < 6; beat++) {
      member.advance(testOptions.heartbeatIntervalMs);
      for (const peer of from) member.acknowledge(peer);
    }
    return member;
  }

  it.each<{ what: string; voters: readonly bigint[]; from: bigint[]; change: MemberChange; fine: boolean }>([
    {
      what: 'removing the dead of three',
      voters: [1n, 2n, 3n],
      from: [2n],
      change: { kind: 'remove', member: 3n },
      fine: true,
    },
    {
      what: 'removing a living of three with one dead',
      voters: [1n, 2n, 3n],
      from: [2n],
      change: { kind: 'remove', member: 2n },
      fine: false,
    },
    {
      what: 'removing a living of five with two dead',
      voters: five,
      from: [2n, 3n],
      change: { kind: 'remove', member: 2n },
      fine: false,
    },
    {
      what: 'removing a dead of five with two dead',
      voters: five,
      from: [2n, 3n],
      change: { kind: 'remove', member: 5n },
      fine: true,
    },
    {
      what: 'demoting a living of three with one dead',
      voters: [1n, 2n, 3n],
      from: [2n],
      change: { kind: 'add-learner', member: 2n },
      fine: false,
    },
    {
      what: 'adding a silent voter to three',
      voters: [1n, 2n, 3n],
      from: [2n, 3n],
      change: { kind: 'add-voter', member: 4n },
      fine: true,
    },
    {
      what: 'adding a silent voter to three with one dead',
      voters: [1n, 2n, 3n],
      from: [2n],
      change: { kind: 'add-voter', member: 4n },
      fine: false,
    },
    {
      what: 'adding a silent voter to one',
      voters: [1n],
      from: [],
      change: { kind: 'add-voter', member: 2n },
      fine: false,
    },
    {
      what: 'adding a learner to three with one dead',
      voters: [1n, 2n, 3n],
      from: [2n],
      change: { kind: 'add-learner', member: 4n },
      fine: true,
    },
    {
      what: 'removing itself from two',
      voters: [1n, 2n],
      from: [2n],
      change: { kind: 'remove', member: 1n },
      fine: true,
    },
  ])('$what is accepted if a quorum would answer: $fine', ({ voters, from, change, fine }) => {
    const [answer] = hearing(voters, from).change([change]).changes;
    if (fine) expect(answer?.accepted).toBe(true);
    else expect(answer).toEqual({ id: 1, accepted: false, reason: 'unhealthy' });
  });

  it('in a joint configuration both sides must answer', () => {
    const replace: MemberChange[] = [
      { kind: 'remove', member: peerB },
      { kind: 'add-voter', member: peerD },
    ];
    expect(hearing([1n, 2n, 3n], [2n]).change(replace).changes).toMatchObject([{ reason: 'unhealthy' }]);
    expect(hearing([1n, 2n, 3n], [2n, 3n]).change(replace).changes).toMatchObject([{ accepted: true }]);
  });

  it('is done all the same when forced', () => {
    const member = hearing([1n, 2n, 3n], [2n]);
    expect(member.change([{ kind: 'remove', member: 2n }], true).changes).toMatchObject([{ accepted: true }]);
  });

  it('a leader believes only those alive that have answered it', () => {
    const member = raft.leader({ voters: [1n, 2n, 3n] });
    member.acknowledge(peerB);
    expect(member.change([{ kind: 'remove', member: 2n }]).changes).toMatchObject([{ reason: 'unhealthy' }]);
  });
});

/** A member's patience ends, until it leads; everything that is sent arrives. */
function elect(cluster: CoreCluster, id: bigint): void {
  for (let attempt = 0; attempt < 8 && cluster.leader !== id; attempt++) {
    cluster.now += 2 * cluster.options.electionTimeoutMs;
    cluster.timeOut(id);
    cluster.settle();
  }
  expect(cluster.leader).toBe(id);
}

/**
 * Ongaro, raft-dev, 10 July 2015: A changes the configuration and tells nobody (or only the newcomer); B is elected by
 * the others, changes it too, and commits; then A, elected by a majority of its own, would overwrite what B committed.
 */
describe('The bug of the single-server change (found in 2015, invariant M3)', () => {
  it.each<[string, MemberChange, MemberChange]>([
    ['one is added, one removed', { kind: 'add-voter', member: peerE }, { kind: 'remove', member: self }],
    ['two are added', { kind: 'add-voter', member: peerE }, { kind: 'add-voter', member: 6n }],
    ['two are removed', { kind: 'remove', member: peerB }, { kind: 'remove', member: self }],
  ])('does not happen when %s', (_, byA, byB) => {
    const cluster = new CoreCluster({ size: 4 });
    cluster.join(peerE);
    cluster.join(6n);
    elect(cluster, self);
    cluster.partition([self, peerE], [peerB, peerC, peerD, 6n]);
    expect(cluster.change(self, [byA]).changes).toMatchObject([{ accepted: true }]);
    cluster.settle();
    const uncommitted = cluster.raft(self).configuration;
    expect(uncommitted.index).toBeGreaterThan(cluster.raft(self).status.commitIndex);

    // B wins with the old configuration, and asks for its change before anything of its term is committed.
    for (let attempt = 0; attempt < 8 && cluster.leader !== peerB; attempt++) {
      cluster.now += 2 * cluster.options.electionTimeoutMs;
      cluster.timeOut(peerB);
      while (cluster.wire.length > 0 || cluster.ids.some((id) => cluster.seat(id).queue.length > 0)) {
        for (const id of cluster.ids) cluster.finishDisk(id);
        cluster.deliver();
        if (cluster.leader === peerB && cluster.raft(peerB).status.role === 'leader') break;
      }
    }
    expect(cluster.change(peerB, [byB], true).changes).toMatchObject([{ accepted: false, reason: 'unfinished' }]);
    cluster.settle();
    expect(cluster.change(peerB, [byB], true).changes).toMatchObject([{ accepted: true }]);
    cluster.settle();
    const committed = cluster.checker.committed.length;
    expect(cluster.raft(peerB).status.commitIndex).toBe(committed);

    // A comes back with D and E on its side, which would be a majority of its own configuration.
    cluster.partition([self, peerD, peerE]);
    for (let attempt = 0; attempt < 6; attempt++) {
      cluster.now += 2 * cluster.options.electionTimeoutMs;
      if (cluster.raft(self).status.role !== 'leader') cluster.timeOut(self);
      cluster.settle();
    }
    expect(cluster.checker.committed).toHaveLength(committed);
    cluster.heal();
    cluster.run(1000);
    expect(cluster.leader).toBeDefined();
    expect(cluster.checker.committed.length).toBeGreaterThan(committed);
  });
});
