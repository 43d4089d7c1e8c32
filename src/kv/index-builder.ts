/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import { assert, required } from '../base/assert';
import { RowFlags, type RowHead } from './history-row';
import { KeyIndex, type KeyVersion } from './key-index';
import type { SqliteStore } from './sqlite-store';

/** Keys in ascending order with their newest version; `undefined` for a key that was deleted. */
interface Run {
  readonly keys: string[];
  readonly versions: (KeyVersion | undefined)[];
}

/** Changes sorted at a time. More take longer than a step should. */
const runRows = 16_384;
/** Keys merged, or added to the index, in a step. */
const stepKeys = 8192;

/** Builds at once. */
export function buildIndex(store: SqliteStore): KeyIndex {
  const steps = indexSteps(store);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lets `pause` pass between steps of a few milliseconds. */
export async function buildIndexInSteps(store: SqliteStore, pause: () => Promise<void>): Promise<KeyIndex> {
  const steps = indexSteps(store);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/**
 * Sorts the history in runs and merges runs of about equal length, so that no step depends on the size of the store. A
 * map of all keys and one big sort take no less time, and nothing else could happen meanwhile.
 */
function* indexSteps(store: SqliteStore): Generator<void, KeyIndex, void> {
  const runs: Run[] = [];
  let changes = new Map<string, KeyVersion | undefined>();
  for (const rows of store.headPages()) {
    for (const { head, key } of rows) changes.set(key, versionOf(head));
    if (changes.size >= runRows) {
      runs.push(sorted(changes));
      changes = new Map();
      while (mustMerge(runs)) yield* mergeLast(runs);
    }
    yield;
  }
  runs.push(sorted(changes));
  while (runs.length > 1) yield* mergeLast(runs);
  return yield* indexOf(required(runs[0], 'a run is left'));
}

function versionOf({ row, revision, createRevision, version, flags }: RowHead): KeyVersion | undefined {
  if ((flags & RowFlags.put) === 0) return undefined;
  return { row, createRevision, modRevision: revision, version, flags };
}

function sorted(changes: ReadonlyMap<string, KeyVersion | undefined>): Run {
  const keys = [...changes.keys()].sort();
  return { keys, versions: keys.map((key) => changes.get(key)) };
}

function mustMerge(runs: readonly Run[]): boolean {
  const [older, newer] = runs.slice(-2);
  return older !== undefined && newer !== undefined && older.keys.length < 2 * newer.keys.length;
}

/** The last run is the newer one: where both have a key, its version counts. */
function* mergeLast(runs: Run[]): Generator<void, void, void> {
  const newer = required(runs.pop(), 'there is a last run');
  const older = required(runs.pop(), 'there is one before it');
  const merged: Run = { keys: [], versions: [] };
  let at = 0;
  for (const [position, key] of newer.keys.entries()) {
    while (at < older.keys.length && required(older.keys[at], 'a key stands there') < key) {
      merged.keys.push(required(older.keys[at], 'a key stands there'));
      merged.versions.push(older.versions[at++]);
    }
    if (older.keys[at] === key) at++;
    merged.keys.push(key);
    merged.versions.push(newer.versions[position]);
    if (merged.keys.length % stepKeys === 0) yield;
  }
  for (; at < older.keys.length; at++) {
    merged.keys.push(required(older.keys[at], 'a key stands there'));
    merged.versions.push(older.versions[at]);
    if (merged.keys.length % stepKeys === 0) yield;
  }
  assert(merged.keys.length >= Math.max(older.keys.length, newer.keys.length), 'a merge loses no key');
  runs.push(merged);
}

function* indexOf({ keys, versions }: Run): Generator<void, KeyIndex, void> {
  const index = new KeyIndex();
  for (let start = 0; start < keys.length; start += stepKeys) {
    const living = { keys: [] as string[], versions: [] as KeyVersion[] };
    for (let at = start; at < Math.min(start + stepKeys, keys.length); at++) {
      const version = versions[at];
      if (version === undefined) continue;
      living.keys.push(required(keys[at], 'every version has a key'));
      living.versions.push(version);
    }
    index.append(living.keys, living.versions);
    yield;
  }
  return index;
}
