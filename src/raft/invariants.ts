/** What holds between turns, and from one turn to the next. Checked in tests, in the simulator, and on request in production. */
import { assert } from '../base/assert';
import type { RaftState } from './state';
import type { MemberId, Role } from './types';

/** What a later state is compared with. */
export interface InvariantSnapshot {
  readonly term: number;
  readonly votedFor: MemberId | undefined;
  readonly role: Role;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
}

export function invariantSnapshot(state: RaftState): InvariantSnapshot {
  const { term, votedFor, role, commitIndex, appliedIndex, log } = state;
  return { term, votedFor, role, commitIndex, appliedIndex, lastIndex: log.lastIndex };
}

/** @throws AssertionError naming the invariant of the correctness catalogue that does not hold */
export function checkInvariants(before: InvariantSnapshot, state: RaftState): void {
  checkState(state);
  checkRole(state);
  checkTransition(before, state);
}

function checkState(state: RaftState): void {
  const { log } = state;
  assert(state.appliedIndex <= state.commitIndex, 'S6: only committed entries are applied');
  assert(state.commitIndex <= log.lastIndex, 'S6: the commit index lies within the log');
  assert(state.durableIndex <= log.lastIndex, 'S8: only entries of the log are durable');
  assert(log.lastTerm <= state.term, 'S10: no entry is of a later term than the current one');
  assert(state.verifiedIndex <= log.lastIndex, 'S3: what agrees with the leader is in the log');
  for (const unpersisted of state.unpersisted) {
    assert(unpersisted.lastIndex <= log.lastIndex, 'S8: a removed entry is not awaited from the disk');
  }
}

function checkRole(state: RaftState): void {
  const campaigns = state.role === 'candidate' || state.role === 'pre-candidate';
  assert((state.campaign !== undefined) === campaigns, 'a campaign exists exactly for candidates');
  assert((state.leading !== undefined) === (state.role === 'leader'), 'peers are tracked exactly by a leader');
  if (state.role === 'candidate') assert(state.votedFor === state.id, 'S9: a candidate voted for itself');
  if (state.leading === undefined) return;
  assert(state.leader === state.id, 'a leader knows itself as the leader');
  const began =
    state.leading.firstIndex < state.log.firstIndex || state.log.termAt(state.leading.firstIndex) === state.term;
  assert(began, 'a leader began its term with an entry');
  for (const progress of state.leading.peers.values()) {
    assert(progress.matchIndex < progress.nextIndex, 'what matches is not sent again');
    assert(progress.nextIndex <= state.log.lastIndex + 1, 'no entry is sent that does not exist');
  }
}

function checkTransition(before: InvariantSnapshot, state: RaftState): void {
  assert(state.term >= before.term, 'S10: the term never falls');
  assert(state.commitIndex >= before.commitIndex, 'S6: the commit index never falls');
  assert(state.appliedIndex >= before.appliedIndex, 'S6: the applied index never falls');
  assert(state.log.lastIndex >= before.commitIndex, 'S15: a committed entry is never removed');
  if (state.term !== before.term) return;
  assert(before.votedFor === undefined || state.votedFor === before.votedFor, 'S9: one vote in a term');
  if (before.role !== 'leader' || state.role !== 'leader') return;
  assert(state.log.lastIndex >= before.lastIndex, 'S2: a leader only appends');
}
