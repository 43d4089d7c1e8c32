/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import type { RowHead } from './history-row';
import { KeyIndex, type KeyEntry } from './key-index';
import { followed, type KeyRun, mergedRuns, sortedRun } from './key-runs';
import type { SqliteStore } from './sqlite-store';

/** Takes note of what a change makes of a key's lease; called in the order of the changes. */
export type OnHead = (key: string, head: RowHead) => void;

/** Changes sorted at a time. More take longer than a step should. */
const runRows = 16_384;
/** Keys added to the index in a step. */
const stepKeys = 8192;

/**
 * Sorts the history in runs and merges them, so that no step depends on the size of the store. A map of all keys and one
 * big sort take no less time, and nothing else could happen meanwhile.
 */
export function* indexSteps(store: SqliteStore, onHead: OnHead): Generator<void, KeyIndex, void> {
  const index = new KeyIndex();
  const runs = yield* runsOf(store, onHead);
  for (const { keys, entries } of mergedRuns(runs, stepKeys)) {
    index.append(keys, entries);
    yield;
  }
  return index;
}

function* runsOf(store: SqliteStore, onHead: OnHead): Generator<void, readonly KeyRun[], void> {
  const runs: KeyRun[] = [];
  let entries = new Map<string, KeyEntry>();
  for (const rows of store.headPages()) {
    for (const { head, key } of rows) {
      onHead(key, head);
      const earlier = entries.get(key);
      entries.set(key, earlier === undefined ? entryOf(head) : followed(earlier, entryOf(head)));
    }
    if (entries.size >= runRows) {
      runs.push(sortedRun(entries));
      entries = new Map();
    }
    yield;
  }
  runs.push(sortedRun(entries));
  return runs;
}

function entryOf({ row, revision, createRevision, version, flags }: RowHead): KeyEntry {
  return { row, createRevision, modRevision: revision, version, flags, older: undefined };
}
