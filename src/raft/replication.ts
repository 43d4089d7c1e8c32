/** The leader's side of replication: taking proposals, and keeping every peer supplied (§5.3, thesis §10.2). */
import { assert, required } from '../base/assert';
import type { ProposalBatch } from './event';
import { commitNewsMs } from './options';
import type { Progress } from './progress';
import { reachedByQuorum } from './quorum';
import { abdicate, driveTransfer } from './leadership-transfer';
import { appendToLog } from './leader-log';
import { fitting, mostEntries, totalBytes } from './log';
import { followUpChange, hasRemovedItself } from './membership-change';
import { beginReadRound } from './read-index';
import { send, type Leading, type RaftState } from './state';
import type { Entry, MemberId } from './types';

/** Appends proposals, all or none. They are persisted here and sent to the peers at the same time (thesis §10.2.1). */
export function receiveProposals(state: RaftState, { id, term, proposals, askedBy }: ProposalBatch): void {
  const { leading } = state;
  // Thesis §3.10: what a leader that is leaving would append, its successor can append sooner.
  if (leading === undefined || term !== state.term || leading.transfer !== undefined) {
    state.turn.proposed.push({ id, accepted: false, reason: 'not-leader' });
    return;
  }
  const bytes = totalBytes(proposals);
  // A single proposal larger than the limit still gets through when nothing else is on its way.
  if (leading.uncommittedBytes > 0 && leading.uncommittedBytes + bytes > state.options.maxUncommittedBytes) {
    state.turn.proposed.push({ id, accepted: false, reason: 'overloaded' });
    return;
  }
  const firstIndex = appendToLog(state, proposals);
  if (askedBy !== undefined) leading.peers.get(askedBy)?.onAwaited(state.log.lastIndex);
  state.turn.proposed.push({ id, accepted: true, firstIndex });
}

/** Sends every peer what it lacks; a heartbeat where there is nothing and one is due. Once at the end of each turn. */
export function supplyPeers(state: RaftState, leading: Leading): void {
  followUpChange(state, leading);
  driveTransfer(state, leading);
  beginReadRound(state, leading);
  for (const progress of leading.peers.values()) supply(state, leading, progress);
  if (hasRemovedItself(state)) abdicate(state, leading);
}

/** When the next heartbeat is due, or the quorum's silence becomes too long. */
export function leaderDeadline(state: RaftState, leading: Leading): number {
  let deadline = quorumContactAt(state, leading, state.now) + state.options.electionTimeoutMs;
  if (leading.transfer !== undefined) deadline = Math.min(deadline, leading.transfer.deadline);
  for (const progress of leading.peers.values()) {
    const patience = lacksCommit(state, progress) ? commitNewsMs(state.options) : state.options.heartbeatIntervalMs;
    deadline = Math.min(deadline, progress.lastSentAt + patience);
  }
  return deadline;
}

/** True while a quorum was heard from within an election timeout (CheckQuorum, thesis §6.2). */
export function hasQuorumContact(state: RaftState, leading: Leading, now: number): boolean {
  return now - quorumContactAt(state, leading, now) < state.options.electionTimeoutMs;
}

/** Entries for a lagging peer came from storage. */
export function receiveLoaded(state: RaftState, peer: MemberId, entries: readonly Entry[]): void {
  const progress = state.leading?.peers.get(peer);
  if (progress?.loading !== true) return;
  progress.loading = false;
  // A load may outlive the term or the state it was asked in, or the log's beginning; what is wanted now is asked anew.
  if (entries[0]?.index !== progress.nextIndex || progress.nextIndex < state.log.firstIndex) return;
  const fits = fitting(entries, state.options.maxAppendBytes);
  if (fits.every((entry) => state.log.holds(entry))) sendEntries(state, progress, fits);
}

function supply(state: RaftState, leading: Leading, progress: Progress): void {
  if (isStalled(state, leading, progress)) progress.onLost();
  while (progress.maySendEntries(state.options) && progress.nextIndex <= state.log.lastIndex) {
    if (!sendFromLog(state, progress)) break;
  }
  // Entries serve as a heartbeat too, but for those that wait behind bulk.
  if (wantsHeartbeat(state, leading, progress)) sendHeartbeat(state, progress);
}

/**
 * Entries were sent and nothing came of them for so long that they are taken for lost. Of a successor they are sooner: it
 * must have everything within the election timeout that a transfer may take (thesis §3.10).
 */
