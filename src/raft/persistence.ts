/** What is handed to the disk, and what the disk has (architecture §1.2, thesis §10.2.1). */
import { assert } from '../base/assert';
import { acknowledgeable } from './append-entries';
import { advanceCommit } from './commit';
import { onOwnVoteDurable } from './election';
import type { RaftState } from './state';
import type { Persist } from './update';

/** The disk has everything up to this sequence: only now it may count (invariants S7, S8). */
export function onPersisted(state: RaftState, sequence: number): void {
  for (let first = state.unpersisted[0]; first !== undefined; first = state.unpersisted[0]) {
    if (first.sequence > sequence) break;
    state.unpersisted.shift();
    state.durableIndex = Math.max(state.durableIndex, first.lastIndex);
    const { hardState } = first;
    if (hardState?.term === state.term && hardState.votedFor === state.id) onOwnVoteDurable(state);
  }
  if (state.leading !== undefined) advanceCommit(state, state.leading);
  // Only what is news to the leader: a term and a vote are not.
  if (acknowledgeable(state) > state.acknowledgedIndex) state.turn.acknowledge = true;
}

/** Everything this turn changed that must survive, under a sequence number of its own. */
export function takePersist(state: RaftState): Persist | undefined {
  const { persistFrom, persistHardState, install } = state.turn;
  if (persistFrom === undefined && !persistHardState && install === undefined) return undefined;
  const { term, votedFor, log } = state;
  const entries = persistFrom === undefined ? [] : log.slice(persistFrom, log.lastIndex, Infinity);
  assert(entries !== undefined, 'entries that are not yet durable are in memory');
  const sequence = state.nextSequence++;
  const hardState = persistHardState ? { term, votedFor } : undefined;
  const lastIndex = entries.at(-1)?.index ?? install?.last.index ?? 0;
  state.unpersisted.push({ sequence, lastIndex, hardState });
  return { sequence, hardState, snapshot: install, entries };
}
