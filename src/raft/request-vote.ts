/** RequestVote: the voter's side and the candidate's side (§5.2, §5.4.1, thesis §4.2.3 and §9.6). */
import { countVotes } from './election';
import type { RequestVote, RequestVoteResponse } from './messages';
import { becomeFollower, resetElectionTimer } from './role';
import { send, type RaftState } from './state';
import type { MemberId } from './types';

/** Gives or refuses a vote. */
export function receiveRequestVote(state: RaftState, from: MemberId, request: RequestVote): void {
  if (request.term < state.term || hasLiveLeader(state, request)) {
    respond(state, from, request, false);
    return;
  }
  if (request.preVote) {
    // Thesis §9.6: answers only; neither term nor vote changes.
    respond(state, from, request, request.term > state.term && isUpToDate(state, request));
    return;
  }
  if (request.term > state.term) becomeFollower(state, request.term, undefined);
  const granted =
    (state.votedFor === undefined || state.votedFor === from) &&
    state.leader === undefined &&
    isUpToDate(state, request);
  if (granted) {
    if (state.votedFor === undefined) state.turn.persistHardState = true;
    state.votedFor = from;
    // §5.2: a member that granted a vote waits a whole timeout for its candidate.
    resetElectionTimer(state);
  }
  respond(state, from, request, granted);
}

/** Takes note of a vote. */
export function receiveRequestVoteResponse(state: RaftState, from: MemberId, response: RequestVoteResponse): void {
  const { campaign } = state;
  const isGrantedPreVote = response.preVote && response.voteGranted;
  if (response.term > state.term && !isGrantedPreVote) {
    becomeFollower(state, response.term, undefined);
    return;
  }
  if (campaign === undefined) return;
  if (response.preVote !== (state.role === 'pre-candidate')) return;
  // A refusal tells the voter's term, a grant the term asked about. Old answers belong to another campaign.
  if (response.voteGranted ? response.term !== campaign.term : response.term < state.term) return;
  // The first answer of a voter stands.
  if (!campaign.votes.has(from)) campaign.votes.set(from, response.voteGranted);
  countVotes(state);
}

/**
 * Thesis §4.2.3: who hears from a leader refuses votes and leaves its term alone, so that a member that missed some
 * heartbeats, or was removed, disturbs nobody. A leader knows itself to be alive: without a quorum it steps down.
 */
function hasLiveLeader(state: RaftState, request: RequestVote): boolean {
  if (request.leadershipTransfer) return false;
  // A member that has just started does not know whom it heard from: a leader's lease may rest on it (thesis §6.4.1).
  if (state.options.leaseReads && state.now - state.startedAt < state.options.electionTimeoutMs) return true;
  if (state.role === 'leader') return true;
  return state.leader !== undefined && state.now - state.leaderContactAt < state.options.electionTimeoutMs;
}

function isUpToDate(state: RaftState, request: RequestVote): boolean {
  return state.log.isUpToDate({ index: request.lastLogIndex, term: request.lastLogTerm });
}

function respond(state: RaftState, to: MemberId, request: RequestVote, voteGranted: boolean): void {
  const term = request.preVote && voteGranted ? request.term : state.term;
  send(state, to, { kind: 'request-vote-response', term, voteGranted, preVote: request.preVote });
}
