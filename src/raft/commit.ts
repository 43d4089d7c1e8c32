/** When an entry is committed (§5.3, §5.4.2). */
import { assert } from '../base/assert';
import { committedIndex } from './quorum';
import type { Leading, RaftState } from './state';

/**
 * Advances the leader's commit index as far as a majority holds the log durably; this member counts only what is on its
 * own disk. Only entries of the leader's own term are committed by counting (§5.4.2, Figure 8); older ones with them.
 */
export function advanceCommit(state: RaftState, leading: Leading): void {
  const agreed = committedIndex(state.configuration, (voter) =>
    voter === state.id ? state.durableIndex : (leading.peers.get(voter)?.matchIndex ?? 0),
  );
  if (agreed <= state.commitIndex || state.log.termAt(agreed) !== state.term) return;
  for (let index = Math.max(state.commitIndex + 1, leading.firstIndex); index <= agreed; index++) {
    leading.uncommittedBytes -= state.log.sizeAt(index);
  }
  assert(leading.uncommittedBytes >= 0, 'no more bytes are committed than were proposed');
  commitTo(state, agreed);
}

/** Learns that everything up to `index` is committed. */
export function commitTo(state: RaftState, index: number): void {
  assert(index <= state.log.lastIndex, 'what is committed here is in the log');
  state.commitIndex = Math.max(state.commitIndex, index);
}
