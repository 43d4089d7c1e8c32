import * as raft from '../support/raft';
import { peerB, peerC, self, testOptions } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;
const options = { leaseReads: true, maxClockDrift: 0.1 };
const leaseMs = electionTimeoutMs * (1 - options.maxClockDrift);

/** A leader at the time its lease began: when it sent the round of heartbeats that was answered. */
function leaseholder(): { member: raft.TestMember; began: number } {
  const member = raft.establishedLeader({ term: 2, options });
  const began = member.now;
  member.advance(5);
  member.acknowledge(peerB, 1, 1);
  return { member, began };
}

describe('Leader leases (thesis §6.4.1)', () => {
  it('are off unless asked for', () => {
    const member = raft.establishedLeader();
    expect(member.read(1).reads).toEqual([]);
  });

  it('a read is answered at once while a majority’s answer is fresh (§6.4.1)', () => {
    const { member } = leaseholder();
    const update = member.read(7);
    expect(update.reads).toEqual([{ id: 7, confirmed: true, readIndex: 1 }]);
  });

  it('the lease counts from when the round was sent, and ends early by what clocks may drift (§6.4.1, invariant K4)', () => {
    const { member, began } = leaseholder();
    member.now = began + leaseMs - 1;
    expect(member.read(1).reads).toHaveLength(1);
    member.now = began + leaseMs;
    expect(member.read(2).reads).toEqual([]);
  });

  it('a leader tells whether it has one, at any time (§6.4.1)', () => {
    const { member, began } = leaseholder();
    expect(member.raft.holdsReadLease(began + leaseMs - 1)).toBe(true);
    expect(member.raft.holdsReadLease(began + leaseMs)).toBe(false);
    expect(raft.establishedLeader().raft.holdsReadLease(began)).toBe(false);
    expect(raft.follower({ term: 2, log: '1:1', options }).raft.holdsReadLease(began)).toBe(false);
  });

  it('a read without a lease is confirmed as any other, and renews it (§6.4.1)', () => {
    const { member, began } = leaseholder();
    member.now = began + leaseMs;
    const { readRound } = raft.onlySent(member.read(2), 'append-entries', peerC);
    expect(member.acknowledge(peerC, 1, readRound).reads).toHaveLength(1);
    expect(member.read(3).reads).toHaveLength(1);
  });

  it('every heartbeat renews it, if answered (§6.4.1)', () => {
    const { member } = leaseholder();
    for (let beat = 0; beat < 20; beat++) {
      const { readRound } = raft.onlySent(member.advance(heartbeatIntervalMs), 'append-entries', peerC);
      member.acknowledge(peerC, 1, readRound);
      expect(member.read(beat).reads).toHaveLength(1);
    }
  });

  it('answers to older rounds renew nothing (§6.4.1)', () => {
    const { member, began } = leaseholder();
    for (let beat = 0; beat < 5; beat++) {
      member.advance(heartbeatIntervalMs);
      member.acknowledge(peerC, 1, 1);
    }
    expect(member.now).toBeGreaterThan(began + leaseMs);
    expect(member.read(1).reads).toEqual([]);
  });

  it('there is none before an entry of the leader’s own term is committed (§6.4.1, §8)', () => {
    const member = raft.leader({ term: 2, log: '1:1', options });
    member.acknowledge(peerB, 1, 0);
    expect(member.read(1).reads).toEqual([]);
  });

  it('it is void once a successor was asked to campaign, also after the transfer failed (§6.4.1, §3.10)', () => {
    const { member } = leaseholder();
    member.transfer(peerB);
    expect(member.read(1).reads).toEqual([]);
    for (let beat = 0; beat < 8; beat++) {
      const { readRound } = raft.onlySent(member.advance(heartbeatIntervalMs), 'append-entries', peerC);
      member.acknowledge(peerC, 1, readRound);
    }
    expect(member.propose(1).proposed[0]?.accepted).toBe(true);
    expect(member.read(2).reads).toEqual([]);
  });

  it('a transfer that has not asked yet leaves it alone (§3.10)', () => {
    const { member } = leaseholder();
    member.propose(1);
    member.transfer(peerB);
    expect(member.read(1).reads).toHaveLength(1);
  });

  it('who hears from a leader votes for nobody else for an election timeout (§6.4.1, §4.2.3)', () => {
    const member = raft.follower({ term: 2, log: '1:1', options });
    member.now = electionTimeoutMs - 1;
    const update = member.receive(peerC, raft.requestVote({ term: 3, last: '1:1' }));
    expect(raft.onlySent(update, 'request-vote-response', peerC).voteGranted).toBe(false);
  });

  it('who has just started does not know whom it heard from, and waits as long (§6.4.1)', () => {
    const member = raft.member({ term: 2, log: '1:1', options });
    const ask = (): boolean => {
      const update = member.receive(peerC, raft.requestVote({ term: 3, last: '1:1' }));
      return raft.onlySent(update, 'request-vote-response', peerC).voteGranted;
    };
    member.now = electionTimeoutMs - 1;
    expect(ask()).toBe(false);
    member.now = electionTimeoutMs;
    expect(ask()).toBe(true);
  });

  it('the only voter has it for ever', () => {
    const member = raft.leader({ voters: [self], options });
    for (let waited = 0; waited < 20; waited++) {
      member.advance(heartbeatIntervalMs * 3);
      expect(member.read(waited).reads).toHaveLength(1);
    }
  });

  it('a leader that stood still has lost it (invariant K4)', () => {
    const { member } = leaseholder();
    member.now += electionTimeoutMs * 3;
    expect(member.read(1).reads).toEqual([]);
  });
});
