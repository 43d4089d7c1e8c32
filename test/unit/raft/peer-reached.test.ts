/** A member that has just started waits for a few heartbeats once it reaches a quorum, not for an election timeout. */
import * as raft from '../../support/raft';
import { five, peerB, peerC, peerD, self, testOptions } from '../../support/raft';

const { heartbeatIntervalMs, electionTimeoutMs } = testOptions;
const reached = (peer: bigint) => ({ kind: 'peer-reached', peer }) as const;

describe('a member that has just started', () => {
  it.each([1, 2, 3, 4, 5])('asks around within three heartbeats of reaching a quorum (seed %i)', (seed) => {
    const member = raft.member({ log: '1:1', seed });
    member.now += 5;
    const since = member.now;
    member.turn(reached(peerC));
    const update = member.timeOut();
    expect(member.now - since).toBeGreaterThanOrEqual(heartbeatIntervalMs);
    expect(member.now - since).toBeLessThanOrEqual(3 * heartbeatIntervalMs);
    expect(raft.onlySent(update, 'request-vote', peerB)).toMatchObject({ preVote: true });
  });

  it('waits for the whole timeout while it reaches no quorum', () => {
    const member = raft.member({ log: '1:1', voters: five });
    const { nextTickAt } = member.raft;
    expect(nextTickAt - member.now).toBeGreaterThanOrEqual(electionTimeoutMs);
    member.turn(reached(peerC));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
    member.turn(reached(peerC));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
    member.turn(reached(peerD));
    expect(member.raft.nextTickAt - member.now).toBeLessThanOrEqual(3 * heartbeatIntervalMs);
  });

  it('needs nobody when it is alone', () => {
    const member = raft.member({ log: '1:1', voters: [self] });
    expect(member.raft.nextTickAt - member.now).toBeLessThanOrEqual(3 * heartbeatIntervalMs);
  });

  it('does so once: whoever is reached later changes nothing', () => {
    const member = raft.member({ log: '1:1' });
    member.turn(reached(peerC));
    member.timeOut();
    member.receive(peerB, raft.vote({ term: 0, voteGranted: false, preVote: true }));
    member.receive(peerC, raft.vote({ term: 0, voteGranted: false, preVote: true }));
    const { nextTickAt } = member.raft;
    expect(nextTickAt - member.now).toBeGreaterThanOrEqual(electionTimeoutMs);
    member.turn(reached(peerB));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
  });

  it('follows the leader that it hears instead', () => {
    const member = raft.member({ log: '1:1' });
    member.turn(reached(peerC));
    member.now += heartbeatIntervalMs - 1;
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1' }));
    expect(member.raft.nextTickAt - member.now).toBeGreaterThanOrEqual(electionTimeoutMs);
    const { nextTickAt } = member.raft;
    member.turn(reached(peerB));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
  });

  it('waits for the whole timeout where a lease for reads may rest on its earlier life (thesis §6.4.1)', () => {
    const member = raft.member({ log: '1:1', options: { leaseReads: true } });
    const { nextTickAt } = member.raft;
    for (const peer of [peerB, peerC]) member.turn(reached(peer));
    expect(member.raft.nextTickAt).toBe(nextTickAt);
    const alone = raft.member({ log: '1:1', voters: [self], options: { leaseReads: true } });
    expect(alone.raft.nextTickAt - alone.now).toBeGreaterThanOrEqual(electionTimeoutMs);
  });
});
