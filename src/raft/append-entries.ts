/** AppendEntries: the receiver's side and the leader's side of the response (§5.3, Figure 2). */
import { assert } from '../base/assert';
import { advanceCommit, commitTo } from './commit';
import { decodeConfiguration } from './configuration-codec';
import { adoptConfigurations, dropConfigurations } from './configuration-history';
import type { AppendEntries, AppendEntriesRejection, AppendEntriesResponse } from './messages';
import type { Progress } from './progress';
import { noteReadRound } from './read-index';
import { becomeFollower, followLeader } from './role';
import { send, type Leading, type RaftState } from './state';
import type { Entry, MemberId } from './types';

/** Follows the leader of the message's term, and takes its entries if the logs agree before them. */
export function receiveAppendEntries(state: RaftState, from: MemberId, request: AppendEntries): void {
  if (request.term < state.term) {
    // §5.1: the old leader learns the term and steps down.
    refuse(state, from, request);
    return;
  }
  // Such entries cannot be; whatever this is, it is not heard.
  if (!isWellFormed(request) || !followLeader(state, from, request.term)) return;
  if (!agreesBefore(state, request)) {
    refuse(state, from, request);
    return;
  }
  takeEntries(state, request.entries);
  const lastVerified = request.prevLogIndex + request.entries.length;
  state.verifiedIndex = Math.max(state.verifiedIndex, lastVerified);
  const commitBefore = state.commitIndex;
  commitTo(state, Math.min(request.leaderCommit, state.verifiedIndex));
  if (wantsAnswer(state, request, state.commitIndex > commitBefore)) state.turn.acknowledge = true;
  state.answeredReadRound = Math.max(state.answeredReadRound, request.readRound);
}

/** Tells the leader how far the log is durable and equal to its own. */
export function sendAcknowledgement(state: RaftState): void {
  assert(state.role === 'follower', 'only a follower acknowledges');
  assert(state.leader !== undefined, 'an acknowledgement goes to a known leader');
  const matchIndex = acknowledgeable(state);
  send(state, state.leader, {
    kind: 'append-entries-response',
    success: true,
    term: state.term,
    matchIndex,
    readRound: state.answeredReadRound,
    followsClosely: state.followsClosely,
  });
  state.acknowledgedIndex = matchIndex;
  state.acknowledgedAt = state.now;
}

/** How far the log is durable and equal to that of the leader. */
export function acknowledgeable(state: RaftState): number {
  return Math.min(state.durableIndex, state.verifiedIndex);
}

/** The leader's side. */
export function receiveAppendEntriesResponse(state: RaftState, from: MemberId, response: AppendEntriesResponse): void {
  if (response.term > state.term) {
    becomeFollower(state, response.term, undefined);
    return;
  }
  const { leading } = state;
  const progress = leading?.peers.get(from);
  if (leading === undefined || progress === undefined || response.term < state.term) return;
  progress.onContact(state.now);
  noteReadRound(state, leading, { progress, round: response.readRound });
  if (!response.success) {
    backtrack(state, leading, progress, response);
    return;
  }
  // A peer cannot hold more of our log than there is; a message that says so is nonsense.
  if (response.matchIndex > state.log.lastIndex) return;
  progress.followsClosely = response.followsClosely;
  progress.onMatched(response.matchIndex, state.now, leading.reads.round);
  advanceCommit(state, leading);
}

/** Entries follow `prevLogIndex` one by one, with terms that never fall and never exceed the leader's. */
function isWellFormed(request: AppendEntries): boolean {
  let { prevLogIndex: index, prevLogTerm: term } = request;
  for (const entry of request.entries) {
    if (entry.index !== index + 1 || entry.term < term) return false;
    if (entry.kind === 'configuration' && decodeConfiguration(entry.payload) === undefined) return false;
    ({ index, term } = entry);
  }
  return term <= request.term;
}

function agreesBefore(state: RaftState, request: AppendEntries): boolean {
  // What is committed agrees with every later leader's log (§5.4), also where the log no longer holds it.
  if (request.prevLogIndex < state.log.firstIndex - 1) return request.prevLogIndex <= state.commitIndex;
  return state.log.holds({ index: request.prevLogIndex, term: request.prevLogTerm });
}

