/** The state machine's rows in SQLite: state.db, or a database in memory. Knows rows and counters, not commands. */
import { statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { LogPosition } from '../raft';
import { headChecksum, numbersChecksum, rowChecksum, type HistoryRow, type RowHead } from './history-row';
import { notAsOffered, positionName, snapshotFailed } from './snapshot-failure';
import { migrate } from './sqlite-schema';

/** Which database to open. */
export interface SqliteStoreOptions {
  /** The file; made if it is not there. `:memory:` for a store that lives as long as the process. */
  readonly path: string;
  /** 64 bits. A file of another cluster is refused. */
  readonly clusterId: bigint;
  /** For `:memory:`: what it holds, as `serialize` gave it. */
  readonly image?: Buffer | undefined;
  /** The file is a snapshot that nobody else has open: its journal mode stays as it is, and no other file is made. */
  readonly isSnapshot?: boolean;
}

/** The numbers that change with the rows, in the same transaction. */
export interface Counters {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly revision: number;
  /** The newest row; 0 when there is none. */
  readonly lastRow: number;
}

/** Where a value is: what the key index knows of a row. */
export type RowLocation = Omit<RowHead, 'sub'>;

/** A row's head with its key, one character a byte. */
export interface HeadAndKey {
  readonly head: RowHead;
  readonly key: string;
}

type HeadNumbers = [number, number, number, number, number, number, number];
type HeadTuple = [...numbers: HeadNumbers, keyBytes: number];
type RowTuple = [...numbers: HeadNumbers, key: Buffer, checksum: number, value: Buffer];
type ValueTuple = [sub: number, checksum: number, value: Buffer];
type MetaTuple = [clusterId: string, index: number, term: number, revision: number, lastRow: number, checksum: number];

// Measured: pages of a thousand rows are a quarter faster than SQLite's row by row iteration, in bounded memory.
const scanPageRows = 1000;
// The state's worker may hold the lock for as long as the disk takes to sync; waiting is right, failing would not be.
const busyTimeoutMs = 60_000;
/** Of SQLite's file format: the change counter, the counter for which the size is valid, the number of the version. */
const volatileHeaderOffsets = [24, 92, 96];
const headColumns = 'row, revision, sub, create_revision, version, flags, head_checksum';
const page = `WHERE row > ? ORDER BY row LIMIT ${String(scanPageRows)}`;

/**
 * Opens the store, makes its tables, or brings an older schema forward.
 *
 * @throws QuorateError `refused-to-start` when it cannot be opened, is another cluster's, newer, or something else;
 *   `damaged` when it is not readable as a database
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  return expectSqlite(options.path, 'opened', () => {
    const db = openDatabase(options.path, options.image);
    try {
      if (options.isSnapshot !== true) configure(db);
      migrate(db);
      return new SqliteStore(db, options);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * Checks that a snapshot is a whole state database of this cluster at exactly `last`, and brings an older schema forward.
 *
 * @throws QuorateError `snapshot-failed`
 */
export function checkSnapshot(options: SqliteStoreOptions, last: LogPosition): void {
  try {
    const store = openSqliteStore({ ...options, isSnapshot: true });
    try {
      store.checkPages();
      const { appliedIndex, appliedTerm } = store.loaded;
      const found = { index: appliedIndex, term: appliedTerm };
      if (positionName(found) === positionName(last)) return;
      throw notAsOffered('position', positionName(last), positionName(found));
    } finally {
      store.close();
    }
  } catch (error) {
    throw snapshotFailed('a received snapshot is unusable', error);
  }
}

/** An open store. Every method throws QuorateError `damaged` when SQLite or a checksum says so. */
export class SqliteStore {
  /** As they were at opening. */
  readonly loaded: Counters;
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #clusterId: string;
  readonly #insertRow: Database.Statement;
  readonly #updateMeta: Database.Statement;
  readonly #selectValue: Database.Statement<[number], ValueTuple>;
  readonly #selectHeads: Database.Statement<[number], HeadTuple>;
  readonly #selectKeys: Database.Statement<[number], string>;
  readonly #inTransaction: Database.Transaction<(work: () => unknown) => unknown>;

  constructor(db: Database.Database, options: SqliteStoreOptions) {
    this.#db = db;
    this.#path = options.path;
    this.#clusterId = formatClusterId(options.clusterId);
    this.#insertRow = db.prepare('INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#updateMeta = db.prepare(
      'UPDATE meta SET applied_index = ?, applied_term = ?, revision = ?, last_row = ?, checksum = ?',
    );
    this.#selectValue = db
      .prepare<[number], ValueTuple>('SELECT sub, checksum, value FROM history WHERE row = ?')
      .raw(true);
    this.#selectHeads = db
      .prepare<[number], HeadTuple>(`SELECT ${headColumns}, length(key) FROM history ${page}`)
      .raw(true);
    this.#selectKeys = db
      .prepare<[number], string>(`SELECT group_concat(hex(key), '') FROM (SELECT key FROM history ${page})`)
      .pluck(true);
    this.#inTransaction = db.transaction((work) => work());
    this.loaded = this.#loadCounters();
  }

  /**
   * Runs `work`, which inserts rows, and stores the counters it returns, in one transaction: all of it happens, or,
   * when something throws, none. Not durable on return (architecture §1.3).
   */
  write(work: () => Counters): void {
    this.#expect('written', () => {
      this.#inTransaction.immediate(() => {
        this.#storeCounters(work());
      });
    });
  }

  /** Appends a row; only within `write`. */
  insert(row: HistoryRow): void {
    assert(this.#db.inTransaction, 'rows are inserted in a transaction');
    const ofHead = headChecksum(row, row.key);
    this.#insertRow.run(
      row.row,
      row.revision,
      row.sub,
      row.createRevision,
      row.version,
      row.flags,
      ofHead,
      rowChecksum(ofHead, row.value),
      row.key,
      row.value,
    );
  }

  /** Reads the value of a row, and checks that the row is exactly the one that the caller means. */
  readValue(location: RowLocation, key: Uint8Array): Buffer {
    return this.#expect('read', () => {
      const found = this.#selectValue.get(location.row);
      if (found === undefined) throw this.#damaged(`row ${String(location.row)} is missing`);
      const [sub, checksum, value] = found;
      const { row, revision, createRevision, version, flags } = location;
      const ofHead = headChecksum({ row, revision, sub, createRevision, version, flags }, key);
      if (rowChecksum(ofHead, value) !== checksum) throw this.#damaged(`row ${String(row)} fails its checksum`);
      return value;
    });
  }

  /** Runs several reads as one transaction of SQLite, which makes each of them cheaper. */
  readTogether<T>(work: () => T): T {
    return this.#expect('read', () => this.#inTransaction.deferred(work) as T);
  }

  /**
   * Every row's head and key in ascending order, checked, a page at a time; values are not read. Checks also that no row
   * is missing, at the end or in between. The store must not change before the last page.
   */
  *headPages(): Generator<readonly HeadAndKey[], void, void> {
    let last = 0;
    for (let page = this.#headPage(0); page.length > 0; page = this.#headPage(last)) {
      last += page.length;
      yield page;
    }
    if (last !== this.readCounters().lastRow) throw this.#damaged(`its rows end at ${String(last)}`);
  }

  /** Visits every row with its value in ascending order, checked. Reads the whole database. */
  scanRows(visit: (row: HistoryRow) => void): void {
    const select = this.#db
      .prepare<[], RowTuple>(`SELECT ${headColumns}, key, checksum, value FROM history ORDER BY row`)
      .raw(true);
    this.#expect('read', () => {
      let expectedRow = 1;
      for (const tuple of select.iterate()) {
        const [, , , , , , ofHead, key, checksum, value] = tuple;
        const head = this.#checkHead(tuple, key, expectedRow++);
        if (rowChecksum(ofHead, value) !== checksum) throw this.#damaged(`row ${String(head.row)} fails its checksum`);
        visit({ ...head, key, value });
      }
    });
  }

  /** The counters as they are in the database now. */
  readCounters(): Counters {
    return this.#expect('read', () => this.#loadCounters());
  }

  /** Checks the structure of the whole database, as far as SQLite can without reading every index twice. */
  checkPages(): void {
    this.#expect('read', () => {
      const answer = this.#db.pragma('quick_check(1)', { simple: true });
      if (answer !== 'ok') throw this.#damaged(String(answer));
    });
  }

  /** A store in memory as bytes: equal content, made in the same order, gives equal bytes. */
  serialize(): Buffer {
    assert(this.#db.memory, 'only a store in memory is serialized');
    const image = this.#db.serialize();
    // The header counts changes, and names the version of SQLite: both depend on how it came about.
    for (const offset of volatileHeaderOffsets) image.writeUInt32BE(0, offset);
    return image;
  }

  /** Bytes on disk, or in memory, all files together. */
  sizeBytes(): number {
    if (this.#db.memory) {
      const pages = Number(this.#db.pragma('page_count', { simple: true }));
      return pages * Number(this.#db.pragma('page_size', { simple: true }));
    }
    return ['', '-wal', '-shm'].reduce(
      (sum, suffix) => sum + (statSync(this.#path + suffix, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  close(): void {
    this.#db.close();
  }

  #headPage(after: number): readonly HeadAndKey[] {
    return this.#expect('read', () => {
      const heads = this.#selectHeads.all(after);
      if (heads.length === 0) return [];
      // One buffer for the keys of a page: one for each key takes longer than all the rest. Should SQLite ever join them in
      // another order than it reads them, their checksums fail.
      const keys = Buffer.from(this.#selectKeys.get(after) ?? '', 'hex');
      let start = 0;
      const page = heads.map((tuple, offset) => {
        const end = start + tuple[7];
        const head = this.#checkHead(tuple, keys.subarray(start, end), after + offset + 1);
        const key = keys.toString('latin1', start, end);
        start = end;
        return { head, key };
      });
      if (start !== keys.length) throw this.#damaged(`the keys after row ${String(after)} cannot be told apart`);
      return page;
    });
  }

  #checkHead(tuple: HeadTuple | RowTuple, key: Uint8Array, expectedRow: number): RowHead {
    const [row, revision, sub, createRevision, version, flags, checksum] = tuple;
    if (row !== expectedRow) throw this.#damaged(`row ${String(expectedRow)} is missing`);
    const head = { row, revision, sub, createRevision, version, flags };
    if (headChecksum(head, key) !== checksum) throw this.#damaged(`row ${String(row)} fails its checksum`);
    return head;
  }

  #storeCounters(counters: Counters): void {
    const { appliedIndex, appliedTerm, revision, lastRow } = counters;
    const checksum = countersChecksum(this.#clusterId, counters);
    const { changes } = this.#updateMeta.run(appliedIndex, appliedTerm, revision, lastRow, checksum);
    assert(changes === 1, 'the store has one row of counters');
  }

  #loadCounters(): Counters {
    const select = 'SELECT cluster_id, applied_index, applied_term, revision, last_row, checksum FROM meta';
    const meta = this.#db.prepare<[], MetaTuple>(select).raw(true).get();
    if (meta === undefined) return this.#firstCounters();
    const [clusterId, appliedIndex, appliedTerm, revision, lastRow, checksum] = meta;
    const counters = { appliedIndex, appliedTerm, revision, lastRow };
    if (countersChecksum(clusterId, counters) !== checksum) throw this.#damaged('its counters fail their checksum');
    if (clusterId === this.#clusterId) return counters;
    throw new QuorateError(
      'refused-to-start',
      `${this.#path} belongs to cluster ${clusterId}, and this member to cluster ${this.#clusterId}. ` +
        'Correct --cluster-name, --initial-members or --data-dir',
    );
  }

  #firstCounters(): Counters {
    const first = { appliedIndex: 0, appliedTerm: 0, revision: 1, lastRow: 0 };
    if (this.#db.prepare('SELECT 1 FROM history').get() !== undefined) throw this.#damaged('its counters are missing');
    this.#db
      .prepare('INSERT INTO meta VALUES (1, ?, 0, 0, 1, 0, ?)')
      .run(this.#clusterId, countersChecksum(this.#clusterId, first));
    return first;
  }

  #damaged(what: string): QuorateError {
    return new QuorateError('damaged', `the state database ${this.#path} is damaged: ${what}`);
  }

  #expect<T>(done: string, work: () => T): T {
    return expectSqlite(this.#path, done, work);
  }
}

/** Sets what must hold of every connection, and reads it back: a default of the library may differ. */
function configure(db: Database.Database): void {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  // The automatic checkpoint waits for the disk within a commit; the worker of the state database does it beside.
  db.pragma('wal_autocheckpoint = 0');
  // What is overwritten leaves no trace, so that equal states in memory are equal bytes.
  if (db.memory) db.pragma('secure_delete = ON');
  const journal = db.pragma('journal_mode', { simple: true });
  if (journal !== (db.memory ? 'memory' : 'wal')) {
    throw new QuorateError('refused-to-start', `${db.name} does not accept the journal mode WAL`, {
      details: { limit: 'wal', actual: String(journal) },
    });
  }
  assert(db.pragma('synchronous', { simple: true }) === 1, 'synchronous is NORMAL');
}

function openDatabase(path: string, image: Buffer | undefined): Database.Database {
  try {
    return image === undefined ? new Database(path, { timeout: busyTimeoutMs }) : new Database(image);
  } catch (error) {
    // The library itself checks the directory, and throws a TypeError.
    if (isSqliteError(error)) throw error;
    throw new QuorateError('refused-to-start', `the state database ${path} could not be opened: ${String(error)}`, {
      cause: error,
    });
  }
}

/** Runs `work` and gives SQLite's errors their place among ours; all others pass unchanged. */
export function expectSqlite<T>(path: string, done: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    const refused = done === 'opened' && !/CORRUPT|NOTADB|IOERR/.test(error.code);
    const message = `the state database ${path} could not be ${done}: ${error.message} (${error.code})`;
    throw new QuorateError(refused ? 'refused-to-start' : 'damaged', message, { cause: error });
  }
}

/** By name, not by class: the addon keeps the class of whoever loaded it first, and others may load it again. */
function isSqliteError(error: unknown): error is Error & { readonly code: string } {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'SqliteError';
}

/** The checksum over the counters and whose they are. */
export function countersChecksum(clusterId: string, counters: Counters): number {
  const { appliedIndex, appliedTerm, revision, lastRow } = counters;
  return numbersChecksum([appliedIndex, appliedTerm, revision, lastRow], crc32(clusterId));
}

/** A cluster's id as the database holds it. */
export function formatClusterId(clusterId: bigint): string {
  assert(clusterId > 0n && clusterId < 2n ** 64n, 'a cluster id has 64 bits and is not 0');
  return clusterId.toString(16).padStart(16, '0');
}
