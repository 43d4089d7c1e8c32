/** A whole key index as columns of rows, which a `SortedIndex` takes back. */
import { noLease } from './command';
import { columnsFor, type HeadColumns } from './head-columns';
import { headChecksum, RowFlags } from './history-row';
import type { KeyEntry, KeyIndex } from './key-index';
import type { LeaseTable } from './lease-table';
import type { OldVersions } from './old-versions';

/** Rows in a part, or a few more: all of a key are in one. */
const partRows = 4096;

/** What columns are made of. */
export interface IndexSource {
  readonly index: KeyIndex;
  readonly leases: Pick<LeaseTable, 'leaseOf'>;
}

/** What an index and its leases know of one key. */
interface Held {
  readonly key: string;
  readonly entry: KeyEntry | undefined;
  readonly older: OldVersions | undefined;
}

/**
 * Parts that ascend by key, then by age. Of rows that are not the newest of their key only the numbers are there that the index
 * needs: row, revision, and whether it is a put.
 */
export function* columnsOf({ index, leases }: IndexSource): Generator<HeadColumns, void, void> {
  let part = new Part();
  for (const [key, versions] of index.all()) {
    part.add(
      'row' in versions ? { key, entry: versions, older: versions.older } : { key, entry: undefined, older: versions },
    );
    if (part.rows < partRows) continue;
    yield part.columns(leases);
    part = new Part();
  }
  if (part.rows > 0) yield part.columns(leases);
}

/** The row that is being added up: an object for each would take longer than its checksum. What an index does not know is 0. */
const summed = { row: 0, revision: 0, sub: 0, createRevision: 0, version: 0, flags: 0, lease: noLease };

/**
 * What rows add up to, in any order and over any number of parts: 32 bits of which rows there are, of which revision, whether
 * each is a put, and of which key.
 */
export function sumOf({ count, rows, revisions, flags, keys, keyEnds }: HeadColumns): number {
  let sum = 0;
  let start = 0;
  for (let at = 0; at < count; at++) {
    const end = keyEnds[at] ?? 0;
    summed.row = rows[at] ?? 0;
    summed.revision = revisions[at] ?? 0;
    summed.flags = (flags[at] ?? 0) & RowFlags.put;
    sum = addSums(sum, headChecksum(summed, keys, start, end));
    start = end;
  }
  return sum;
}

export function addSums(a: number, b: number): number {
  return (a + b) >>> 0;
}

/** Keys that are gathered for one part. */
class Part {
  readonly #held: Held[] = [];
  #keyBytes = 0;
  rows = 0;

  add(held: Held): void {
    const rows = (held.entry === undefined ? 0 : 1) + (held.older?.length ?? 0) / 2;
    this.#held.push(held);
    this.rows += rows;
    this.#keyBytes += rows * held.key.length;
  }

  columns(leases: IndexSource['leases']): HeadColumns {
    const columns = columnsFor(this.rows, Buffer.allocUnsafeSlow(this.#keyBytes));
    let at = 0;
    for (const { key, entry, older } of this.#held) {
      const first = at;
      if (older !== undefined) at = addOlder(columns, at, older);
      if (entry !== undefined) addNewest(columns, at++, entry, leases.leaseOf(key));
      for (let of = first; of < at; of++) addKey(columns, of, key);
    }
    return columns;
  }
}

/** @returns where the next row goes */
function addOlder(columns: HeadColumns, first: number, older: OldVersions): number {
  let at = first;
  for (let from = 0; from < older.length; from += 2) {
    const row = older[from + 1] ?? 0;
    columns.rows[at] = Math.abs(row);
    columns.revisions[at] = older[from] ?? 0;
    columns.flags[at] = row > 0 ? RowFlags.put : 0;
    at++;
  }
  return at;
}

function addNewest(columns: HeadColumns, at: number, entry: KeyEntry, lease: bigint): void {
  columns.rows[at] = entry.row;
  columns.revisions[at] = entry.modRevision;
  columns.createRevisions[at] = entry.createRevision;
  columns.versions[at] = entry.version;
  columns.flags[at] = entry.flags;
  columns.leases[at] = lease;
}

function addKey({ keys, keyEnds }: HeadColumns, at: number, key: string): void {
  const start = at === 0 ? 0 : (keyEnds[at - 1] ?? 0);
  keys.write(key, start, 'latin1');
  keyEnds[at] = start + key.length;
}
