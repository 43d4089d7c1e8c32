/** The configurations of the log: the latest is in force, committed or not (thesis §4.1, invariant M2). */
import { assert, required } from '../base/assert';
import { decodeConfiguration } from './configuration-codec';
import { allMembers, isMember } from './membership';
import { Progress } from './progress';
import type { Leading, RaftState } from './state';
import type { ConfigurationAt, Entry } from './types';

/** Entries entered the log: the latest configuration among them is in force at once (thesis §4.1, invariant M2). */
export function adoptConfigurations(state: RaftState, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (entry.kind !== 'configuration') continue;
    const decoded = decodeConfiguration(entry.payload);
    assert(decoded !== undefined, 'a configuration entry can be read');
    state.configurations = [...state.configurations, { index: entry.index, ...decoded }];
  }
  useLatest(state);
}

/** Entries from `index` on left the log: the configuration before them is in force again. */
export function dropConfigurations(state: RaftState, index: number): void {
  state.configurations = state.configurations.filter((configuration) => configuration.index < index);
  useLatest(state);
}

/** The log now begins after `index`: of the configurations up to there only the last is of use. */
export function forgetConfigurations(state: RaftState, index: number): void {
  const { configurations } = state;
  const lastBefore = configurations.findLastIndex((configuration) => configuration.index <= index);
  state.configurations = configurations.slice(Math.max(0, lastBefore));
}

/** The configuration in force at `index`, which is not below the log's beginning. */
export function configurationAt(state: RaftState, index: number): ConfigurationAt {
  const found = state.configurations.findLast((configuration) => configuration.index <= index);
  return required(found, 'the first configuration is at or before the beginning of the log');
}

function useLatest(state: RaftState): void {
  state.configuration = required(state.configurations.at(-1), 'there is a configuration').configuration;
  if (state.leading !== undefined) trackPeers(state, state.leading);
}

/**
 * Tracks the members of the configuration in force, and those of the one before as long as the change is not committed
 * or they have not heard of it.
 */
export function trackPeers(state: RaftState, leading: Leading): void {
  const latest = required(state.configurations.at(-1), 'there is a configuration');
  const before = latest.index > state.commitIndex ? state.configurations.at(-2) : undefined;
  for (const { configuration } of before === undefined ? [latest] : [before, latest]) {
    for (const member of allMembers(configuration)) {
      if (member === state.id || leading.peers.has(member)) continue;
      leading.peers.set(member, new Progress(member, state.log.lastIndex + 1, state.now));
    }
  }
  for (const progress of leading.peers.values()) {
    const stays = isMember(latest.configuration, progress.peer);
    progress.leavesAt = stays ? undefined : (progress.leavesAt ?? latest.index);
  }
}
