/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import { RowFlags } from './history-row';
import { compareKeys, type HeadColumns, keyText } from './head-columns';
import { isPut, KeyIndex, type KeyEntry } from './key-index';
import { mergedRuns, sortedRun } from './key-runs';
import type { SqliteStore } from './sqlite-store';
import { noLease } from './command';
import { withVersion, type OldVersions } from './old-versions';

/** Rows added to the index in a step. */
const stepRows = 4096;

/** Where every version of every key is, and the lease of each key that has one. */
export interface LoadedIndex {
  readonly index: KeyIndex;
  readonly leases: ReadonlyMap<string, bigint>;
}

/**
 * All rows of the store by key, those of a key by age; `undefined` after each step that only prepares them. Every page is
 * sorted and all are merged in the end, so that no step depends on the size of the store.
 */
export function* headsByKey(store: SqliteStore): Generator<HeadColumns | undefined, void, void> {
  const runs: HeadColumns[] = [];
  for (const heads of store.headPages()) {
    runs.push(sortedRun(heads));
    yield undefined;
  }
  yield* mergedRuns(runs, stepRows);
}

/** Takes in what `headsByKey` gives, part by part. */
export class IndexBuilder {
  readonly #index = new KeyIndex();
  readonly #leases = new Map<string, bigint>();

  add(heads: HeadColumns): void {
    const keys: string[] = [];
    const entries: KeyEntry[] = [];
    for (let at = 0; at < heads.count;) {
      const newest = lastOfKey(heads, at);
      const key = keyText(heads, at);
      keys.push(key);
      entries.push(entryOf(heads, at, newest));
      this.#noteLease(key, heads, newest);
      at = newest + 1;
    }
    this.#index.append(keys, entries);
  }

  finish(): LoadedIndex {
    return { index: this.#index, leases: this.#leases };
  }

  /** A key has the lease of its newest version. */
  #noteLease(key: string, { flags, leases }: HeadColumns, newest: number): void {
    if (((flags[newest] ?? 0) & RowFlags.leased) === 0) return;
    const lease = leases[newest] ?? noLease;
    if (lease !== noLease) this.#leases.set(key, lease);
  }
}

/** The newest row of the key whose oldest one is at `first`. */
function lastOfKey(heads: HeadColumns, first: number): number {
  let last = first;
  while (last + 1 < heads.count && compareKeys(heads, first, last + 1) === 0) last++;
  return last;
}

function entryOf(heads: HeadColumns, oldest: number, newest: number): KeyEntry {
  let older: OldVersions | undefined;
  for (let at = oldest; at < newest; at++) {
    const row = heads.rows[at] ?? 0;
    older = withVersion(older, heads.revisions[at] ?? 0, isPut({ flags: heads.flags[at] ?? 0 }) ? row : -row);
  }
  return {
    row: heads.rows[newest] ?? 0,
    createRevision: heads.createRevisions[newest] ?? 0,
    modRevision: heads.revisions[newest] ?? 0,
    version: heads.versions[newest] ?? 0,
    flags: heads.flags[newest] ?? 0,
    older,
  };
}
