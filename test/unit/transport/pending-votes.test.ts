/** PendingVotes: which call gets an answer, and that none waits for ever. */
import type { RequestVote, RequestVoteResponse } from '../../../src/raft';
import { PendingVotes } from '../../../src/transport/pending-votes';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

function request(term: number, preVote = false): RequestVote {
  return { kind: 'request-vote', term, lastLogIndex: 0, lastLogTerm: 0, preVote, leadershipTransfer: false };
}

function response(term: number, voteGranted: boolean, preVote = false): RequestVoteResponse {
  return { kind: 'request-vote-response', term, voteGranted, preVote };
}

/** Three votes may wait for 100 ms. What happened to the calls is written down. */
function pendingVotes(): { votes: PendingVotes; log: string[]; ask: (vote: RequestVote, from?: bigint) => () => void } {
  const log: string[] = [];
  const votes = new PendingVotes(3, 100);
  return {
    votes,
    log,
    ask: (vote, from = 1n) => {
      const name = `${vote.preVote ? 'pre-' : ''}vote ${vote.term}`;
      return votes.add(from, vote, {
        answer: ({ term, voteGranted }) => log.push(`${name}: ${voteGranted ? 'granted' : 'refused'} in ${term}`),
        giveUp: () => log.push(`${name}: given up`),
      });
    },
  };
}

describe('PendingVotes', () => {
  it('gives an answer to the call of the same term and kind', () => {
    const { votes, log, ask } = pendingVotes();
    ask(request(4));
    ask(request(5, true));
    ask(request(5));
    expect(votes.answer(1n, response(5, true))).toBe(true);
    expect(log).toEqual(['vote 5: granted in 5']);
  });

  it('gives a refusal of any term to the oldest call of the kind', () => {
    const { votes, log, ask } = pendingVotes();
    ask(request(4, true));
    ask(request(5));
    votes.answer(1n, response(9, false));
    votes.answer(1n, response(3, false, true));
    expect(log).toEqual(['vote 5: refused in 9', 'pre-vote 4: refused in 3']);
  });

  it('drops an answer nobody waits for', () => {
    const { votes, log, ask } = pendingVotes();
    expect(votes.answer(1n, response(4, true))).toBe(false);
    ask(request(4));
    expect(votes.answer(2n, response(4, true))).toBe(false);
    expect(votes.answer(1n, response(5, true))).toBe(false);
    votes.answer(1n, response(4, true));
    expect(votes.answer(1n, response(4, true))).toBe(false);
    expect(log).toEqual(['vote 4: granted in 4']);
  });

  it('gives up the oldest call when too many wait', () => {
    const { log, ask } = pendingVotes();
    for (const term of [1, 2, 3, 4]) ask(request(term));
    expect(log).toEqual(['vote 1: given up']);
  });

  it('gives up a call that is not answered in time', () => {
    const { votes, log, ask } = pendingVotes();
    ask(request(1));
    jest.advanceTimersByTime(99);
    expect(log).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(log).toEqual(['vote 1: given up']);
    expect(votes.answer(1n, response(1, true))).toBe(false);
  });

  it('forgets a call that was taken back, with its timer', () => {
    const { log, ask } = pendingVotes();
    const forget = ask(request(1));
    forget();
    jest.advanceTimersByTime(1000);
    expect(log).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up all at the end', () => {
    const { votes, log, ask } = pendingVotes();
    ask(request(1));
    ask(request(2), 2n);
    votes.clear();
    expect(log).toEqual(['vote 1: given up', 'vote 2: given up']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
