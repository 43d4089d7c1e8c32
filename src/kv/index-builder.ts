/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import { assert, required } from '../base/assert';
import type { RowHead } from './history-row';
import { isPut, KeyIndex, type KeyEntry } from './key-index';
import { withVersion, type OldVersions } from './old-versions';
import type { SqliteStore } from './sqlite-store';

/** Keys in ascending order with their versions. */
interface Run {
  readonly keys: string[];
  readonly entries: KeyEntry[];
}

/** Takes note of what a change makes of a key's lease; called in the order of the changes. */
export type OnHead = (key: string, head: RowHead) => void;

/** Changes sorted at a time. More take longer than a step should. */
const runRows = 16_384;
/** Keys merged, or added to the index, in a step. */
const stepKeys = 8192;

/**
 * Sorts the history in runs and merges runs of about equal length, so that no step depends on the size of the store. A
 * map of all keys and one big sort take no less time, and nothing else could happen meanwhile.
 */
export function* indexSteps(store: SqliteStore, onHead: OnHead): Generator<void, KeyIndex, void> {
  const runs: Run[] = [];
  let entries = new Map<string, KeyEntry>();
  for (const rows of store.headPages()) {
    for (const { head, key } of rows) {
      onHead(key, head);
      entries.set(key, followed(entries.get(key), entryOf(head)));
    }
    if (entries.size >= runRows) {
      runs.push(sorted(entries));
      entries = new Map();
      while (mustMerge(runs)) yield* mergeLast(runs);
    }
    yield;
  }
  runs.push(sorted(entries));
  while (runs.length > 1) yield* mergeLast(runs);
  return yield* indexOf(required(runs[0], 'a run is left'));
}

function entryOf({ row, revision, createRevision, version, flags }: RowHead): KeyEntry {
  return { row, createRevision, modRevision: revision, version, flags, older: undefined };
}

/** `newer` with the versions of `earlier` before its own. */
function followed(earlier: KeyEntry | undefined, newer: KeyEntry): KeyEntry {
  if (earlier === undefined) return newer;
  const row = isPut(earlier) ? earlier.row : -earlier.row;
  let older: OldVersions = withVersion(earlier.older, earlier.modRevision, row);
  if (newer.older !== undefined) older = older.concat(newer.older);
  return { ...newer, older };
}

function sorted(entries: ReadonlyMap<string, KeyEntry>): Run {
  const keys = [...entries.keys()].sort();
  return { keys, entries: keys.map((key) => required(entries.get(key), 'every key has an entry')) };
}

function mustMerge(runs: readonly Run[]): boolean {
  const [older, newer] = runs.slice(-2);
  return older !== undefined && newer !== undefined && older.keys.length < 2 * newer.keys.length;
}

/** The last run is the newer one: where both have a key, its version is the newest. */
function* mergeLast(runs: Run[]): Generator<void, void, void> {
  const newer = required(runs.pop(), 'there is a last run');
  const older = required(runs.pop(), 'there is one before it');
  const merged: Run = { keys: [], entries: [] };
  let at = 0;
  for (const [position, key] of newer.keys.entries()) {
    while (at < older.keys.length && required(older.keys[at], 'a key stands there') < key) {
      add(merged, required(older.keys[at], 'a key stands there'), older.entries[at++]);
      if (merged.keys.length % stepKeys === 0) yield;
    }
    const entry = required(newer.entries[position], 'every key has an entry');
    add(merged, key, followed(older.keys[at] === key ? older.entries[at++] : undefined, entry));
    if (merged.keys.length % stepKeys === 0) yield;
  }
  for (; at < older.keys.length; at++) {
    add(merged, required(older.keys[at], 'a key stands there'), older.entries[at]);
    if (merged.keys.length % stepKeys === 0) yield;
  }
  assert(merged.keys.length >= Math.max(older.keys.length, newer.keys.length), 'a merge loses no key');
  runs.push(merged);
}

function add(run: Run, key: string, entry: KeyEntry | undefined): void {
  run.keys.push(key);
  run.entries.push(required(entry, 'every key has an entry'));
}

function* indexOf({ keys, entries }: Run): Generator<void, KeyIndex, void> {
  const index = new KeyIndex();
  for (let start = 0; start < keys.length; start += stepKeys) {
    index.append(keys.slice(start, start + stepKeys), entries.slice(start, start + stepKeys));
    yield;
  }
  return index;
}
