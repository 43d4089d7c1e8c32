import * as raft from '../support/raft';
import { five, peerB, peerC, peerD, peerE } from '../support/raft';

describe('The leader replicates its log (§5.3)', () => {
  it('appends what is proposed and sends it to everybody at the same time (§5.3)', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1' });
    const update = member.propose(10, 20);
    expect(update.proposed).toEqual([{ id: 1, accepted: true, firstIndex: 3 }]);
    expect(raft.drawLog(update.persist?.entries ?? [])).toBe('3:2 4:2');
    for (const to of [peerB, peerC]) {
      const message = raft.onlySent(update, 'append-entries', to);
      expect(message).toMatchObject({ term: 2, prevLogIndex: 2, prevLogTerm: 2, leaderCommit: 2 });
      expect(message.entries).toEqual(update.persist?.entries);
    }
  });

  it.each([
    ['three', raft.three, [peerB]],
    ['five', five, [peerB, peerC]],
  ])('commits an entry once a majority of %s holds it, and tells the others (§5.3)', (_, voters, needed) => {
    const member = raft.establishedLeader({ voters });
    member.propose(10);
    member.persisted();
    const [last, ...others] = [...needed].reverse();
    for (const peer of others) expect(member.acknowledge(peer).commitIndex).toBe(1);
    expect(member.acknowledge(last ?? 0n).commitIndex).toBe(2);
    const update = member.advance(raft.testOptions.heartbeatIntervalMs / 10);
    for (const peer of member.peers) {
      expect(raft.onlySent(update, 'append-entries', peer)).toMatchObject({ leaderCommit: 2 });
    }
  });

  it('commits with an entry all that come before it (§5.3)', () => {
    const member = raft.leader({ term: 3, log: '1:1 2:1 3:2' });
    expect(member.status.commitIndex).toBe(0);
    expect(member.acknowledge(peerB).commitIndex).toBe(4);
  });

  it('never counts the same member twice (§5.3)', () => {
    const member = raft.establishedLeader({ voters: five });
    member.propose(10);
    member.persisted();
    member.acknowledge(peerB);
    expect(member.acknowledge(peerB).commitIndex).toBe(1);
  });

  it('does not count learners and strangers (§5.3, thesis §4.2.1)', () => {
    const member = raft.establishedLeader({ learners: [8n] });
    member.propose(10);
    member.persisted();
    member.acknowledge(8n);
    expect(member.acknowledge(9n).commitIndex).toBe(1);
  });

  it('never overwrites or removes an entry of its own log (§5.3, leader append-only)', () => {
    const member = raft.leader({ term: 3, log: '1:1 2:2' });
    member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 2, hint: '1:1' }));
    member.receive(peerC, raft.appendEntries({ term: 3, prev: '1:1', entries: '2:3' }));
    expect(member.log).toBe('1:1 2:2 3:3');
  });

  it('sends again, with every heartbeat, to who does not answer (§5.3)', () => {
    const member = raft.leader({ term: 2, log: '1:1' });
    member.advance(raft.testOptions.heartbeatIntervalMs);
    member.acknowledge(peerB);
    const update = member.advance(raft.testOptions.heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerC)).toMatchObject({ prevLogIndex: 1, prevLogTerm: 1 });
    expect(raft.entriesSent(member.acknowledge(peerC, 1), peerC)).toEqual(['2:2']);
  });

  it('goes back until the logs agree, then sends all that follows (§5.3)', () => {
    const member = raft.leader({ term: 4, log: '1:1 2:1 3:2 4:3' });
    const first = member.receive(peerB, raft.rejection({ term: 4, rejectedIndex: 4, hint: '3:1' }));
    expect(raft.onlySent(first, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 2, prevLogTerm: 1 });
    const second = member.receive(peerB, raft.rejection({ term: 4, rejectedIndex: 2, hint: '0:0' }));
    expect(raft.onlySent(second, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0 });
    expect(raft.entriesSent(second, peerB)).toEqual(['1:1 2:1 3:2 4:3 5:4']);
    expect(member.acknowledge(peerB).commitIndex).toBe(5);
  });

  it('skips a whole term of the follower with one refusal (§5.3, end)', () => {
    const member = raft.leader({ term: 8, log: '1:1 2:4 3:4 4:6 5:6' });
    const update = member.receive(peerB, raft.rejection({ term: 8, rejectedIndex: 5, hint: '5:3' }));
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 1, prevLogTerm: 1 });
  });

  it('does not go back for a refusal that came late (§5.3)', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1 2:1' });
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 2, hint: '1:1' }));
    expect(raft.entriesSent(update, peerB)).toEqual([]);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 3, entries: [] });
    expect(raft.entriesSent(member.propose(1), peerB)).toEqual(['4:2']);
  });
});

