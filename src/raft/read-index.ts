/**
 * Linearizable reads without the log (ReadIndex, thesis §6.4). The leader takes its commit index, confirms by a round of
 * heartbeats that began after the read arrived that it still leads, and tells the index; the read is served once that
 * is applied. One round serves all reads that were waiting when it began.
 *
 * A follower that asks for its own reads has thereby answered: when it asked it still followed this leader, hence had had no
 * part in a later term. Where the two are a quorum (of three members, say) no round is needed.
 */
import type { Progress } from './progress';
import { reachedByQuorum } from './quorum';
import type { Leading, RaftState } from './state';
import type { MemberId } from './types';

/** Takes a read, or refuses it at once. */
export function receiveRead(
  state: RaftState,
  { id, askedBy }: { readonly id: number; readonly askedBy?: MemberId },
): void {
  const { leading } = state;
  if (leading === undefined) {
    state.turn.reads.push({ id, confirmed: false, reason: 'not-leader' });
    return;
  }
  const { reads } = leading;
  // Its callers wait until that is applied there.
  if (askedBy !== undefined) leading.peers.get(askedBy)?.onAwaited(state.commitIndex);
  if (mayReadUnderLease(state, leading, state.now) || isConfirmedBy(state, leading, askedBy)) {
    state.turn.reads.push({ id, confirmed: true, readIndex: state.commitIndex });
    return;
  }
  if (reads.waiting.length + (reads.confirming?.ids.length ?? 0) >= state.options.maxPendingReads) {
    state.turn.reads.push({ id, confirmed: false, reason: 'overloaded' });
    return;
  }
  reads.waiting.push(id);
}

/**
 * True if a member that asks is all that was missing. A later leader that had committed something before the read began
 * needed one of the two, who both would be in its term: the asker when it asked, this member now.
 */
function isConfirmedBy(state: RaftState, leading: Leading, askedBy: MemberId | undefined): boolean {
  if (askedBy === undefined || state.commitIndex < leading.firstIndex) return false;
  return reachedByQuorum(state.configuration, (voter) => (voter === state.id || voter === askedBy ? 1 : 0)) > 0;
}

/**
 * Begins the next round if reads wait (or one is wanted for itself) and none is on its way. Not before an entry of this term is committed: until then
 * a new leader does not know which entries are (§8).
 */
export function beginReadRound(state: RaftState, leading: Leading): void {
  const { reads } = leading;
  // The configuration may have changed since the last answer: a leader that is the only voter now waits for nobody.
  finishReadRound(state, leading);
  if (reads.confirming !== undefined) return;
  if (reads.waiting.length === 0 && !reads.isWanted && !wantsLease(state, leading)) return;
  if (state.commitIndex < leading.firstIndex) return;
  reads.round++;
  reads.beganAt = state.now;
  reads.isWanted = false;
  reads.confirming = { ids: reads.waiting, readIndex: state.commitIndex };
  reads.waiting = [];
  finishReadRound(state, leading);
}

/** A peer answered a message of this round: at that time this member still led. */
export function noteReadRound(
  state: RaftState,
  leading: Leading,
  answer: { readonly progress: Progress; readonly round: number },
): void {
  const { progress, round } = answer;
  if (round <= progress.ackedReadRound || round > leading.reads.round) return;
  progress.ackedReadRound = round;
  finishReadRound(state, leading);
}

/** This member no longer leads: every read must be tried again, with a fresh round of somebody's. */
export function failReads(state: RaftState, leading: Leading): void {
  const { confirming, waiting } = leading.reads;
  for (const id of [...(confirming?.ids ?? []), ...waiting]) {
    state.turn.reads.push({ id, confirmed: false, reason: 'not-leader' });
  }
}

function finishReadRound(state: RaftState, leading: Leading): void {
  const { reads } = leading;
  if (reads.confirming === undefined) return;
  const confirmed = reachedByQuorum(state.configuration, (voter) =>
    voter === state.id ? reads.round : (leading.peers.get(voter)?.ackedReadRound ?? 0),
  );
  if (confirmed < reads.round) return;
  const { ids, readIndex } = reads.confirming;
  for (const id of ids) state.turn.reads.push({ id, confirmed: true, readIndex });
  reads.confirming = undefined;
  // Counted from when the round began: the followers answered later, and wait from then on (thesis §6.4.1).
  const { electionTimeoutMs, maxClockDrift } = state.options;
  leading.leaseUntil = reads.beganAt + electionTimeoutMs * (1 - maxClockDrift);
}

/** Thesis §6.4.1: as long as no other leader can have been elected, the commit index is current without asking. */
export function mayReadUnderLease(state: RaftState, leading: Leading, now: number): boolean {
  if (!state.options.leaseReads || leading.leaseIsVoid) return false;
  return now < leading.leaseUntil && state.commitIndex >= leading.firstIndex;
}

/** With lease reads every heartbeat interval has a round of its own, so that the lease does not run out. */
function wantsLease(state: RaftState, leading: Leading): boolean {
  if (!state.options.leaseReads || leading.leaseIsVoid) return false;
  return state.now - leading.reads.beganAt >= state.options.heartbeatIntervalMs;
}
