/** Makes a key index of rows that are in the order of their keys. */
import { noLease } from './command';
import { compareKeys, type HeadColumns, keyText } from './head-columns';
import { RowFlags } from './history-row';
import { isPut, KeyIndex, type KeyEntry } from './key-index';
import { withVersion, type OldVersions } from './old-versions';
import type { SqliteGuard } from './sqlite-guard';
import { rowCount, type MetaFacts } from './sqlite-meta';

/** Where every version of every key is, and the lease of each key that has one. */
export interface LoadedIndex {
  readonly index: KeyIndex;
  readonly leases: ReadonlyMap<string, bigint>;
}

/** Takes parts that ascend by key, then by age; all rows of a key are in one part. */
export class SortedIndex {
  readonly #index = new KeyIndex();
  readonly #leases = new Map<string, bigint>();
  #count = 0;
  #last = 0;

  append(heads: HeadColumns): void {
    const keys: string[] = [];
    const entries: KeyEntry[] = [];
    for (let at = 0; at < heads.count;) {
      const newest = lastOfKey(heads, at);
      const key = keyText(heads, at);
      keys.push(key);
      entries.push(entryOf(heads, at, newest));
      this.#noteLease(key, heads, newest);
      this.#last = Math.max(this.#last, heads.rows[newest] ?? 0);
      at = newest + 1;
    }
    this.#index.append(keys, entries);
    this.#count += heads.count;
  }

  /** @throws QuorateError `damaged` if these are not the rows that the store's counters say it has */
  finish(facts: MetaFacts, guard: SqliteGuard): LoadedIndex {
    if (this.#last > facts.lastRow) throw guard.damaged(`its rows end at ${String(this.#last)}`);
    guard.expectRows(this.#count, rowCount(facts));
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