/** §5.3: keeps what is already there, removes what conflicts, appends what is new. */
function takeEntries(state: RaftState, entries: readonly Entry[]): void {
  const firstNew = entries.findIndex(
    (entry) => entry.index >= state.log.firstIndex && state.log.termAt(entry.index) !== entry.term,
  );
  if (firstNew === -1) return;
  const added = entries.slice(firstNew);
  const [first] = added;
  assert(first !== undefined, 'there is a first new entry');
  if (first.index <= state.log.lastIndex) truncate(state, first.index);
  state.log.append(added);
  adoptConfigurations(state, added);
  state.turn.persistFrom = Math.min(state.turn.persistFrom ?? first.index, first.index);
}

function truncate(state: RaftState, index: number): void {
  assert(index > state.commitIndex, 'a committed entry is never removed');
  state.log.truncateSuffix(index);
  dropConfigurations(state, index);
  state.durableIndex = Math.min(state.durableIndex, index - 1);
  state.verifiedIndex = Math.min(state.verifiedIndex, index - 1);
  for (const unpersisted of state.unpersisted) {
    unpersisted.lastIndex = Math.min(unpersisted.lastIndex, index - 1);
  }
}

/**
 * Entries are acknowledged once they are durable, which may be now; a heartbeat and a new read round at once. Only what
 * does nothing but move the commit index needs no answer, if the leader has just had one: in steady state that is a
 * quarter of all messages. Half a heartbeat interval later it gets one again, lest an answer that was lost be missed.
 */
function wantsAnswer(state: RaftState, request: AppendEntries, movedCommit: boolean): boolean {
  if (request.readRound > state.answeredReadRound) return true;
  if (request.entries.length > 0) return request.prevLogIndex + request.entries.length <= state.durableIndex;
  const isKnown = acknowledgeable(state) <= state.acknowledgedIndex;
  const isRecent = state.now - state.acknowledgedAt < state.options.heartbeatIntervalMs / 2;
  return !(movedCommit && isKnown && isRecent);
}

function refuse(state: RaftState, to: MemberId, request: AppendEntries): void {
  const hint = state.log.lastAtMost(request.prevLogIndex, request.prevLogTerm);
  const isCurrent = request.term === state.term;
  if (isCurrent) state.answeredReadRound = Math.max(state.answeredReadRound, request.readRound);
  send(state, to, {
    kind: 'append-entries-response',
    success: false,
    term: state.term,
    rejectedIndex: request.prevLogIndex,
    // Of places before the beginning of the log nothing is known any more.
    ...(hint.index <= request.prevLogIndex
      ? { hintIndex: hint.index, hintTerm: hint.term }
      : { hintIndex: 0, hintTerm: 0 }),
    readRound: isCurrent ? request.readRound : 0,
  });
}

/** §5.3, end: skips back over whole terms that the logs cannot share. */
function backtrack(state: RaftState, leading: Leading, progress: Progress, response: AppendEntriesRejection): void {
  const { index } = state.log.lastAtMost(response.hintIndex, response.hintTerm);
  if (response.rejectedIndex > progress.matchIndex) progress.onRejected(response.rejectedIndex, index);
  else if (response.readRound > progress.matchedRound) reportLoss(state, progress, index);
  // It had not yet taken what it has acknowledged since: messages overtook each other, and the later one was not taken.
  else if (response.rejectedIndex === progress.matchIndex && progress.hasInflight) progress.onOvertaken();
  // The refusal may be older than the acknowledgement. An answer to a question asked from now on is not.
  else if (leading.reads.round === progress.matchedRound) leading.reads.isWanted = true;
}

/** A peer lacks what it had acknowledged: what it says is believed from now on, what it said is not. */
function reportLoss(state: RaftState, progress: Progress, possibleIndex: number): void {
  const { peer, matchIndex: acknowledgedIndex } = progress;
  state.turn.warnings.push({ kind: 'peer-lost-entries', peer, acknowledgedIndex, possibleIndex });
  progress.onEntriesLost(possibleIndex);
}
