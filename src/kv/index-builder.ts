/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import { RowFlags } from './history-row';
import { compareKeys, type HeadColumns, keyText } from './head-columns';
import { checkedHeads, type HeadPage } from './head-page';
import { isPut, KeyIndex, type KeyEntry } from './key-index';
import { mergedRuns, sortedRun } from './key-runs';
import type { SqliteGuard } from './sqlite-guard';
import type { MetaFacts } from './sqlite-meta';
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
 * Takes in the heads of a store, and makes an index of them. Every page is sorted when it comes and all are merged in the
 * end, so that no step depends on the size of the store.
 */
export class IndexBuilder {
  readonly #guard: SqliteGuard;
  readonly #runs: HeadColumns[] = [];
  readonly #index = new KeyIndex();
  readonly #leases = new Map<string, bigint>();
  #count = 0;
  #last = 0;

  constructor(guard: SqliteGuard) {
    this.#guard = guard;
  }

  /** @throws QuorateError `damaged` unless every row of the page is whole */
  add(page: HeadPage): void {
    if (page.last <= this.#last) throw this.#guard.damaged('its rows are not in their order');
    this.#runs.push(sortedRun(checkedHeads(page, this.#guard)));
    this.#count += page.count;
    this.#last = page.last;
  }

  /**
   * Makes the index, once all pages are there, in steps.
   *
   * @throws QuorateError `damaged` if they are not the rows that the store's counters say it has
   */
  *finish({ lastRow, removedRows }: MetaFacts): Generator<void, LoadedIndex, void> {
    const expected = lastRow - removedRows;
    if (this.#last > lastRow) throw this.#guard.damaged(`its rows end at ${String(this.#last)}`);
    if (this.#count !== expected) {
      throw this.#guard.damaged(`it has ${String(this.#count)} rows of ${String(expected)}: some are missing`);
    }
    for (const heads of mergedRuns(this.#runs, stepRows)) {
      this.#append(heads);
      yield;
    }
    return { index: this.#index, leases: this.#leases };
  }

  #append(heads: HeadColumns): void {
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
