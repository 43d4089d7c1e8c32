import { seededRng } from '../../src/base/rng';
import { Raft, simpleConfiguration } from '../../src/raft';
import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, peerE, self, testOptions, three } from '../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;

describe('Leader election (§5.2)', () => {
  it('a member starts as a follower that knows no leader (§5.2)', () => {
    expect(raft.member().status).toMatchObject({ role: 'follower', leader: undefined, votedFor: undefined });
  });

  it('a follower stays one as long as heartbeats arrive, and begins an election once they end (§5.2)', () => {
    const member = raft.follower({ term: 1 });
    for (let beat = 0; beat < 20; beat++) {
      member.advance(electionTimeoutMs - 1);
      expect(member.role).toBe('follower');
      member.receive(peerB, raft.appendEntries({ term: 1 }));
    }
    member.advance(electionTimeoutMs - 1);
    expect(member.role).toBe('follower');
    member.advance(electionTimeoutMs + 1);
    expect(member.role).toBe('pre-candidate');
    expect(member.status.leader).toBeUndefined();
  });

  it('a refused AppendEntries of the leader counts as hearing from it (§5.2)', () => {
    const member = raft.member({ term: 1 });
    member.advance(electionTimeoutMs - 1);
    member.receive(peerB, raft.appendEntries({ term: 1, prev: '5:1' }));
    member.advance(electionTimeoutMs - 1);
    expect(member.role).toBe('follower');
  });

  it('a candidate raises the term, votes for itself, and asks all other voters (§5.2)', () => {
    const member = raft.preCandidate({ voters: five, learners: [6n], term: 3, log: '1:1 2:2' });
    member.receive(peerB, raft.vote({ term: 3, preVote: true }));
    const update = member.receive(peerC, raft.vote({ term: 3, preVote: true }));
    expect(member.status).toMatchObject({ role: 'candidate', term: 3, votedFor: self });
    expect(update.persist?.hardState).toEqual({ term: 3, votedFor: self });
    const request = raft.requestVote({ term: 3, last: '2:2' });
    expect(update.messages).toEqual([peerB, peerC, peerD, peerE].map((to) => ({ to, message: request })));
  });

  it.each([
    [3, 1],
    [4, 2],
    [5, 2],
    [7, 3],
  ])('a candidate among %i voters wins with %i votes beside its own, not with one less (§5.2)', (size, needed) => {
    const voters = Array.from({ length: size }, (_, at) => BigInt(at + 1));
    const member = raft.candidate({ voters });
    member.persisted();
    for (const peer of member.peers.slice(0, needed - 1)) member.receive(peer, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
    const last = member.peers[needed - 1] ?? 0n;
    const update = member.receive(last, raft.vote({ term: 1 }));
    expect(update.change).toEqual({ role: 'leader', term: 1, leader: self });
  });

  it('the only voter elects itself, once its vote is durable (§5.2)', () => {
    const member = raft.member({ voters: [self] });
    member.timeOut();
    expect(member.status).toMatchObject({ role: 'candidate', term: 1 });
    member.persisted();
    expect(member.role).toBe('leader');
    expect(member.persisted().commitIndex).toBe(1);
  });

  it('a voter counts once, whatever it says how often: its first answer stands (§5.2)', () => {
    const member = raft.candidate({ voters: five });
    member.persisted();
    member.receive(peerB, raft.vote({ term: 1 }));
    member.receive(peerB, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
    member.receive(peerC, raft.vote({ term: 1, voteGranted: false }));
    member.receive(peerC, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
  });

  it('votes of learners and strangers do not count (§5.2)', () => {
    const member = raft.candidate({ learners: [8n] });
    member.persisted();
    member.receive(8n, raft.vote({ term: 1 }));
    member.receive(9n, raft.vote({ term: 1 }));
    expect(member.role).toBe('candidate');
  });

  it('a candidate that a majority refuses waits as a follower and keeps its term and vote (§5.2)', () => {
    const member = raft.candidate();
    member.persisted();
    member.receive(peerB, raft.vote({ term: 1, voteGranted: false }));
    expect(member.role).toBe('candidate');
    member.receive(peerC, raft.vote({ term: 1, voteGranted: false }));
    expect(member.status).toMatchObject({ role: 'follower', term: 1, votedFor: self });
  });

  it('votes given in an earlier term do not count in a later one (§5.2)', () => {
    const member = raft.candidate({ voters: five });
    member.persisted();
    member.receive(peerB, raft.vote({ term: 1 }));
    member.timeOut();
    member.receive(peerD, raft.vote({ term: 2, preVote: true }));
    member.receive(peerE, raft.vote({ term: 2, preVote: true }));
    expect(member.status).toMatchObject({ role: 'candidate', term: 2 });
    member.persisted();
    member.receive(peerC, raft.vote({ term: 1 }));
    member.receive(peerD, raft.vote({ term: 1 }));
    member.receive(peerE, raft.vote({ term: 2 }));
    expect(member.role).toBe('candidate');
    member.receive(peerC, raft.vote({ term: 2 }));
    expect(member.role).toBe('leader');
  });

  it.each([1, 2])('a candidate of term 1 follows a leader of term %i (§5.2)', (term) => {
    const member = raft.candidate();
    const update = member.receive(peerC, raft.appendEntries({ term }));
    expect(update.change).toEqual({ role: 'follower', term, leader: peerC });
    member.persisted();
    member.receive(peerB, raft.vote({ term: 1 }));
    expect(member.role).toBe('follower');
  });

  it('a candidate goes on when an old leader speaks (§5.2)', () => {
    const member = raft.candidate({ term: 3 });
    member.receive(peerC, raft.appendEntries({ term: 2 }));
    expect(member.status).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('a candidate without a decision begins a new election after another timeout (§5.2)', () => {
    const member = raft.candidate();
    member.persisted();
    const update = member.timeOut();
    expect(update.change).toMatchObject({ role: 'pre-candidate', term: 1 });
    expect(raft.onlySent(update, 'request-vote', peerB)).toEqual(raft.requestVote({ term: 2, preVote: true }));
  });

  it('a learner never campaigns (§5.2, thesis §4.2.1)', () => {
    const member = raft.member({ id: 9n, voters: three, learners: [9n] });
    for (let count = 0; count < 5; count++) expect(member.timeOut().messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'follower', term: 0 });
  });
});

describe('Heartbeats (§5.2)', () => {
  it('a new leader tells everybody at once (§5.2)', () => {
    const member = raft.candidate({ term: 2 });
    member.persisted();
    const update = member.receive(peerB, raft.vote({ term: 2 }));
    expect(member.role).toBe('leader');
    for (const to of [peerB, peerC]) expect(raft.onlySent(update, 'append-entries', to)).toMatchObject({ term: 2 });
  });

  it('an idle leader sends a heartbeat at every interval and nothing between (§5.2)', () => {
    const member = raft.establishedLeader();
    member.advance(heartbeatIntervalMs);
    for (let beat = 0; beat < 3; beat++) {
      expect(member.raft.nextTickAt).toBe(member.now + heartbeatIntervalMs);
      expect(member.advance(heartbeatIntervalMs - 1).messages).toEqual([]);
      const update = member.advance(1);
      expect(update.messages.map(({ to }) => to)).toEqual([peerB, peerC]);
      expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 1 });
      for (const peer of member.peers) member.acknowledge(peer);
    }
  });

  it('a leader ignores AppendEntries of its own term: there is no other leader in it (§5.2)', () => {
    const member = raft.establishedLeader();
    const update = member.receive(peerB, raft.appendEntries({ term: 1, prev: '1:1', entries: '2:1', commit: 2 }));
    expect(update.messages).toEqual([]);
    expect(member.status).toMatchObject({ role: 'leader', lastIndex: 1, commitIndex: 1 });
  });
});

describe('Votes (§5.2)', () => {
  it('a member votes for the first who asks and for nobody else in that term (§5.2)', () => {
    const member = raft.member({ term: 1 });
    const first = member.receive(peerB, raft.requestVote({ term: 2 }));
    expect(raft.onlySent(first, 'request-vote-response', peerB)).toEqual(raft.vote({ term: 2 }));
    expect(first.persist?.hardState).toEqual({ term: 2, votedFor: peerB });
    const second = member.receive(peerC, raft.requestVote({ term: 2, last: '9:1' }));
    expect(raft.onlySent(second, 'request-vote-response', peerC)).toEqual(raft.vote({ term: 2, voteGranted: false }));
    expect(second.persist).toBeUndefined();
    expect(member.status.votedFor).toBe(peerB);
  });

  it('a vote is given again to who got it: the answer may have been lost (§5.2)', () => {
    const member = raft.member({ term: 1, votedFor: peerB });
    const update = member.receive(peerB, raft.requestVote({ term: 1 }));
    expect(raft.onlySent(update, 'request-vote-response')).toEqual(raft.vote({ term: 1 }));
    expect(update.persist).toBeUndefined();
  });

  it('a vote given before a restart binds after it (§5.2)', () => {
    const member = raft.member({ term: 4, votedFor: peerB });
    const update = member.receive(peerC, raft.requestVote({ term: 4, last: '9:3' }));
    expect(raft.onlySent(update, 'request-vote-response')).toMatchObject({ voteGranted: false });
  });

  it('a vote given in the own term before it had an entry in the log is persisted (§5.2)', () => {
    const member = raft.member({ term: 4 });
    const update = member.receive(peerC, raft.requestVote({ term: 4 }));
    expect(update.persist?.hardState).toEqual({ term: 4, votedFor: peerC });
  });

  it('a candidate and a leader gave their vote to themselves (§5.2)', () => {
    const asking = raft.candidate({ term: 3 });
    const update = asking.receive(peerB, raft.requestVote({ term: 3, last: '9:2' }));
    expect(raft.onlySent(update, 'request-vote-response')).toEqual(raft.vote({ term: 3, voteGranted: false }));
    const leading = raft.leader({ term: 3 });
    const answer = leading.receive(peerB, raft.requestVote({ term: 3, last: '9:3' }));
    expect(raft.onlySent(answer, 'request-vote-response')).toEqual(raft.vote({ term: 3, voteGranted: false }));
  });

  it('a member that gave its vote waits a whole timeout for its candidate (§5.2)', () => {
    const member = raft.member({ term: 1 });
    member.advance(electionTimeoutMs - 1);
    member.receive(peerB, raft.requestVote({ term: 1 }));
    expect(member.raft.nextTickAt).toBeGreaterThanOrEqual(member.now + electionTimeoutMs);
  });

  it('a member that refused its vote in the current term does not wait longer for it (§5.2)', () => {
    const member = raft.member({ term: 1, votedFor: peerC });
    const before = member.raft.nextTickAt;
    member.advance(electionTimeoutMs - 1);
    member.receive(peerB, raft.requestVote({ term: 1 }));
    expect(member.raft.nextTickAt).toBe(before);
  });
});

describe('Randomised election timeouts (§5.2)', () => {
  it('lie between one and two election timeouts and are spread over that range (§5.2)', () => {
    const waits = Array.from({ length: 300 }, (_, seed) => raft.member({ seed }).raft.nextTickAt);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(electionTimeoutMs);
    expect(Math.max(...waits)).toBeLessThan(2 * electionTimeoutMs);
    expect(new Set(waits).size).toBeGreaterThan(80);
  });

  it('are drawn anew for each wait, so that a split vote does not repeat itself (§5.2)', () => {
    const member = raft.follower({ term: 1 });
    const waits = Array.from({ length: 30 }, () => {
      member.receive(peerB, raft.appendEntries({ term: 1 }));
      return member.raft.nextTickAt - member.now;
    });
    expect(new Set(waits).size).toBeGreaterThan(15);
  });

  it('come from the injected seed alone: equal starts give equal lives (§5.2)', () => {
    const life = (): string => {
      const member = raft.candidate({ seed: 5 });
      return `${member.now} ${JSON.stringify(member.timeOut(), (_, value: unknown) => String(value))}`;
    };
    expect(life()).toBe(life());
  });

  it('begin at the time of the start, whatever the clock then says (§5.2)', () => {
    const member = new Raft({
      id: self,
      options: testOptions,
      rng: seededRng(1),
      hardState: { term: 0, votedFor: undefined },
      log: raft.logStart([]),
      configuration: { index: 0, configuration: simpleConfiguration(three), context: new Uint8Array() },
      configurationEntries: [],
      appliedIndex: 0,
      now: 5_000_000,
      checkInvariants: true,
    });
    expect(member.nextTickAt).toBeGreaterThanOrEqual(5_000_000 + electionTimeoutMs);
    expect(member.step({ kind: 'tick' }, 5_000_001).change).toBeUndefined();
  });
});
