/** A page of heads as SQLite gives it, and the check that makes columns of it. */
import { noLease } from './command';
import { columnsFor, keyStart, type HeadColumns } from './head-columns';
import { headChecksum, joinHalves } from './history-row';
import { IntegerText } from './integer-text';
import type { SqliteGuard } from './sqlite-guard';

/** Rows in ascending order, not checked yet. */
export interface HeadPage {
  readonly count: number;
  /** The last row; 0 if there is none. */
  readonly last: number;
  /**
   * For each row ten numbers as text: row, revision, sub, create revision, version, flags, upper and lower half of the lease,
   * checksum, length of the key.
   */
  readonly numbers: Uint8Array;
  /** The keys, one after the other. */
  readonly keys: Uint8Array;
}

/** The one that is being read: an object for each of a million takes as long as reading them. */
const head = { row: 0, revision: 0, sub: 0, createRevision: 0, version: 0, flags: 0, lease: noLease };

/**
 * The rows of a page, each of them checked.
 *
 * @throws QuorateError `damaged`
 */
export function checkedHeads(page: HeadPage, guard: SqliteGuard): HeadColumns {
  const { buffer, byteOffset, byteLength } = page.keys;
  const heads = columnsFor(page.count, Buffer.from(buffer, byteOffset, byteLength));
  const text = new IntegerText(page.numbers);
  // Should SQLite ever join rows in another order than it reads them, checksums fail.
  for (let at = 0; at < page.count; at++) {
    if (!takeHead(text, heads, at)) throw guard.damaged(`row ${String(head.row)} fails its checksum`);
  }
  if (keyStart(heads, page.count) === byteLength) return heads;
  throw guard.damaged(`the keys up to row ${String(page.last)} cannot be told apart`);
}

/** Takes the next row over into the columns; false if it is not whole. */
function takeHead(text: IntegerText, heads: HeadColumns, at: number): boolean {
  head.row = text.next();
  head.revision = text.next();
  head.sub = text.next();
  head.createRevision = text.next();
  head.version = text.next();
  head.flags = text.next();
  head.lease = joinHalves(text.next(), text.next());
  const checksum = text.next();
  const start = keyStart(heads, at);
  const end = start + text.next();
  heads.rows[at] = head.row;
  heads.revisions[at] = head.revision;
  heads.createRevisions[at] = head.createRevision;
  heads.versions[at] = head.version;
  heads.flags[at] = head.flags;
  if (head.lease !== noLease) heads.leases[at] = head.lease;
  heads.keyEnds[at] = end;
  return headChecksum(head, heads.keys, start, end) === checksum;
}