function isStalled(state: RaftState, leading: Leading, progress: Progress): boolean {
  const { electionTimeoutMs, heartbeatIntervalMs } = state.options;
  const isAwaited = leading.transfer?.to === progress.peer;
  const patience = isAwaited ? Math.min(2 * heartbeatIntervalMs, electionTimeoutMs) : electionTimeoutMs;
  return progress.hasInflight && state.now - progress.lastProgressAt >= patience;
}

function wantsHeartbeat(state: RaftState, leading: Leading, progress: Progress): boolean {
  if (state.now - progress.lastSentAt >= state.options.heartbeatIntervalMs) return true;
  if (progress.sentReadRound < leading.reads.round) return true;
  return lacksCommit(state, progress) && isAwaited(state, progress);
}

/** It could apply more than it knows of. */
function lacksCommit(state: RaftState, { state: sending, sentCommit }: Progress): boolean {
  return sending === 'replicate' && sentCommit < state.commitIndex;
}

/**
 * Callers wait at the peer for what was committed (architecture §1.7); or it is the configuration, which decides who goes; or it
 * has waited long enough for the next entries.
 */
function isAwaited(state: RaftState, { followsClosely, sentCommit, awaitedCommit, lastSentAt }: Progress): boolean {
  const configuredAt = required(state.configurations.at(-1), 'there is a configuration').index;
  if (followsClosely || sentCommit < Math.max(awaitedCommit, configuredAt)) return true;
  return state.now - lastSentAt >= commitNewsMs(state.options);
}

function sendFromLog(state: RaftState, progress: Progress): boolean {
  const first = progress.nextIndex;
  if (first < state.log.firstIndex) {
    // §7: what the peer lacks is gone from the log.
    progress.onSnapshotNeeded(state.log.firstIndex);
    state.turn.snapshots.push(progress.peer);
    return false;
  }
  const entries = state.log.slice(first, state.log.lastIndex, state.options.maxAppendBytes);
  if (entries === undefined) {
    progress.loading = true;
    const lastIndex = Math.min(state.log.cacheFirst, first + mostEntries(state.options.maxAppendBytes)) - 1;
    state.turn.loads.push({ peer: progress.peer, firstIndex: first, lastIndex });
    return false;
  }
  sendEntries(state, progress, entries);
  return true;
}

function sendEntries(state: RaftState, progress: Progress, entries: readonly Entry[]): void {
  const last = required(entries.at(-1), 'a message with entries has a last one');
  sendAppend(state, progress, { prevLogIndex: progress.nextIndex - 1, entries });
  progress.onSent(last.index, totalBytes(entries), state.now);
}

/**
 * An AppendEntries without entries. While probing it asks about the place in question; otherwise about what is known to
 * match, so that it is right also when it overtakes bulk data.
 */
function sendHeartbeat(state: RaftState, progress: Progress): void {
  if (progress.state === 'probe') progress.beforeProbe(state.log.firstIndex);
  const place = progress.state === 'probe' ? progress.nextIndex - 1 : progress.matchIndex;
  // Of places further back than the log goes, the leader no longer knows the terms.
  sendAppend(state, progress, { prevLogIndex: Math.max(place, state.log.firstIndex - 1), entries: [] });
}

function sendAppend(
  state: RaftState,
  progress: Progress,
  content: { readonly prevLogIndex: number; readonly entries: readonly Entry[] },
): void {
  const { leading } = state;
  assert(leading !== undefined, 'only a leader sends AppendEntries');
  const prevLogTerm = required(state.log.termAt(content.prevLogIndex), 'the place before the entries is in the log');
  const readRound = leading.reads.round;
  send(state, progress.peer, {
    kind: 'append-entries',
    term: state.term,
    prevLogIndex: content.prevLogIndex,
    prevLogTerm,
    entries: content.entries,
    leaderCommit: state.commitIndex,
    readRound,
  });
  progress.sentCommit = state.commitIndex;
  if (content.entries.length > 0 && progress.inflightBytes >= state.options.maxAppendBytes) return;
  progress.lastSentAt = state.now;
  progress.sentReadRound = readRound;
}

function quorumContactAt(state: RaftState, leading: Leading, now: number): number {
  return reachedByQuorum(state.configuration, (voter) =>
    voter === state.id ? now : (leading.peers.get(voter)?.lastContactAt ?? -Infinity),
  );
}
