/** The rows of the history in SQLite: one for each change of a key, in the order in which they happened. */
import type Database from 'better-sqlite3';
import { assert, required } from '../base/assert';
import { noLease } from './command';
import type { HeadColumns } from './head-columns';
import { checkedHeads, type HeadPage } from './head-page';
import { headChecksum, joinHalves, rowChecksum, type HistoryRow, type RowHead } from './history-row';
import type { SqliteGuard } from './sqlite-guard';

/** Where a value is: what is known of a row before it is read. */
export type RowLocation = Omit<RowHead, 'sub'>;

/** A lease is read in two halves: as one number of 64 bits it would make every number of the row a bigint. */
type HeadNumbers = [
  ...[row: number, revision: number, sub: number, createRevision: number, version: number, flags: number],
  ...[leaseHigh: number, leaseLow: number, checksum: number],
];
/** A `HeadPage`. */
type PageTuple = [count: number, last: number | null, numbers: Buffer | null, keys: Buffer | null];
type RowTuple = [...HeadNumbers, key: Buffer, checksum: number, value: Buffer];
type ValueTuple = [sub: number, checksum: number, value: Buffer];

const headColumns =
  'row, revision, sub, create_revision, version, flags, lease >> 32, lease & 4294967295, head_checksum';
const rowColumns = `${headColumns}, key, checksum, value`;
/** For each row of a page ten numbers, the last of which is the length of its key. */
const pageNumbers = `format('%d,%d,%d,%d,%d,%d,%d,%d,%d,%d', ${headColumns}, length(key))`;
/** What a page of heads is made of: not the values. */
const pageColumns = 'row, revision, sub, create_revision, version, flags, lease, head_checksum, key';
const page = 'WHERE row > ? ORDER BY row LIMIT ?';

// Measured: a page as one text of numbers takes half the time of the same page as JSON, and a third of what row by row takes.
/** Rows read at a time: few milliseconds. */
const scanPageRows = 2048;

/** Every method throws QuorateError `damaged` when SQLite or a checksum says so. */
export class HistoryRows {
  readonly #db: Database.Database;
  readonly #guard: SqliteGuard;
  readonly #insert: Database.Statement;
  readonly #remove: Database.Statement<[number], number>;
  readonly #selectValue: Database.Statement<[number], ValueTuple>;
  readonly #selectRow: Database.Statement<[number], RowTuple>;
  readonly #selectRowsFrom: Database.Statement<[number], RowTuple>;
  readonly #selectHeads: Database.Statement<[number, number], PageTuple>;
  readonly #selectRevision: Database.Statement<[number], number>;

