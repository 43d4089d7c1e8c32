import { entryBytes, type Entry, type Update } from '../../../src/raft';
import * as raft from '../../support/raft';
import { peerB, peerC, testOptions } from '../../support/raft';

const { electionTimeoutMs, heartbeatIntervalMs } = testOptions;

/** What an entry counts beside its payload. */
const overhead = entryBytes({ payload: new Uint8Array() });

/** Entries as they are on the leader's disk. */
function stored(log: string, first: number, last: number): Entry[] {
  return raft.parseLog(log).slice(first - 1, last);
}

function indexesSent(update: Update, peer: bigint): number[] {
  return raft.sent(update, 'append-entries', peer).flatMap(({ entries }) => entries.map(({ index }) => index));
}

describe('Proposals', () => {
  it('of one batch are appended together and in order', () => {
    const member = raft.establishedLeader();
    const update = member.propose(1, 2, 3);
    expect(update.proposed).toEqual([{ id: 1, accepted: true, firstIndex: 2 }]);
    expect(update.persist?.entries.map(({ index, payload }) => [index, payload.length])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
  });

  it('of one turn travel in one message and one write', () => {
    const member = raft.establishedLeader();
    const proposals = [{ kind: 'command' as const, payload: new Uint8Array(4) }];
    const update = member.turn(
      { kind: 'propose', id: 1, term: 1, proposals },
      { kind: 'propose', id: 2, term: 1, proposals },
    );
    expect(update.proposed.map((result) => result.accepted && result.firstIndex)).toEqual([2, 3]);
    expect(update.persist?.entries).toHaveLength(2);
    expect(raft.entriesSent(update, peerB)).toEqual(['2:1 3:1']);
  });

  it.each([1, 3])('are refused when they were meant for term %i and the leader is in term 2', (term) => {
    const member = raft.establishedLeader({ term: 2 });
    const proposals = [{ kind: 'command' as const, payload: new Uint8Array(4) }];
    const update = member.turn({ kind: 'propose', id: 9, term, proposals });
    expect(update.proposed).toEqual([{ id: 9, accepted: false, reason: 'not-leader' }]);
    expect(update.persist).toBeUndefined();
  });

  it('are refused beyond the bytes that may be uncommitted, and taken again once some are committed', () => {
    const member = raft.establishedLeader({ options: { maxUncommittedBytes: 2 * overhead + 100 } });
    expect(member.propose(60).proposed[0]?.accepted).toBe(true);
    expect(member.propose(41).proposed).toEqual([{ id: 1, accepted: false, reason: 'overloaded' }]);
    expect(member.propose(40).proposed[0]?.accepted).toBe(true);
    expect(member.propose(1).proposed[0]?.accepted).toBe(false);
    member.persisted();
    member.acknowledge(peerB, 2);
    expect(member.propose(61).proposed[0]?.accepted).toBe(false);
    expect(member.propose(60).proposed[0]?.accepted).toBe(true);
  });

  it('without a payload count too', () => {
    const member = raft.establishedLeader({ options: { maxUncommittedBytes: 3 * overhead } });
    expect(member.propose(0, 0, 0, 0).proposed[0]?.accepted).toBe(true);
    const full = raft.establishedLeader({ options: { maxUncommittedBytes: 3 * overhead } });
    expect([0, 0, 0, 0].map((size) => full.propose(size).proposed[0]?.accepted)).toEqual([true, true, true, false]);
  });

  it('larger than that limit get through alone', () => {
    const member = raft.establishedLeader({ options: { maxUncommittedBytes: 100 } });
    expect(member.propose(500).proposed[0]?.accepted).toBe(true);
    expect(member.propose(1).proposed[0]?.accepted).toBe(false);
  });

  it('of an earlier term are not counted when they are committed', () => {
    const member = raft.leader({ term: 2, log: '1:1 2:1 3:1', options: { maxUncommittedBytes: 2 * overhead + 100 } });
    member.propose(100);
    member.persisted();
    member.acknowledge(peerB);
    expect(member.status.commitIndex).toBe(5);
    expect(member.propose(100).proposed[0]?.accepted).toBe(true);
    expect(member.propose(0).proposed[0]?.accepted).toBe(true);
    expect(member.propose(0).proposed[0]?.accepted).toBe(false);
  });
});

describe('Flow control', () => {
  it('fills messages up to the bytes allowed in one; a larger entry travels alone', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 2 * overhead + 10 } });
    const update = member.propose(4, 6, 1, 300, 2);
    expect(raft.entriesSent(update, peerB)).toEqual(['2:1 3:1', '4:1', '5:1', '6:1']);
  });

  it('fills messages with no more empty entries than the bytes allow', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 3 * overhead } });
    expect(raft.entriesSent(member.propose(0, 0, 0, 0), peerB)).toEqual(['2:1 3:1 4:1', '5:1']);
  });

  it('keeps no more messages in flight than allowed, and goes on as answers come', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 1, maxInflightAppends: 2 } });
    expect(indexesSent(member.propose(5, 5, 5, 5, 5), peerB)).toEqual([2, 3]);
    expect(indexesSent(member.propose(5), peerB)).toEqual([]);
    expect(indexesSent(member.acknowledge(peerB, 2), peerB)).toEqual([4]);
    const rest = member.acknowledge(peerB, 4);
    expect(indexesSent(rest, peerB)).toEqual([5, 6]);
    expect(indexesSent(rest, peerC)).toEqual([]);
  });

  it('keeps no more bytes in flight than allowed, save for the last message’s overhang', () => {
    const member = raft.establishedLeader({
      options: { maxAppendBytes: overhead + 10, maxInflightBytes: 2 * overhead + 25 },
    });
    expect(indexesSent(member.propose(10, 10, 10, 10), peerB)).toEqual([2, 3, 4]);
    expect(indexesSent(member.acknowledge(peerB, 2), peerB)).toEqual([5]);
  });

  it('sends heartbeats though the window is full', () => {
    const member = raft.establishedLeader({ options: { maxInflightAppends: 1 } });
    member.propose(5);
    const update = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 1 });
  });

  it('lets each peer have its own window', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 1, maxInflightAppends: 1 } });
    member.propose(5, 5);
    member.acknowledge(peerC, 2);
    const update = member.propose(5);
    expect(update.messages).toEqual([]);
    expect(indexesSent(member.acknowledge(peerB, 3), peerB)).toEqual([4]);
  });

  it('takes entries for lost when nothing came of them for an election timeout, and finds out where the peer stands', () => {
    const member = raft.establishedLeader();
    member.propose(5);
    member.propose(5);
    const start = member.now;
    while (member.now + heartbeatIntervalMs < start + electionTimeoutMs) {
      expect(indexesSent(member.advance(heartbeatIntervalMs), peerB)).toEqual([]);
      for (const peer of member.peers) member.acknowledge(peer, 1);
    }
    const update = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 1 });
    expect(indexesSent(member.propose(5), peerB)).toEqual([]);
    expect(indexesSent(member.acknowledge(peerB, 1), peerB)).toEqual([2, 3, 4]);
  });

  it('does not take a peer for stalled that makes progress', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 1 } });
    member.propose(...new Array<number>(12).fill(5));
    for (let index = 2; index <= 13; index++) {
      const update = member.advance(electionTimeoutMs / 2);
      expect(indexesSent(update, peerB)).toEqual([]);
      member.acknowledge(peerB, index);
      member.acknowledge(peerC, index);
    }
  });

  it('sends nothing over a lost connection until a heartbeat is answered, then all that was in flight', () => {
    const member = raft.establishedLeader({ options: { maxAppendBytes: 1 } });
    member.propose(5, 5, 5);
    for (let time = 0; time < 3; time++) {
      expect(member.turn({ kind: 'unreachable', peer: peerB }).messages).toEqual([]);
    }
    const update = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 1 });
    expect(raft.entriesSent(member.acknowledge(peerB, 1), peerB)).toEqual(['2:1', '3:1', '4:1']);
  });

  it('knows no connection to strangers', () => {
    expect(raft.establishedLeader().turn({ kind: 'unreachable', peer: 99n }).messages).toEqual([]);
  });

  it('does not begin at the first entry because a peer was unreachable when the leader was elected', () => {
    const member = raft.leader({ term: 2, log: '1:1 2:1 3:1 4:1', inMemory: 1 });
    const lost = member.turn({ kind: 'unreachable', peer: peerB });
    expect(lost).toMatchObject({ loads: [], messages: [] });
    const update = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 4 });
  });
});