describe('AppendEntries receiver (§5.3)', () => {
  const follow = (log: string): raft.TestMember => raft.follower({ term: 5, log });

  it.each([
    ['is missing', '1:1 2:1', '5:1', '2:1'],
    ['is of a later term', '1:1 2:1 3:2', '3:1', '2:1'],
    ['is of an earlier term', '1:1 2:1 3:1', '3:2', '3:1'],
    ['is missing and the log ends with a term the leader has not', '1:1 2:4 3:4', '6:3', '1:1'],
    ['is missing in an empty log', '', '1:1', '0:0'],
    ['differs from the first entry on', '1:3 2:3', '2:2', '0:0'],
  ])('refuses entries whose predecessor %s, and says how far the logs may agree (§5.3)', (_, log, prev, hint) => {
    const member = follow(log);
    const { index } = raft.parsePosition(prev);
    const request = raft.appendEntries({ term: 5, prev, entries: `${index + 1}:5`, commit: index + 1 });
    const update = member.receive(peerB, request);
    const expected = raft.rejection({ term: 5, rejectedIndex: index, hint });
    expect(raft.onlySent(update, 'append-entries-response', peerB)).toEqual(expected);
    expect(member.log).toBe(log);
    expect(member.status.commitIndex).toBe(0);
  });

  const cases = [
    {
      does: 'appends what is new',
      log: '1:1 2:1',
      prev: '2:1',
      entries: '3:3 4:5',
      then: '1:1 2:1 3:3 4:5',
      added: '3:3 4:5',
    },
    {
      does: 'removes a conflict and all after it',
      log: '1:1 2:1 3:2 4:2',
      prev: '2:1',
      entries: '3:5',
      then: '1:1 2:1 3:5',
      added: '3:5',
    },
    {
      does: 'removes a conflict behind what it has',
      log: '1:1 2:1 3:2',
      prev: '1:1',
      entries: '2:1 3:3',
      then: '1:1 2:1 3:3',
      added: '3:3',
    },
    { does: 'replaces a whole log', log: '1:1 2:1', prev: '0:0', entries: '1:2', then: '1:2', added: '1:2' },
    {
      does: 'takes a repetition for what it is',
      log: '1:1 2:1 3:2',
      prev: '1:1',
      entries: '2:1 3:2',
      then: '1:1 2:1 3:2',
      added: '',
    },
    {
      does: 'keeps what follows an old message',
      log: '1:1 2:1 3:2',
      prev: '1:1',
      entries: '2:1',
      then: '1:1 2:1 3:2',
      added: '',
    },
    {
      does: 'appends only the part it lacks',
      log: '1:1',
      prev: '0:0',
      entries: '1:1 2:1',
      then: '1:1 2:1',
      added: '2:1',
    },
  ];

  it.each(cases)('$does (§5.3)', ({ log, prev, entries, then, added }) => {
    const member = raft.member({ term: 5, log });
    const update = member.receive(peerB, raft.appendEntries({ term: 5, prev, entries }));
    expect(member.log).toBe(then);
    expect(raft.drawLog(update.persist?.entries ?? [])).toBe(added);
    const after = update.persist === undefined ? update : member.persisted();
    const matchIndex = raft.parseLog(entries).at(-1)?.index ?? 0;
    expect(raft.onlySent(after, 'append-entries-response', peerB)).toEqual(raft.success({ term: 5, matchIndex }));
  });

  it('says only as much as the leader has shown: what lies beyond may be another leader’s (§5.3)', () => {
    const member = raft.member({ term: 5, log: '1:1 2:1 3:2 4:2' });
    const update = member.receive(peerB, raft.appendEntries({ term: 5, prev: '1:1', entries: '2:1' }));
    expect(raft.onlySent(update, 'append-entries-response')).toEqual(raft.success({ term: 5, matchIndex: 2 }));
  });

  it.each([
    ['as far as the leader did', 2, 2],
    ['no further than the logs are known to agree', 4, 3],
  ])('commits %s (§5.3, Figure 2)', (_, leaderCommit, expected) => {
    const member = raft.member({ term: 5, log: '1:1 2:1 3:1 4:2' });
    const request = raft.appendEntries({ term: 5, prev: '1:1', entries: '2:1 3:1', commit: leaderCommit });
    expect(member.receive(peerB, request).commitIndex).toBe(expected);
  });

  it('learns of a commit by a heartbeat, as far as the heartbeat’s place or an earlier message goes (§5.3)', () => {
    const member = raft.member({ term: 5, log: '1:1 2:1 3:1 4:2' });
    expect(member.receive(peerB, raft.appendEntries({ term: 5, prev: '1:1', commit: 4 })).commitIndex).toBe(1);
    expect(member.receive(peerB, raft.appendEntries({ term: 5, prev: '3:1', commit: 2 })).commitIndex).toBe(2);
    expect(member.receive(peerB, raft.appendEntries({ term: 5, prev: '1:1', commit: 4 })).commitIndex).toBe(3);
  });

  it('what an earlier leader showed does not count for the next (§5.3)', () => {
    const member = raft.follower({ term: 5, log: '1:1 2:1 3:1' });
    const update = member.receive(peerC, raft.appendEntries({ term: 6, prev: '1:1', commit: 3 }));
    expect(update.commitIndex).toBe(1);
    expect(raft.onlySent(update, 'append-entries-response')).toEqual(raft.success({ term: 6, matchIndex: 1 }));
  });

  it('lets no older commit index take anything back (§5.3)', () => {
    const member = raft.follower({ term: 5, log: '1:1 2:1' });
    member.receive(peerB, raft.appendEntries({ term: 5, prev: '2:1', commit: 2 }));
    expect(member.receive(peerB, raft.appendEntries({ term: 5, prev: '2:1', commit: 1 })).commitIndex).toBe(2);
  });

  it('would rather stop than remove a committed entry (§5.4, invariant S15)', () => {
    const member = raft.follower({ term: 5, log: '1:1 2:1' });
    member.receive(peerB, raft.appendEntries({ term: 5, prev: '2:1', commit: 2 }));
    const impossible = raft.appendEntries({ term: 6, prev: '1:1', entries: '2:6' });
    expect(() => member.receive(peerC, impossible)).toThrow('a committed entry is never removed');
  });

  it('takes each message once and in order though they come twice and out of order (§5.3)', () => {
    const member = raft.member({ term: 1 });
    const first = raft.appendEntries({ term: 1, entries: '1:1 2:1' });
    const second = raft.appendEntries({ term: 1, prev: '2:1', entries: '3:1' });
    const early = member.receive(peerB, second);
    expect(raft.onlySent(early, 'append-entries-response')).toMatchObject({ success: false, hintIndex: 0 });
    for (const message of [first, second, first, second]) member.receive(peerB, message);
    expect(member.log).toBe('1:1 2:1 3:1');
    const update = member.persisted();
    expect(raft.onlySent(update, 'append-entries-response')).toEqual(raft.success({ term: 1, matchIndex: 3 }));
  });
});

