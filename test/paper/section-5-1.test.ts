import type { Message } from '../../src/raft';
import * as raft from '../support/raft';
import { peerB, peerC, type TestMember } from '../support/raft';

/** A member in each role, in term 3 with the log `1:1 2:2`. */
const roles: Record<string, () => TestMember> = {
  follower: () => raft.member({ term: 3, log: '1:1 2:2' }),
  'pre-candidate': () => raft.preCandidate({ term: 4, log: '1:1 2:2' }),
  candidate: () => raft.candidate({ term: 3, log: '1:1 2:2' }),
  leader: () => raft.leader({ term: 3, log: '1:1 2:2' }),
};

/** Every message that tells of a term at which its sender arrived. */
const messagesOf = (term: number): Record<string, Message> => ({
  AppendEntries: raft.appendEntries({ term, prev: '2:2' }),
  'a success': raft.success({ term, matchIndex: 2 }),
  'a rejection': raft.rejection({ term, rejectedIndex: 2, hint: '1:1' }),
  'a refused vote': raft.vote({ term, voteGranted: false }),
  'a refused pre-vote': raft.vote({ term, voteGranted: false, preVote: true }),
  'a granted vote': raft.vote({ term }),
});

const combinations = Object.keys(roles).flatMap((role) =>
  Object.keys(messagesOf(0)).map((name) => [role, name] as const),
);

function make(role: string): TestMember {
  const build = roles[role];
  if (build === undefined) throw new Error(`no role ${role}`);
  return build();
}

function message(name: string, term: number): Message {
  const found = messagesOf(term)[name];
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}

describe('Terms (§5.1)', () => {
  it.each(combinations)('a %s steps down when %s carries a higher term (§5.1)', (role, name) => {
    const member = make(role);
    expect(member.role).toBe(role);
    const update = member.receive(peerB, message(name, 5));
    expect(member.status).toMatchObject({ role: 'follower', term: 5, votedFor: undefined });
    expect(update.persist?.hardState).toEqual({ term: 5, votedFor: undefined });
    expect(update.change).toMatchObject({ role: 'follower', term: 5 });
  });

  it.each(['follower', 'pre-candidate', 'candidate'])(
    'a %s takes over the higher term of a vote request, also when it refuses the vote (§5.1)',
    (role) => {
      const member = make(role);
      const update = member.receive(peerB, raft.requestVote({ term: 5, last: '1:1' }));
      expect(member.status).toMatchObject({ role: 'follower', term: 5, votedFor: undefined });
      expect(update.persist?.hardState).toEqual({ term: 5, votedFor: undefined });
      expect(raft.onlySent(update, 'request-vote-response')).toEqual(raft.vote({ term: 5, voteGranted: false }));
    },
  );

  it.each(combinations)('a %s lets %s of a lower term change nothing (§5.1)', (role, name) => {
    const member = make(role);
    const before = member.status;
    const update = member.receive(peerB, message(name, 1));
    expect(member.status).toEqual(before);
    expect(update.persist).toBeUndefined();
    expect(update.change).toBeUndefined();
  });

  it.each(Object.keys(roles))('a %s answers AppendEntries of a lower term with its own term (§5.1)', (role) => {
    const member = make(role);
    const { term } = member.status;
    const stale = raft.appendEntries({ term: term - 1, prev: '1:1', entries: '2:1', commit: 2, readRound: 9 });
    const update = member.receive(peerB, stale);
    expect(raft.onlySent(update, 'append-entries-response', peerB)).toMatchObject({
      success: false,
      term,
      readRound: 0,
    });
    expect(member.log).toMatch(/^1:1 2:2/);
    expect(member.status.commitIndex).toBe(0);
  });

  it.each(Object.keys(roles))('a %s refuses its vote to a candidate of a lower term (§5.1)', (role) => {
    const member = make(role);
    const { term, votedFor } = member.status;
    const update = member.receive(peerC, raft.requestVote({ term: term - 1, last: '9:2' }));
    expect(raft.onlySent(update, 'request-vote-response', peerC)).toEqual(raft.vote({ term, voteGranted: false }));
    expect(member.status.votedFor).toBe(votedFor);
  });

  it('a leader that is told a higher term fails its reads and takes no more proposals (§5.1)', () => {
    const member = raft.leader({ term: 3 });
    member.read(7);
    const update = member.receive(peerB, raft.success({ term: 4, matchIndex: 0 }));
    expect(update.reads).toEqual([{ id: 7, confirmed: false, reason: 'not-leader' }]);
    expect(member.propose(10).proposed).toEqual([{ id: 1, accepted: false, reason: 'not-leader' }]);
  });

  it('a member takes the old term up again after a restart (§5.1)', () => {
    const member = raft.member({ term: 7 });
    const update = member.receive(peerB, raft.appendEntries({ term: 6 }));
    expect(raft.onlySent(update, 'append-entries-response')).toMatchObject({ success: false, term: 7 });
  });

  it('a term that changed is handed to the disk with the same update that speaks of it (§5.1, Figure 2)', () => {
    const member = raft.member({ term: 1, log: '1:1' });
    const update = member.receive(peerB, raft.appendEntries({ term: 4, prev: '1:1' }));
    expect(raft.onlySent(update, 'append-entries-response')).toMatchObject({ term: 4 });
    expect(update.persist).toMatchObject({ hardState: { term: 4 }, entries: [] });
  });
});
