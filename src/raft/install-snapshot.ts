/** InstallSnapshot: a state that takes the place of the log's beginning (§7), and the shortening of the log. */
import { assert } from '../base/assert';
import { advanceCommit, commitTo } from './commit';
import { forgetConfigurations } from './configuration-history';
import type { InstallSnapshot, InstallSnapshotResponse } from './messages';
import { becomeFollower, resetElectionTimer } from './role';
import { send, type RaftState } from './state';
import type { MemberId, SnapshotDescription } from './types';

/** A whole snapshot came from the leader. Takes it if it brings this member forward. */
export function receiveInstallSnapshot(state: RaftState, from: MemberId, request: InstallSnapshot): void {
  if (request.term < state.term) {
    send(state, from, { kind: 'install-snapshot-response', term: state.term, matchIndex: 0 });
    return;
  }
  if (request.term === state.term && state.role === 'leader') return;
  if (state.role !== 'follower' || request.term > state.term || state.leader !== from) {
    becomeFollower(state, request.term, from);
  }
  state.leaderContactAt = state.now;
  resetElectionTimer(state);
  const { last } = request.snapshot;
  if (last.index > state.commitIndex) {
    // §7: a log that goes on after the snapshot is right and stays (invariant N3).
    if (state.log.holds(last)) commitTo(state, last.index);
    else replaceLog(state, request.snapshot);
  }
  state.verifiedIndex = Math.max(state.verifiedIndex, Math.min(last.index, state.commitIndex));
  if (state.durableIndex >= state.verifiedIndex) state.turn.acknowledge = true;
}

/** The peer has the snapshot: from there on the log goes on. */
export function receiveInstallSnapshotResponse(
  state: RaftState,
  from: MemberId,
  response: InstallSnapshotResponse,
): void {
  if (response.term > state.term) {
    becomeFollower(state, response.term, undefined);
    return;
  }
  const progress = state.leading?.peers.get(from);
  if (state.leading === undefined || progress === undefined || response.term < state.term) return;
  progress.lastContactAt = state.now;
  if (response.matchIndex > state.log.lastIndex) return;
  progress.onMatched(response.matchIndex, state.now);
  advanceCommit(state, state.leading);
}

/** Storage no longer holds the entries up to `index`; they are applied, and the state stands for them. */
export function onPrefixRemoved(state: RaftState, index: number): void {
  assert(index <= state.appliedIndex, 'only applied entries are removed from the front (N4)');
  assert(index <= state.durableIndex, 'only durable entries are removed from the front');
  if (index < state.log.firstIndex) return;
  state.log.truncatePrefix(index);
  forgetConfigurations(state, index);
}

/** Everything this member had is replaced: the log is empty after the snapshot, and the state is the snapshot's. */
function replaceLog(state: RaftState, snapshot: SnapshotDescription): void {
  const { last, configuration } = snapshot;
  state.log.reset(last);
  state.configurations = [configuration];
  state.configuration = configuration.configuration;
  state.commitIndex = last.index;
  // What was on its way to the disk is replaced with the log, and its completion says nothing any more.
  for (const unpersisted of state.unpersisted) unpersisted.lastIndex = 0;
  state.durableIndex = 0;
  state.turn.persistFrom = undefined;
  state.turn.install = snapshot;
}
