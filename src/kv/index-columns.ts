/** A whole key index as columns of rows, which a `SortedIndex` takes back. */
import { columnsFor, keyStart, type HeadColumns } from './head-columns';
import { RowFlags } from './history-row';
import type { KeyEntry, KeyIndex } from './key-index';
import type { LeaseTable } from './lease-table';
import type { OldVersions } from './old-versions';

/** Rows in a part, or a few more: all of a key are in one. Parts of 100 KB and less are written twice as fast as larger ones. */
const partRows = 1024;

const usualKeyLength = 64;

// FNV-1a of 32 bits, and the constant by which MurmurHash3 ends.
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
const mixPrime = 0x85ebca6b;

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

/**
 * What rows add up to, in any order and over any number of parts: 32 bits of which rows there are, of which revision, whether
 * each is a put, and of which key. A checksum by zlib would take ten times as long, which is half of saving an index; and the
 * sum of two CRCs often stays when their keys change places, as they are linear.
 */
export function sumOf({ count, rows, revisions, flags, keys, keyEnds }: HeadColumns): number {
  let sum = 0;
  let start = 0;
  for (let at = 0; at < count; at++) {
    const end = keyEnds[at] ?? 0;
    let hash = fnvOffset;
    for (let of = start; of < end; of++) hash = Math.imul(hash ^ (keys[of] ?? 0), fnvPrime);
    hash = mixed(hash ^ (rows[at] ?? 0));
    hash = mixed(hash ^ (revisions[at] ?? 0));
    hash = mixed(hash ^ ((flags[at] ?? 0) & RowFlags.put));
    sum = addSums(sum, hash);
    start = end;
  }
  return sum;
}

/** Every bit of `hash` changes many of the outcome, upper ones also lower ones. */
function mixed(hash: number): number {
  const mixing = Math.imul(hash ^ (hash >>> 16), mixPrime);
  return mixing ^ (mixing >>> 13);
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

function addKey(columns: HeadColumns, at: number, key: string): void {
  const { keys, keyEnds } = columns;
  const start = keyStart(columns, at);
  // For keys of usual length a loop takes less time than a call.
  if (key.length > usualKeyLength) keys.write(key, start, 'latin1');
  else for (let of = 0; of < key.length; of++) keys[start + of] = key.charCodeAt(of);
  keyEnds[at] = start + key.length;
}
