/** Changes of role and term: the only place that makes a follower, a candidate or a leader. */
import { assert } from '../base/assert';
import { between } from '../base/rng';
import { trackPeers } from './configuration-history';
import { failReads } from './read-index';
import type { Leading, RaftState } from './state';
import type { MemberId } from './types';

/** Draws a new random election timeout from now (§5.2). */
export function resetElectionTimer(state: RaftState): void {
  const { electionTimeoutMs } = state.options;
  state.electionDeadline = state.now + between(state.rng, electionTimeoutMs, 2 * electionTimeoutMs - 1);
}

/** Becomes a follower of `leader` (if known) in `term`, which is not lower than the current one (§5.1). */
export function becomeFollower(state: RaftState, term: number, leader: MemberId | undefined): void {
  assert(term >= state.term, 'the term never falls');
  if (term > state.term) enterTerm(state, term, undefined);
  leaveRole(state);
  state.role = 'follower';
  state.leader = leader;
  resetElectionTimer(state);
}

/**
 * Heard from who says to lead `term`, which is not lower than the current one (§5.2).
 *
 * @returns false if it cannot be true: a term has one leader
 */
export function followLeader(state: RaftState, from: MemberId, term: number): boolean {
  if (term === state.term && state.leader !== undefined && state.leader !== from) return false;
  const isNews = state.role !== 'follower' || term > state.term || state.leader === undefined;
  if (isNews) becomeFollower(state, term, from);
  else resetElectionTimer(state);
  state.leaderContactAt = state.now;
  return true;
}

/** Asks around before raising the term (thesis §9.6): changes neither term nor vote. */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  leaveRole(state);
  state.role = 'pre-candidate';
  state.leader = undefined;
  state.campaign = { term: state.term + 1, votes: new Map([[state.id, true]]), leadershipTransfer: false };
  resetElectionTimer(state);
}

/** Starts an election: a new term and a vote for oneself (§5.2), which counts once it is durable. */
export function becomeCandidate(state: RaftState, leadershipTransfer: boolean): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  leaveRole(state);
  enterTerm(state, state.term + 1, state.id);
  state.role = 'candidate';
  state.leader = undefined;
  state.campaign = { term: state.term, votes: new Map(), leadershipTransfer };
  resetElectionTimer(state);
}

/** Takes over the term it was elected for. The caller appends the no-op that begins it. */
export function becomeLeader(state: RaftState): void {
  assert(state.role === 'candidate', 'only a candidate becomes leader');
  assert(state.votedFor === state.id, 'a leader voted for itself');
  leaveRole(state);
  state.role = 'leader';
  state.leader = state.id;
  state.leading = {
    peers: new Map(),
    firstIndex: state.log.lastIndex + 1,
    uncommittedBytes: 0,
    transfer: undefined,
    leaseUntil: -Infinity,
    leaseIsVoid: false,
    reads: { round: 0, beganAt: -Infinity, isWanted: false, confirming: undefined, waiting: [] },
  };
  trackPeers(state, state.leading);
}

function leaveRole(state: RaftState): void {
  if (state.leading !== undefined) {
    failReads(state, state.leading);
    finishTransfer(state, state.leading);
  }
  state.leading = undefined;
  state.campaign = undefined;
}

/** This member no longer leads: what it was asked to hand over is out of its hands. */
function finishTransfer(state: RaftState, leading: Leading): void {
  if (leading.transfer !== undefined) state.turn.transfers.push({ id: leading.transfer.id, done: true });
}

function enterTerm(state: RaftState, term: number, votedFor: MemberId | undefined): void {
  state.term = term;
  state.votedFor = votedFor;
  state.turn.persistHardState = true;
  state.leaderContactAt = -Infinity;
  state.verifiedIndex = 0;
  state.answeredReadRound = 0;
  state.acknowledgedIndex = 0;
  state.acknowledgedAt = -Infinity;
  // What was to be acknowledged belongs to the leader of the term before.
  state.turn.acknowledge = false;
}
