/** The sign that a leader's process has ended: its followers wait for a few heartbeats, not for an election timeout. */
import * as raft from '../../support/raft';
import { peerB, peerC, testOptions } from '../../support/raft';

const { heartbeatIntervalMs, electionTimeoutMs } = testOptions;
const gone = (peer: bigint) => ({ kind: 'peer-gone', peer }) as const;

describe('a follower whose leader is gone', () => {
  it.each([1, 2, 3, 4, 5])('asks around within three heartbeats, not before one (seed %i)', (seed) => {
    const member = raft.follower({ term: 3, log: '1:1', seed });
    const since = member.now;
    expect(member.turn(gone(peerB)).change).toEqual({ role: 'follower', term: 3, leader: undefined });
    const update = member.timeOut();
    expect(member.now - since).toBeGreaterThanOrEqual(heartbeatIntervalMs);
    expect(member.now - since).toBeLessThanOrEqual(3 * heartbeatIntervalMs);
    expect(raft.onlySent(update, 'request-vote', peerC)).toMatchObject({ term: 4, preVote: true });
  });

  it('never waits longer for it than it would have', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    const { nextTickAt } = member.raft;
    member.now = nextTickAt - 1;
    member.turn(gone(peerB));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
  });

  it('grants the pre-vote of another that misses it, too', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    member.turn(gone(peerB));
    const update = member.receive(peerC, raft.requestVote({ term: 4, last: '1:1', preVote: true }));
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toMatchObject({ voteGranted: true });
  });

  it('follows it as before when it is heard again', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    member.turn(gone(peerB));
    member.now += heartbeatIntervalMs - 1;
    member.receive(peerB, raft.appendEntries({ term: 3, prev: '1:1' }));
    expect(member.status).toMatchObject({ role: 'follower', leader: peerB });
    expect(member.raft.nextTickAt - member.now).toBeGreaterThanOrEqual(electionTimeoutMs);
    const update = member.receive(peerC, raft.requestVote({ term: 4, last: '1:1', preVote: true }));
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toMatchObject({ voteGranted: false });
  });

  it('does not care for others that are gone', () => {
    const member = raft.follower({ term: 3, log: '1:1' });
    const before = { ...member.status, timeout: member.raft.nextTickAt };
    member.turn(gone(peerC));
    expect({ ...member.status, timeout: member.raft.nextTickAt }).toEqual(before);
  });

  it('waits for the whole timeout where a lease for reads rests on that (thesis §6.4.1)', () => {
    const member = raft.follower({ term: 3, log: '1:1', options: { leaseReads: true } });
    const before = { ...member.status, timeout: member.raft.nextTickAt };
    member.turn(gone(peerB));
    expect({ ...member.status, timeout: member.raft.nextTickAt }).toEqual(before);
  });

  it('campaigns as it did if it does so already', () => {
    const member = raft.preCandidate({ term: 4 });
    const before = { ...member.status, timeout: member.raft.nextTickAt };
    member.turn(gone(peerB));
    expect({ ...member.status, timeout: member.raft.nextTickAt }).toEqual(before);
  });
});
