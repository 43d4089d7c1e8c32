/** Reads a stored log from its first entry to its last and checks that it is whole. */
import { assert } from '../base/assert';
import type { Entry, TermRun } from '../raft';
import { checksumOf, kindOfCode, type LogRecord } from './entry-codec';
import type { Connection } from './sqlite-connection';
import { damagedFact, type ChainPosition } from './sqlite-log-facts';

/** What a scan tells. */
export interface ScannedLog {
  readonly lastIndex: number;
  /** Checksum of the last entry: the next one's starts from it. */
  readonly lastChecksum: number;
  readonly termRuns: readonly TermRun[];
  readonly configurationEntries: readonly Entry[];
  /** Number of the group that wrote the last entry; 0 when the log is empty. */
  readonly writeNumber: number;
}

/** Columns of an entry: index, term, kind, payload, checksum. Rows as arrays cost half of rows as objects. */
export type EntryRow = readonly [number, number, number, Buffer, number];
export const entryColumns = 'entry_index, term, kind, payload, checksum';

/**
 * Walks over all entries.
 *
 * A record that fails is never cut off, not even at the end: it may be committed, and SQLite's own log has already
 * dropped what was torn (architecture §1.5).
 *
 * @throws QuorateError `damaged` for a gap, a wrong checksum, a term that falls or an unknown kind
 */
export function scanLog(connection: Connection, start: ChainPosition): ScannedLog {
  const rows = connection
    .prepare<[], EntryRow>(`SELECT ${entryColumns} FROM entry ORDER BY entry_index`)
    .raw()
    .iterate();
  const checker = new ChainChecker(connection, start);
  const termRuns: TermRun[] = [];
  const configurationEntries: Entry[] = [];
  for (const row of rows) {
    const { index, term, kindCode, payload } = checker.check(row);
    if (termRuns.at(-1)?.term !== term) termRuns.push({ firstIndex: index, term });
    const kind = kindOfCode(kindCode);
    if (kind === 'configuration') configurationEntries.push({ index, term, kind, payload });
  }
  const { index: lastIndex, checksum: lastChecksum } = checker.last;
  return { lastIndex, lastChecksum, termRuns, configurationEntries, writeNumber: writeNumberOf(connection, lastIndex) };
}

/** Checks entries one after the other, each against its predecessor. */
export class ChainChecker {
  readonly #connection: Connection;
  #last: ChainPosition;

  /** @param before the entry before the first one to check */
  constructor(connection: Connection, before: ChainPosition) {
    this.#connection = connection;
    this.#last = before;
  }

  /** The entry checked last. */
  get last(): ChainPosition {
    return this.#last;
  }

  /** @throws QuorateError `damaged` */
  check(row: EntryRow): Omit<LogRecord, 'covered'> {
    const [index, term, kindCode, payload, checksum] = row;
    const previous = this.#last;
    if (index !== previous.index + 1) {
      throw this.#damaged(`entry ${previous.index + 1} is missing, the next one found is ${index}`);
    }
    if (!isStorable(row)) throw this.#damaged(`entry ${index} has impossible values`);
    const record = { index, term, kindCode, payload };
    if (checksumOf(record, previous.checksum) !== checksum) {
      throw this.#damaged(`entry ${index} fails its checksum`);
    }
    if (term < previous.term) throw this.#damaged(`entry ${index} has a lower term than the one before it`);
    if (kindOfCode(kindCode) === undefined) {
      throw this.#damaged(`entry ${index} is of the kind ${kindCode}, which this program does not know`);
    }
    this.#last = { index, term, checksum };
    return record;
  }

  #damaged(what: string): Error {
    return damagedFact(this.#connection, what);
  }
}

/** SQLite lets a column hold anything, so a damaged row may hold any type. */
function isStorable([index, term, kindCode, payload]: EntryRow): boolean {
  const numbers: readonly unknown[] = [index, term, kindCode];
  const content: unknown = payload;
  return numbers.every((value) => Number.isSafeInteger(value) && Number(value) >= 0) && Buffer.isBuffer(content);
}

function writeNumberOf(connection: Connection, index: number): number {
  const found = connection.prepare('SELECT write_number FROM entry WHERE entry_index = ?').pluck().get(index);
  const writeNumber = found ?? 0;
  assert(typeof writeNumber === 'number', 'write_number is a number');
  return writeNumber;
}