describe('Backtracking, both sides together (§5.3, end)', () => {
  /** How many refusals it takes until the follower has the leader's log. */
  function refusalsNeeded(leaderLog: string, followerLog: string): number {
    const term =
      1 + Math.max(...[...leaderLog.matchAll(/:(\d+)/g), ...followerLog.matchAll(/:(\d+)/g)].map(([, t]) => Number(t)));
    const leading = raft.leader({ term, log: leaderLog });
    const following = raft.member({ id: peerB, term, log: followerLog });
    leading.advance(1);
    leading.receive(peerC, raft.success({ term, matchIndex: 0 }));
    let refusals = 0;
    let probe = leading.advance(raft.testOptions.heartbeatIntervalMs);
    for (let round = 0; round < 50; round++) {
      const answers = raft.sent(probe, 'append-entries', peerB).flatMap((message) => {
        const update = following.receive(1n, message);
        return [update, following.persisted()].flatMap(({ messages }) => messages);
      });
      refusals += answers.filter(({ message }) => 'success' in message && !message.success).length;
      if (following.log === leading.log) return refusals;
      probe = leading.turn(...answers.map(({ message }) => ({ kind: 'receive' as const, from: peerB, message })));
    }
    throw new Error('the logs never agree');
  }

  it.each([
    ['equal logs', '1:1 2:1', '1:1 2:1', 0],
    ['a follower that lacks the end', '1:1 2:1 3:1 4:2 5:2 6:2', '1:1 2:1', 1],
    ['an empty follower', '1:1 2:1 3:2 4:2', '', 1],
    ['a follower with an old leader’s tail', '1:1 2:1 3:4 4:4', '1:1 2:1 3:2 4:2 5:2 6:3 7:3', 1],
    ['a follower longer in a term both have', '1:1 2:2 3:5', '1:1 2:2 3:2 4:2 5:2', 1],
    ['a leader with many terms the follower lacks', '1:1 2:2 3:3 4:4 5:5 6:6', '1:1 2:1 3:1 4:1 5:1 6:1', 1],
    ['interleaved terms', '1:1 2:2 3:4 4:6', '1:1 2:3 3:3 4:5', 3],
  ])('repairs %s with few refusals (§5.3)', (_, leaderLog, followerLog, most) => {
    expect(refusalsNeeded(leaderLog, followerLog)).toBeLessThanOrEqual(most);
  });

  it('needs one refusal a term at most, however long the logs are (§5.3)', () => {
    const log = (pairs: readonly (readonly [number, number])[]): string => {
      let index = 0;
      return pairs
        .map(([term, count]) => Array.from({ length: count }, () => `${++index}:${term}`).join(' '))
        .join(' ');
    };
    const leaderLog = log([
      [1, 40],
      [3, 40],
      [5, 40],
      [7, 40],
    ]);
    const followerLog = log([
      [1, 30],
      [2, 40],
      [4, 40],
      [6, 60],
    ]);
    expect(refusalsNeeded(leaderLog, followerLog)).toBeLessThanOrEqual(4);
  });
});

describe('A slow follower (§5.3)', () => {
  it('is brought up after others were committed without it (§5.3)', () => {
    const member = raft.establishedLeader({ voters: five });
    member.propose(5, 5, 5);
    member.persisted();
    for (const peer of [peerB, peerC, peerD]) member.acknowledge(peer);
    expect(member.status.commitIndex).toBe(4);
    member.turn({ kind: 'unreachable', peer: peerE });
    const update = member.acknowledge(peerE, 1);
    expect(raft.entriesSent(update, peerE)).toEqual(['2:1 3:1 4:1']);
    expect(raft.onlySent(update, 'append-entries', peerE)).toMatchObject({ leaderCommit: 4 });
  });
});
