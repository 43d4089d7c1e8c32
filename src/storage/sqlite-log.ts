/** The log in SQLite, synchronous: what the storage worker does. One thread, one connection. */
import { assert } from '../base/assert';
import type { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import {
  decodeConfiguration,
  type ConfigurationAt,
  type Entry,
  type HardState,
  type MemberId,
  type SnapshotDescription,
} from '../raft';
import { checksumOfCovered, kindOfCode, type Group, type LogRecord } from './entry-codec';
import { checkDurable, explained, openConnection, type Connection, type Synchronous } from './sqlite-connection';
import { beginRun, condemnDisk, readPeers, writePeer } from './sqlite-incarnation';
import {
  chainSeed,
  checkIdentity,
  damagedFact,
  hardStateChecksum,
  hexId,
  logStartValues,
  readHardState,
  readLogStart,
  type ChainPosition,
  type StoredStart,
} from './sqlite-log-facts';
import { ChainChecker, entryColumns, scanLog, type EntryRow, type ScannedLog } from './sqlite-log-scan';
import { checkIsLog, migrate, migrations, type Migration } from './sqlite-schema';
import type { EntryRange, Identity, LoadedLog } from './storage';

/** Bytes in the write-ahead log from which on they are moved into the database; SQLite's own default. */
const checkpointBytes = 4 * 1024 * 1024;

/** A stored record on its way to the main thread. */
export type StoredRecord = Omit<LogRecord, 'covered'>;

export interface SqliteLogOptions {
  readonly path: string;
  readonly identity: Identity;
  readonly synchronous: Synchronous;
  /** The shapes of the database; others than the real ones in tests only. */
  readonly migrations?: readonly Migration[];
}

/** What was found at opening, except for the entries. */
export interface FoundLog extends Omit<LoadedLog, 'tail'> {
  /** Versions of the schema that opening brought the database to, ascending. */
  readonly migrated: readonly number[];
}

/**
 * An open log. After any method has thrown a QuorateError `damaged`, nothing may be called any more: the transaction
 * is left as it is, and a failed sync is never tried again.
 */
export class SqliteLog {
  readonly found: FoundLog;
  readonly #connection: Connection;
  readonly #statements: Statements;
  readonly #identity: Identity;
  readonly #pageBytes: number;
  /** The newest entry that the log no longer holds. */
  #start: StoredStart;
  /** The configuration entries that the log holds, in order. */
  #configurationEntries: readonly Entry[];
  #hardState: HardState;
  #lastIndex: number;
  /** Checksum of the last entry, or the one in `#start` when the log is empty. */
  #lastChecksum: number;
  #writeNumber: number;

  /** @throws QuorateError `refused-to-start`, `damaged` */
  constructor(options: SqliteLogOptions) {
    this.#connection = openConnection(options.path, options.synchronous);
    try {
      const opened = explained(options.path, () => check(this.#connection, options));
      this.found = opened.found;
      this.#identity = options.identity;
      this.#hardState = opened.found.hardState;
      this.#configurationEntries = opened.found.configurationEntries;
      this.#start = opened.start;
      this.#lastIndex = opened.scanned.lastIndex;
      this.#lastChecksum = opened.scanned.lastChecksum;
      this.#writeNumber = opened.writeNumber;
      this.#statements = prepare(this.#connection);
      this.#pageBytes = Number(this.#connection.pragma('page_size', { simple: true }));
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** Number of the newest group in the database: grows with every write that changes something. */
  get writeNumber(): number {
    return this.#writeNumber;
  }

  /** Makes a group durable: one transaction, whatever it holds. */
  write(group: Group): void {
    const statements = this.#statements;
    const writeNumber = this.#writeNumber + 1;
    let changes = false;
    statements.begin.run();
    if (group.snapshot !== undefined) this.#replaceLog(group.snapshot);
    for (const record of group.records) {
      this.#append(record, writeNumber);
      changes = true;
    }
    // A snapshot leaves no entry that could tell the number of this group; the hard state always can.
    if (group.hardState !== undefined || group.snapshot !== undefined) {
      this.#writeHardState(group.hardState ?? this.#hardState, writeNumber);
      changes = true;
    }
    statements.commit.run();
    if (changes) this.#writeNumber = writeNumber;
  }

  /**
   * Reads entries in order, each checked; fewer than asked for if they would exceed `maxBytes`, but at least one.
   *
   * @returns `undefined` when the range is not held
   * @throws QuorateError `damaged`
   */
  read({ firstIndex, lastIndex, maxBytes }: EntryRange): readonly StoredRecord[] | undefined {
    assert(firstIndex <= lastIndex, 'a range holds at least one entry');
    if (firstIndex <= this.#start.index || lastIndex > this.#lastIndex) return undefined;
    const checker = new ChainChecker(this.#connection, this.#positionOf(firstIndex - 1));
    const records: StoredRecord[] = [];
    let bytes = 0;
    for (const row of this.#statements.selectRange.iterate(firstIndex, lastIndex)) {
      bytes += row[3].byteLength;
      if (bytes > maxBytes && records.length > 0) break;
      records.push(checker.check(row));
    }
    if (records.length === 0 || (bytes <= maxBytes && checker.last.index !== lastIndex)) {
      throw this.#damaged(`entry ${checker.last.index + 1} is missing`);
    }
    return records;
  }

  /** The newest entries in order, at most `maxBytes` of payload, but at least the last one. */
  readTail(maxBytes: number): readonly StoredRecord[] {
    const records: StoredRecord[] = [];
    let bytes = 0;
    for (const [index, term, kindCode, payload] of this.#statements.selectNewest.iterate()) {
      bytes += payload.byteLength;
      if (bytes > maxBytes && records.length > 0) break;
      records.push({ index, term, kindCode, payload });
    }
    return records.reverse();
  }

  /**
   * Removes up to `maxRows` entries from the front, none above `index`, in one transaction.
   *
   * @returns whether everything up to `index` is gone
   */
  truncatePrefix(index: number, maxRows: number): boolean {
    assert(index <= this.#lastIndex, 'only entries that are held are removed from the front');
    if (index <= this.#start.index) return true;
    const position = this.#positionOf(Math.min(index, this.#start.index + maxRows));
    const configuration = this.#configurationAt(position.index);
    this.#statements.begin.run();
    const { changes } = this.#statements.deleteTo.run(position.index);
    assert(changes === position.index - this.#start.index, 'exactly the entries of the prefix are removed');
    this.#beginAfter({ ...position, configuration });
    // With the last entry goes the number of the newest group, unless the hard state has it.
    if (position.index === this.#lastIndex) this.#writeHardState(this.#hardState, this.#writeNumber);
    this.#statements.commit.run();
    return position.index === index;
  }

  /** Remembers what a peer is known by. A commit of its own: it is rare. */
  notePeer(peer: MemberId, incarnation: Incarnation): void {
    writePeer(this.#connection, peer, incarnation);
  }

  /** Has every later opening refused. */
  condemn(): void {
    condemnDisk(this.#connection);
  }

  /**
   * Moves the write-ahead log into the database when it has grown. Outside of `write`, so that no caller waits for it,
   * and on our own account, so that an I/O error comes out: the automatic checkpoint would hide it.
   */
  checkpointIfDue(): void {
    const pages = this.#statements.pagesInWal.get();
    assert(pages !== undefined, 'a checkpoint reports its pages');
    if ((pages.log - pages.checkpointed) * this.#pageBytes >= checkpointBytes) this.#statements.checkpoint.get();
  }

  /** Moves the write-ahead log into the database and releases the file. */
  close(): void {
    this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    this.#connection.close();
  }

  /** Inside a transaction: removes every entry; the log begins after the snapshot. */
  #replaceLog({ last, configuration }: SnapshotDescription): void {
    assert(last.index >= this.#start.index, 'a log never begins earlier than before');
    // Without a condition SQLite frees whole pages: 0.1 s for 200 MB, where row by row it takes four times as long.
    this.#statements.deleteAll.run();
    const checksum = chainSeed(this.#identity, last);
    this.#beginAfter({ ...last, checksum, configuration });
    this.#lastIndex = last.index;
    this.#lastChecksum = checksum;
  }

  /** Inside a transaction: writes the place before the first entry. */
  #beginAfter(start: StoredStart): void {
    const { changes } = this.#statements.updateLogStart.run(...logStartValues(start));
    assert(changes === 1, 'a log has one start');
    this.#start = start;
    this.#configurationEntries = this.#configurationEntries.filter(({ index }) => index > start.index);
  }

  /** The configuration in force at `index`, of the entries that are held. */
  #configurationAt(index: number): ConfigurationAt {
    const entry = this.#configurationEntries.findLast((one) => one.index <= index);
    if (entry === undefined) return this.#start.configuration;
    const decoded = decodeConfiguration(entry.payload);
    assert(decoded !== undefined, 'a configuration entry that becomes the beginning can be read');
    return { index: entry.index, ...decoded };
  }

  #append(record: LogRecord, writeNumber: number): void {
    if (record.index <= this.#lastIndex) this.#truncateSuffix(record.index);
    assert(record.index === this.#lastIndex + 1, 'an appended entry follows the last one');
    const { index, term, kindCode, payload, covered } = record;
    const checksum = checksumOfCovered(covered, this.#lastChecksum);
    this.#statements.insertEntry.run(index, term, kindCode, payload, checksum, writeNumber);
    this.#lastIndex = index;
    this.#lastChecksum = checksum;
    const kind = kindOfCode(kindCode);
    if (kind === 'configuration') {
      this.#configurationEntries = [
        ...this.#configurationEntries,
        { index, term, kind, payload: Buffer.from(payload) },
      ];
    }
  }

  #truncateSuffix(fromIndex: number): void {
    assert(fromIndex > this.#start.index, 'an entry removed from the front is never replaced');
    const { changes } = this.#statements.deleteFrom.run(fromIndex);
    assert(changes === this.#lastIndex - fromIndex + 1, 'exactly the entries of the suffix are removed');
    this.#lastIndex = fromIndex - 1;
    this.#configurationEntries = this.#configurationEntries.filter((entry) => entry.index < fromIndex);
    this.#lastChecksum = this.#positionOf(fromIndex - 1).checksum;
  }

  #writeHardState(hardState: HardState, writeNumber: number): void {
    const vote = hardState.votedFor === undefined ? null : hexId(hardState.votedFor);
    const checksum = hardStateChecksum({ hardState, writeNumber });
    const { changes } = this.#statements.updateHardState.run(hardState.term, vote, writeNumber, checksum);
    assert(changes === 1, 'there is one hard state');
    this.#hardState = hardState;
  }

  #positionOf(index: number): ChainPosition {
    if (index === this.#start.index) return this.#start;
    const row = this.#statements.selectPosition.get(index);
    if (row === undefined) throw this.#damaged(`entry ${index} is missing`);
    return { index, term: row[0], checksum: row[1] };
  }

  #damaged(what: string): QuorateError {
    return damagedFact(this.#connection, what);
  }
}

interface CheckedLog {
  readonly found: FoundLog;
  readonly start: StoredStart;
  readonly scanned: ScannedLog;
  readonly writeNumber: number;
}

function check(connection: Connection, options: SqliteLogOptions): CheckedLog {
  checkIsLog(connection);
  const migrated = migrate(connection, options.migrations ?? migrations);
  checkIdentity(connection, options.identity);
  const { hardState, writeNumber } = readHardState(connection);
  const start = readLogStart(connection);
  const scanned = scanLog(connection, start);
  const lastTerm = scanned.termRuns.at(-1)?.term ?? start.term;
  if (hardState.term < lastTerm) {
    throw damagedFact(connection, `its term ${hardState.term} is older than its last entry's, ${lastTerm}`);
  }
  // Once more, now that the database is in use: SQLite may change its mind when it first reads a schema.
  checkDurable(connection, options.path, options.synchronous);
  return {
    found: {
      hardState,
      configuration: start.configuration,
      configurationEntries: scanned.configurationEntries,
      firstIndex: start.index + 1,
      lastIndex: scanned.lastIndex,
      termBeforeFirst: start.term,
      termRuns: scanned.termRuns,
      migrated,
      peerIncarnations: readPeers(connection),
      // Last, and only when all else is well: what is refused has not lived.
      incarnation: beginRun(connection),
    },
    start,
    scanned,
    writeNumber: Math.max(writeNumber, scanned.writeNumber),
  };
}

type Statements = ReturnType<typeof prepare>;

function prepare(connection: Connection) {
  return {
    begin: connection.prepare('BEGIN IMMEDIATE'),
    commit: connection.prepare('COMMIT'),
    insertEntry: connection.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)'),
    deleteFrom: connection.prepare('DELETE FROM entry WHERE entry_index >= ?'),
    deleteAll: connection.prepare('DELETE FROM entry'),
    deleteTo: connection.prepare('DELETE FROM entry WHERE entry_index <= ?'),
    updateHardState: connection.prepare(
      'UPDATE hard_state SET term = ?, voted_for = ?, write_number = ?, checksum = ?',
    ),
    updateLogStart: connection.prepare(
      'UPDATE log_start SET last_removed_index = ?, last_removed_term = ?, last_removed_checksum = ?, ' +
        'configuration_index = ?, configuration = ?, checksum = ?',
    ),
    selectPosition: connection
      .prepare<[number], readonly [number, number]>('SELECT term, checksum FROM entry WHERE entry_index = ?')
      .raw(),
    selectRange: connection
      .prepare<[number, number], EntryRow>(
        `SELECT ${entryColumns} FROM entry WHERE entry_index BETWEEN ? AND ? ORDER BY entry_index`,
      )
      .raw(),
    selectNewest: connection.prepare<[], EntryRow>(`SELECT ${entryColumns} FROM entry ORDER BY entry_index DESC`).raw(),
    pagesInWal: connection.prepare<[], { readonly log: number; readonly checkpointed: number }>(
      'PRAGMA wal_checkpoint(NOOP)',
    ),
    checkpoint: connection.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
  };
}
