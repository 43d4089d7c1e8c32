/** Changes of the configuration, on the leader (thesis §4): proposed, committed, and the joint one left. */
import { assert, required } from '../base/assert';
import { encodeConfiguration } from './configuration-codec';
import type { Event } from './event';
import { appendToLog } from './leader-log';
import { isJoint, isVoter, leaveJoint, planChange } from './membership';
import { becomeFollower } from './role';
import type { Leading, RaftState } from './state';
import type { Configuration, ConfigurationAt } from './types';

/**
 * Appends a new configuration, or refuses. One at a time (invariant M1), and none before an entry of this term is
 * committed (invariant M3: the bug of the single-server change found in 2015).
 */
export function receiveChange(state: RaftState, change: Extract<Event, { kind: 'change-configuration' }>): void {
  const { id } = change;
  const { leading } = state;
  if (leading === undefined) {
    state.turn.changes.push({ id, accepted: false, reason: 'not-leader' });
    return;
  }
  if (!mayChange(state, leading)) {
    state.turn.changes.push({ id, accepted: false, reason: 'unfinished' });
    return;
  }
  const planned = planChange(state.configuration, change.changes);
  if (!planned.ok) {
    state.turn.changes.push({ id, accepted: false, reason: planned.refusal });
    return;
  }
  const index = appendConfiguration(state, planned.configuration, change.context);
  state.turn.changes.push({ id, accepted: true, index });
}

/** Once the configuration in force is committed: leaves a joint one, lets the removed go, steps down if it is one of them. */
export function followUpChange(state: RaftState, leading: Leading): void {
  const latest = required(state.configurations.at(-1), 'there is a configuration');
  if (latest.index > state.commitIndex) return;
  if (isJoint(latest.configuration)) {
    if (latest.configuration.autoLeave && state.commitIndex >= leading.firstIndex) leave(state, latest);
    return;
  }
  releaseLeavers(state, leading);
  // Thesis §4.2.2: a leader that removed itself leads until that is committed.
  if (!isVoter(latest.configuration, state.id)) becomeFollower(state, state.term, undefined);
}

function mayChange(state: RaftState, leading: Leading): boolean {
  const latest = required(state.configurations.at(-1), 'there is a configuration');
  if (leading.transfer !== undefined || isJoint(latest.configuration)) return false;
  return latest.index <= state.commitIndex && state.commitIndex >= leading.firstIndex;
}

function leave(state: RaftState, joint: ConfigurationAt): void {
  const left = leaveJoint(joint.configuration);
  assert(left.ok, 'a joint configuration can be left');
  appendConfiguration(state, left.configuration, joint.context);
}

function appendConfiguration(state: RaftState, configuration: Configuration, context: Uint8Array): number {
  const payload = encodeConfiguration({ configuration, context });
  return appendToLog(state, [{ kind: 'configuration', payload }]);
}

/** A member that is gone is let go once it was told that its removal is committed, or cannot be told. */
function releaseLeavers(state: RaftState, leading: Leading): void {
  for (const { peer, leavesAt, matchIndex, sentCommit, lastContactAt } of leading.peers.values()) {
    if (leavesAt === undefined) continue;
    const knows = matchIndex >= leavesAt && sentCommit >= leavesAt;
    const isSilent = state.now - lastContactAt >= state.options.electionTimeoutMs;
    if (knows || isSilent) leading.peers.delete(peer);
  }
}
