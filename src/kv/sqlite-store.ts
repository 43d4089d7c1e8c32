/** The state machine's rows in SQLite: state.db, or a database in memory. Knows rows and counters, not commands. */
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { LogPosition } from '../raft';
import { notAsOffered, positionName, snapshotFailed } from './snapshot-failure';
import { expectSqlite, isSqliteError, SqliteGuard } from './sqlite-guard';
import { HistoryRows } from './sqlite-history';
import { formatClusterId, insertFirstMeta, MetaRow, type MetaFacts } from './sqlite-meta';
import { migrate, wantIncrementalVacuum } from './sqlite-schema';
import { SmallTables } from './sqlite-tables';
import { vacuumPages, type Vacuumed } from './sqlite-vacuum';

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

// The state's worker may hold the lock for as long as the disk takes to sync; waiting is right, failing would not be.
export const busyTimeoutMs = 60_000;
/** Of SQLite's file format: the change counter, the counter for which the size is valid, the number of the version. */
const volatileHeaderOffsets = [24, 92, 96];

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
  readonly loaded: MetaFacts;
  readonly history: HistoryRows;
  readonly tables: SmallTables;
  readonly #db: Database.Database;
  readonly #guard: SqliteGuard;
  readonly #clusterId: string;
  readonly #meta: MetaRow;
  readonly #readTogether: Database.Transaction<(work: () => unknown) => unknown>;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  /** The counters that go with the rows written since the last commit. */
  #uncommitted: MetaFacts | undefined;

  constructor(db: Database.Database, options: SqliteStoreOptions) {
    this.#db = db;
    this.#guard = new SqliteGuard(options.path);
    this.#clusterId = formatClusterId(options.clusterId);
    this.#meta = new MetaRow(db);
    this.history = new HistoryRows(db, this.#guard);
    this.tables = new SmallTables(db, this.#guard);
    this.#readTogether = db.transaction((work) => work());
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.loaded = this.#load();
  }

  /**
   * Runs `work`, which changes rows; the counters it returns go with them. Everything written since the last `commit` is
   * one transaction: all of it happens, or none. When something throws, none of it does, and nothing may be written any more.
   */
  write(work: () => MetaFacts): void {
    this.#orNothing(() => {
      if (!this.#db.inTransaction) this.#begin.run();
      this.#uncommitted = work();
    });
  }

  /** Shows what was written to other connections. It is not durable yet (architecture §1.3). */
  commit(): void {
    const facts = this.#uncommitted;
    if (facts === undefined) return;
    this.#orNothing(() => {
      this.#meta.write(this.#clusterId, facts);
      this.#commit.run();
      this.#uncommitted = undefined;
    });
  }

  /** Runs several reads as one transaction of SQLite, which makes each of them cheaper. */
  readTogether<T>(work: () => T): T {
    return this.#guard.expect('read', () =>
      this.#db.inTransaction ? work() : (this.#readTogether.deferred(work) as T),
    );
  }

  /** For rows of this store that were read elsewhere. */
  get guard(): SqliteGuard {
    return this.#guard;
  }

  /** The counters as they are in the database now. */
  readFacts(): MetaFacts {
    assert(this.#uncommitted === undefined, 'counters are read when they are committed');
    return this.#guard.expect('read', () => this.#load());
  }

  /** Checks the structure of the whole database, as far as SQLite can without reading every index twice. */
  checkPages(): void {
    this.#guard.expect('read', () => {
      const answer = this.#db.pragma('quick_check(1)', { simple: true });
      if (answer !== 'ok') throw this.#guard.damaged(String(answer));
    });
  }

  /** A store in memory as bytes: equal content, made in the same order, gives equal bytes. */
  serialize(): Buffer {
    assert(
      this.#db.memory && !this.#db.inTransaction,
      'only a store in memory is serialized, and only what is committed',
    );
    const image = this.#db.serialize();
    // The header counts changes, and names the version of SQLite: both depend on how it came about.
    for (const offset of volatileHeaderOffsets) image.writeUInt32BE(0, offset);
    return image;
  }

  /** Bytes on disk, or in memory, all files together. */
  sizeBytes(): number {
    if (this.#db.memory) return this.#pragma('page_count') * this.#pragma('page_size');
    return ['', '-wal', '-shm'].reduce(
      (sum, suffix) => sum + (statSync(this.#guard.path + suffix, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  /** Bytes of the pages that hold something, wherever they are now. */
  sizeInUseBytes(): number {
    return this.#guard.expect('read', () => {
      return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
    });
  }

  /** Gives back at most `pages` free pages. */
  vacuum(pages: number): Vacuumed {
    return this.#guard.expect('written', () => vacuumPages(this.#db, pages));
  }

  /** What was not committed is not kept. */
  close(): void {
    this.#db.close();
  }

  /** Does `work`, or undoes it and all that was not committed before it. */
  #orNothing(work: () => void): void {
    this.#guard.expect('written', () => {
      try {
        work();
      } catch (error) {
        this.#uncommitted = undefined;
        // After some failures SQLite has done so itself.
        if (this.#db.inTransaction) this.#rollback.run();
        throw error;
      }
    });
  }

  #pragma(name: string): number {
    return Number(this.#db.pragma(name, { simple: true }));
  }

  #load(): MetaFacts {
    const meta = this.#meta.read();
    if (meta === undefined) return this.#firstFacts();
    if (meta.clusterId === this.#clusterId) return meta.facts;
    throw new QuorateError(
      'refused-to-start',
      `${this.#guard.path} belongs to cluster ${meta.clusterId}, and this member to cluster ${this.#clusterId}. ` +
        'Correct --cluster-name, --initial-members or --data-dir',
    );
  }

  #firstFacts(): MetaFacts {
    if (this.history.headsAfter(0, 1).count > 0) throw this.#guard.damaged('its counters are missing');
    return insertFirstMeta(this.#db, this.#clusterId);
  }
}

/** Sets what must hold of every connection, and reads it back: a default of the library may differ. */
function configure(db: Database.Database): void {
  wantIncrementalVacuum(db);
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
