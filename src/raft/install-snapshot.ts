/** InstallSnapshot: a state that takes the place of the log's beginning (§7), and the shortening of the log. */
import { assert } from '../base/assert';
import { commitTo } from './commit';
import { forgetConfigurations } from './configuration-history';
import { isValidConfiguration } from './membership';
import type { InstallSnapshot } from './messages';
import { followLeader } from './role';
import { send, type RaftState } from './state';
import type { MemberId, SnapshotDescription } from './types';

/** A whole snapshot came from the leader. Takes it if it brings this member forward. */
export function receiveInstallSnapshot(state: RaftState, from: MemberId, request: InstallSnapshot): void {
  if (request.term < state.term) {
    // §5.1: the old leader learns the term; nothing else in the answer counts.
    const nothing = { rejectedIndex: request.snapshot.last.index, hintIndex: 0, hintTerm: 0, readRound: 0 };
    send(state, from, { kind: 'append-entries-response', success: false, term: state.term, ...nothing });
    return;
  }
  if (!isWellFormed(request) || !followLeader(state, from, request.term)) return;
  const { last } = request.snapshot;
  if (last.index > state.commitIndex) {
    // §7: a log that goes on after the snapshot is right and stays (invariant N3).
    if (state.log.holds(last)) commitTo(state, last.index);
    else replaceLog(state, request.snapshot);
  }
  state.verifiedIndex = Math.max(state.verifiedIndex, Math.min(last.index, state.commitIndex));
  if (state.durableIndex >= state.verifiedIndex) state.turn.acknowledge = true;
}

/** Storage no longer holds the entries up to `index`; they are applied, and the state stands for them. */
export function onPrefixRemoved(state: RaftState, index: number): void {
  assert(index <= state.appliedIndex, 'only applied entries are removed from the front (N4)');
  assert(index <= state.durableIndex, 'only durable entries are removed from the front');
  if (index < state.log.firstIndex) return;
  state.log.truncatePrefix(index);
  forgetConfigurations(state, index);
}

/** A snapshot stands for something, and its configuration comes from what it stands for. */
function isWellFormed({ term, snapshot }: InstallSnapshot): boolean {
  const { last, configuration } = snapshot;
  if (last.index < 1 || last.term > term || configuration.index > last.index) return false;
  return isValidConfiguration(configuration.configuration);
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
  state.verifiedIndex = 0;
  state.turn.persistFrom = undefined;
  state.turn.install = snapshot;
}
