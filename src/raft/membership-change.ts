/** Changes of the configuration, on the leader (thesis §4): proposed, committed, and the joint one left. */
import { assert, required } from '../base/assert';
import { encodeConfiguration } from './configuration-codec';
import type { ConfigurationChange } from './event';
import { appendToLog } from './leader-log';
import { isJoint, isVoter, leaveJoint, planChange, sameVoters, type ChangeResult } from './membership';
import type { Progress } from './progress';
import { reachedByQuorum } from './quorum';
import type { Leading, RaftState } from './state';
import type { Configuration, ConfigurationAt } from './types';
import type { RefusedByLeader } from './update';

/**
 * Appends a new configuration, or refuses. One at a time (invariant M1), and none before an entry of this term is
 * committed (invariant M3: the bug of the single-server change found in 2015).
 */
export function receiveChange(state: RaftState, change: ConfigurationChange): void {
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
  const planned = plan(state, change);
  if (!planned.ok) {
    state.turn.changes.push({ id, accepted: false, reason: planned.refusal });
    return;
  }
  const danger = change.force === true ? undefined : dangerOf(state, leading, planned.configuration);
  if (danger !== undefined) {
    state.turn.changes.push({ id, accepted: false, reason: danger });
    return;
  }
  const index = appendConfiguration(state, planned.configuration, change.context);
  state.turn.changes.push({ id, accepted: true, index });
}

/** What to append: also the same members again, if what the program keeps with them is new (such as an address). */
function plan(state: RaftState, { changes, context }: ConfigurationChange): ChangeResult {
  const { configuration, context: before } = required(state.configurations.at(-1), 'there is a configuration');
  const planned = planChange(configuration, changes);
  if (planned.ok || planned.refusal !== 'no-change') return planned;
  const isSame = context.length === before.length && context.every((byte, at) => byte === before[at]);
  return isSame ? planned : { ok: true, configuration };
}

/** Once the configuration in force is committed: leaves a joint one, lets the removed go. */
export function followUpChange(state: RaftState, leading: Leading): void {
  const latest = required(state.configurations.at(-1), 'there is a configuration');
  if (latest.index > state.commitIndex) return;
  if (isJoint(latest.configuration)) {
    if (latest.configuration.autoLeave && state.commitIndex >= leading.firstIndex) leave(state, latest);
    return;
  }
  releaseLeavers(state, leading);
}

/** Thesis §4.2.2: a leader that removed itself, or made itself a learner, leads until that is committed. */
export function hasRemovedItself(state: RaftState): boolean {
  const latest = required(state.configurations.at(-1), 'there is a configuration');
  return latest.index <= state.commitIndex && !isVoter(latest.configuration, state.id);
}

/** True if a learner lacks so little that it could vote without holding up commits (thesis §4.2.1, invariant M8). */
export function isCaughtUp(state: RaftState, progress: Progress, now: number): boolean {
  const { electionTimeoutMs, maxPromotionLag } = state.options;
  if (!progress.isActive(now, electionTimeoutMs)) return false;
  return progress.matchIndex >= state.commitIndex - maxPromotionLag;
}

/** Whether the change would leave the cluster waiting for members that lag or are silent (invariant M8). */
function dangerOf(state: RaftState, leading: Leading, to: Configuration): RefusedByLeader | undefined {
  if (sameVoters(state.configuration, to)) return undefined;
  const lags = state.configuration.learners
    .filter((learner) => to.voters.includes(learner))
    .map((learner) => required(leading.peers.get(learner), 'a learner is a peer of the leader'))
    .some((progress) => !isCaughtUp(state, progress, state.now));
  if (lags) return 'not-caught-up';
  const answers = reachedByQuorum(to, (voter) => {
    if (voter === state.id) return 1;
    return leading.peers.get(voter)?.isActive(state.now, state.options.electionTimeoutMs) === true ? 1 : 0;
  });
  return answers === 1 ? undefined : 'unhealthy';
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