describe('Messages that overtook each other', () => {
  it('are sent again as soon as the refusal of the later one comes, although the earlier one was taken', () => {
    const member = raft.establishedLeader({ term: 2, log: '1:1' });
    expect(raft.entriesSent(member.propose(1), peerB)).toEqual(['3:2']);
    expect(raft.entriesSent(member.propose(2), peerB)).toEqual(['4:2']);
    member.acknowledge(peerB, 3);
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 3, hint: '2:2' }));
    expect(raft.entriesSent(update, peerB)).toEqual(['4:2']);
    expect(member.acknowledge(peerB, 4).warnings).toEqual([]);
    expect(member.peer(peerB)).toMatchObject({ state: 'replicate', matchIndex: 4 });
  });
});

describe('Lagging peers', () => {
  const log = '1:1 2:1 3:1 4:1 5:1 6:1';

  /** A leader of term 2 with the last entry in memory; B turned out to agree up to 2 only. */
  function lagging(): { member: raft.TestMember; update: Update } {
    const member = raft.leader({ term: 2, log, inMemory: 1 });
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 6, hint: '2:1' }));
    return { member, update };
  }

  it('get what is no longer in memory from storage', () => {
    const { member, update } = lagging();
    expect(update.loads).toEqual([{ peer: peerB, firstIndex: 3, lastIndex: 5 }]);
    expect(update.messages).toEqual([]);
    const loaded = member.turn({ kind: 'loaded', peer: peerB, entries: stored(log, 3, 5) });
    expect(raft.onlySent(loaded, 'append-entries', peerB)).toMatchObject({ prevLogIndex: 2, prevLogTerm: 1 });
    expect(raft.entriesSent(loaded, peerB)).toEqual(['3:1 4:1 5:1']);
    expect(raft.entriesSent(member.acknowledge(peerB, 5), peerB)).toEqual(['6:1 7:2']);
  });

  it('are asked for once at a time, and go on with less than was asked for', () => {
    const { member } = lagging();
    expect(member.propose(5).loads).toEqual([]);
    expect(member.advance(heartbeatIntervalMs).loads).toEqual([]);
    const loaded = member.turn({ kind: 'loaded', peer: peerB, entries: stored(log, 3, 3) });
    expect(raft.entriesSent(loaded, peerB)).toEqual(['3:1']);
    expect(member.acknowledge(peerB, 3).loads).toEqual([{ peer: peerB, firstIndex: 4, lastIndex: 5 }]);
  });

  it('ask storage for no more than can be sent, and are sent no more than may be', () => {
    const options = { maxAppendBytes: 2 * overhead + 8 };
    const member = raft.leader({ term: 2, log, inMemory: 1, options });
    const update = member.receive(peerB, raft.rejection({ term: 2, rejectedIndex: 6, hint: '2:1' }));
    expect(update.loads).toEqual([{ peer: peerB, firstIndex: 3, lastIndex: 4 }]);
    const loaded = member.turn({ kind: 'loaded', peer: peerB, entries: stored(log, 3, 5) });
    expect(raft.entriesSent(loaded, peerB)).toEqual(['3:1 4:1']);
  });

  it('are sent heartbeats while storage is read', () => {
    const { member } = lagging();
    const update = member.advance(heartbeatIntervalMs);
    expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({ entries: [], prevLogIndex: 2 });
  });

  it('do not wait for ever when they got on while storage was read', () => {
    const { member } = lagging();
    // An acknowledgement of entries that were taken for lost comes in after all.
    member.acknowledge(peerB, 7);
    member.turn({ kind: 'loaded', peer: peerB, entries: stored(log, 3, 5) });
    expect(raft.entriesSent(member.propose(5), peerB)).toEqual(['8:2']);
  });

  it('are not sent what was loaded in an earlier term and is no longer in the log', () => {
    const { member } = lagging();
    const stale = raft.parseLog('3:9 4:9');
    const update = member.turn({ kind: 'loaded', peer: peerB, entries: stale });
    expect(raft.sent(update, 'append-entries', peerB)).toEqual([]);
    expect(update.loads).toEqual([{ peer: peerB, firstIndex: 3, lastIndex: 5 }]);
  });

  it('are forgotten with the leadership; what was loaded for them comes too late', () => {
    const { member } = lagging();
    member.receive(peerC, raft.appendEntries({ term: 3, prev: '6:1' }));
    expect(member.turn({ kind: 'loaded', peer: peerB, entries: stored(log, 3, 5) }).messages).toEqual([]);
  });

  it('need storage for what was evicted after it was applied, never for what is not applied or not durable', () => {
    const member = raft.establishedLeader({ options: { maxCachedBytes: overhead + 10 } });
    member.propose(8);
    member.persisted();
    member.propose(8);
    member.propose(8);
    member.acknowledge(peerB, 4);
    member.acknowledge(peerC, 4);
    member.turn({ kind: 'applied', index: 4 });
    expect(member.raft.entries(3, 4, Infinity)).toHaveLength(2);
    expect(member.raft.entries(2, 4, Infinity)).toBeUndefined();
    member.persisted();
    member.turn({ kind: 'applied', index: 4 });
    expect(member.raft.entries(3, 4, Infinity)).toBeUndefined();
    expect(member.raft.entries(4, 4, Infinity)).toHaveLength(1);
  });

  it('that lack what the log no longer holds get heartbeats about its first place, until they can go on from there', () => {
    const member = raft.leader({ term: 3, log: '5:2 6:2', termBeforeFirst: 1, applied: 4 });
    const refused = member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 6, hint: '1:1' }));
    expect(raft.entriesSent(refused, peerB)).toEqual(['5:2 6:2 7:3']);
    member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 4, hint: '1:1' }));
    for (let beat = 0; beat < 3; beat++) {
      const update = member.advance(heartbeatIntervalMs);
      expect(raft.onlySent(update, 'append-entries', peerB)).toMatchObject({
        entries: [],
        prevLogIndex: 4,
        prevLogTerm: 1,
      });
      member.receive(peerB, raft.rejection({ term: 3, rejectedIndex: 4, hint: '1:1' }));
    }
    expect(raft.entriesSent(member.acknowledge(peerB, 4), peerB)).toEqual(['5:2 6:2 7:3']);
  });
});
