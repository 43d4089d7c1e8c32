/** The leader's own additions to the log. Nobody else appends to it without being told by a leader. */
import { required } from '../base/assert';
import { adoptConfigurations } from './configuration-history';
import type { Proposal } from './event';
import { totalBytes } from './log';
import type { RaftState } from './state';

const nothing = new Uint8Array(0);

/** §8: a leader begins its term with an entry of its own, so that what its predecessors left can be committed. */
export function appendNoOp(state: RaftState): void {
  appendToLog(state, [{ kind: 'no-op', payload: nothing }]);
}

/** The leader appends entries of its term, which count as uncommitted from now on. Returns the index of the first. */
export function appendToLog(state: RaftState, proposals: readonly Proposal[]): number {
  const firstIndex = state.log.lastIndex + 1;
  const { term } = state;
  const entries = proposals.map(({ kind, payload }, at) => ({ index: firstIndex + at, term, kind, payload }));
  state.log.append(entries);
  required(state.leading, 'only a leader appends of its own').uncommittedBytes += totalBytes(entries);
  adoptConfigurations(state, entries);
  state.turn.persistFrom = Math.min(state.turn.persistFrom ?? firstIndex, firstIndex);
  return firstIndex;
}