  constructor(db: Database.Database, guard: SqliteGuard) {
    this.#db = db;
    this.#guard = guard;
    this.#insert = db.prepare('INSERT INTO history_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#remove = db
      .prepare<[number], number>('DELETE FROM history_rows WHERE row = ? RETURNING length(value)')
      .pluck(true);
    this.#selectValue = raw(db, 'SELECT sub, checksum, value FROM history_rows WHERE row = ?');
    this.#selectRow = raw(db, `SELECT ${rowColumns} FROM history_rows WHERE row = ?`);
    this.#selectRowsFrom = raw(db, `SELECT ${rowColumns} FROM history_rows WHERE row >= ? ORDER BY row`);
    this.#selectHeads = raw(
      db,
      `SELECT count(*), max(row), CAST(group_concat(${pageNumbers}) AS BLOB), CAST(group_concat(key, '') AS BLOB) ` +
        `FROM (SELECT ${pageColumns} FROM history_rows ${page})`,
    );
    this.#selectRevision = db
      .prepare<[number], number>('SELECT revision FROM history_rows WHERE row >= ? ORDER BY row LIMIT 1')
      .pluck(true);
  }

  /** Appends a row; only within a transaction. */
  insert(row: HistoryRow): void {
    assert(this.#db.inTransaction, 'rows are inserted in a transaction');
    const ofHead = headChecksum(row, row.key);
    this.#insert.run(
      row.row,
      row.revision,
      row.sub,
      row.createRevision,
      row.version,
      row.flags,
      // A number of 64 bits takes longer to bind, and most rows have none.
      row.lease === noLease ? 0 : row.lease,
      ofHead,
      rowChecksum(ofHead, row.value),
      row.key,
      row.value,
    );
  }

  /** Removes a row that is there, only within a transaction; returns how many bytes its value had. */
  remove(row: number): number {
    assert(this.#db.inTransaction, 'rows are removed in a transaction');
    const bytes = this.#remove.get(row);
    if (bytes === undefined) throw this.#guard.damaged(`row ${String(row)} is missing`);
    return bytes;
  }

  /** Reads the value of a row, and checks that the row is exactly the one that the caller means. */
  readValue(location: RowLocation, key: Uint8Array): Buffer {
    return this.#guard.expect('read', () => {
      const found = this.#selectValue.get(location.row);
      if (found === undefined) throw this.#guard.damaged(`row ${String(location.row)} is missing`);
      const [sub, checksum, value] = found;
      const { row, revision, createRevision, version, flags, lease } = location;
      const ofHead = headChecksum({ row, revision, sub, createRevision, version, flags, lease }, key);
      if (rowChecksum(ofHead, value) !== checksum) throw this.#failsChecksum(row);
      return value;
    });
  }

  /** Reads a row that must be there. */
  readRow(row: number): HistoryRow {
    return this.#guard.expect('read', () => {
      const found = this.#selectRow.get(row);
      if (found === undefined) throw this.#guard.damaged(`row ${String(row)} is missing`);
      return this.#checkRow(found);
    });
  }

  /** Visits rows with their values from `first` on, in ascending order, until `visit` says stop. Nothing else is read meanwhile. */
  visitFrom(first: number, visit: (row: HistoryRow) => 'next' | 'stop'): void {
    this.#guard.expect('read', () => {
      for (const tuple of this.#selectRowsFrom.iterate(first)) {
        if (visit(this.#checkRow(tuple)) === 'stop') return;
      }
    });
  }

  /** At most `limit` rows after `after`, in ascending order, without their values. */
  headsAfter(after: number, limit: number): HeadColumns {
    return checkedHeads(this.#pageAfter(after, limit), this.#guard);
  }

  /** All heads in ascending order, not checked yet, a page at a time. The store must not change before the last page. */
  *headPages(): Generator<HeadPage, void, void> {
    let page = this.#pageAfter(0, scanPageRows);
    while (page.count > 0) {
      yield page;
      page = this.#pageAfter(page.last, scanPageRows);
    }
  }

  #pageAfter(after: number, limit: number): HeadPage {
    return this.#guard.expect('read', () => {
      const found = required(this.#selectHeads.get(after, limit), 'an aggregate has a row');
      const [count, last, numbers, keys] = found;
      return { count, last: last ?? 0, numbers: numbers ?? new Uint8Array(), keys: keys ?? new Uint8Array() };
    });
  }

  /**
   * The first row of a revision, or of the next one that has any; one after the last row if none has.
   *
   * @param lastRow the newest row @param lastRevision its revision
   */
  firstRowOf(
    revision: number,
    { lastRow, lastRevision }: { readonly lastRow: number; readonly lastRevision: number },
  ): number {
    if (revision > lastRevision) return lastRow + 1;
    // Revisions begin with 2, and each has made one row or more.
    let low = Math.max(1, revision - 1);
    let high = Math.max(low, lastRow - (lastRevision - revision));
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#revisionFrom(middle) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The revision of the first row from `row` on. */
  #revisionFrom(row: number): number {
    return this.#guard.expect('read', () => this.#selectRevision.get(row) ?? Infinity);
  }

  #checkRow(tuple: RowTuple): HistoryRow {
    const [row, revision, sub, createRevision, version, flags, leaseHigh, leaseLow, ofHead, key, checksum, value] =
      tuple;
    const lease = joinHalves(leaseHigh, leaseLow);
    const found: HistoryRow = { row, revision, sub, createRevision, version, flags, lease, key, value };
    if (headChecksum(found, key) !== ofHead) throw this.#failsChecksum(row);
    if (rowChecksum(ofHead, value) !== checksum) throw this.#failsChecksum(row);
    return found;
  }

  #failsChecksum(row: number): Error {
    return this.#guard.damaged(`row ${String(row)} fails its checksum`);
  }
}

function raw<Parameters extends unknown[], Tuple>(
  db: Database.Database,
  sql: string,
): Database.Statement<Parameters, Tuple> {
  return db.prepare<Parameters, Tuple>(sql).raw(true);
}
