/** What holds between turns, and from one turn to the next. Checked in tests, in the simulator, and on request in production. */
import { assert } from '../base/assert';
import { allMembers, isMember, isValidConfiguration, mayFollow } from './membership';
import type { Leading, RaftState } from './state';
import type { ConfigurationAt, MemberId, Role } from './types';

/** What a later state is compared with. */
export interface InvariantSnapshot {
  readonly term: number;
  readonly votedFor: MemberId | undefined;
  readonly role: Role;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly configurations: readonly ConfigurationAt[];
}

export function invariantSnapshot(state: RaftState): InvariantSnapshot {
  const { term, votedFor, role, commitIndex, appliedIndex, log, configurations } = state;
  return { term, votedFor, role, commitIndex, appliedIndex, lastIndex: log.lastIndex, configurations };
}

/** @throws AssertionError naming the invariant of the correctness catalogue that does not hold */
export function checkInvariants(before: InvariantSnapshot, state: RaftState): void {
  checkState(state);
  checkRole(state);
  // The history is replaced whenever it changes, and looking through it takes time.
  if (state.configurations !== before.configurations) checkConfigurations(state);
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
  checkLeading(state, state.leading);
}

function checkLeading(state: RaftState, leading: Leading): void {
  const { log, configuration } = state;
  const began = leading.firstIndex < log.firstIndex || log.termAt(leading.firstIndex) === state.term;
  assert(began, 'a leader began its term with an entry');
  assert(leading.uncommittedBytes >= 0, 'no more is committed than was appended');
  assert(leading.transfer?.to !== state.id, 'a leader hands over to another');
  for (const { peer, matchIndex, nextIndex, leavesAt } of leading.peers.values()) {
    assert(matchIndex < nextIndex, 'what matches is not sent again');
    assert(nextIndex <= log.lastIndex + 1, 'no entry is sent that does not exist');
    assert(isMember(configuration, peer) === (leavesAt === undefined), 'exactly who is no member is leaving');
  }
  // Before it has committed an entry of its own, a leader does not know what its predecessors committed.
  const knows = state.commitIndex >= leading.firstIndex;
  const uncommitted = state.configurations.filter(({ index }) => index > state.commitIndex);
  assert(!knows || uncommitted.length <= 1, 'M1: at most one configuration in a leader’s log is not committed');
}

function checkConfigurations(state: RaftState): void {
  const { configurations, configuration, log, leading } = state;
  const latest = configurations.at(-1);
  assert(latest?.configuration === configuration, 'M2: the latest configuration in the log is in force');
  assert(latest.index <= log.lastIndex, 'M2: the configuration in force is in the log');
  configurations.forEach((next, at) => {
    assert(isValidConfiguration(next.configuration), 'a configuration in the log can be');
    const before = configurations[at - 1];
    if (before === undefined) return;
    assert(before.index < next.index, 'configurations stand in the order of the log');
    // A member that has not been told of anybody yet begins with nothing.
    if (before.configuration.voters.length === 0) return;
    assert(mayFollow(before.configuration, next.configuration), 'M4: quorums of one configuration and the next meet');
  });
  if (leading === undefined) return;
  const tracked = allMembers(configuration).every((member) => member === state.id || leading.peers.has(member));
  assert(tracked, 'a leader tracks every member');
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
