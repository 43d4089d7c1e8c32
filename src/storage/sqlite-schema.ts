/** The tables of raft.db, and how a database of an earlier shape is brought forward. */
import { QuorateError } from '../base/error';
import { assert } from '../base/assert';
import { damagedAdvice, type Connection } from './sqlite-connection';
import { moveConfiguration } from './sqlite-migration-2';
import { addIncarnations } from './sqlite-migration-3';

/** Marks a file as a quorate log ("qrtl"), so that any other SQLite database is refused by name. */
export const applicationId = 0x7172746c;

/** One step from the shape `version - 1` to the shape `version`. Never changed once released. */
export interface Migration {
  readonly version: number;
  readonly description: string;
  /** Runs inside a transaction that also records the new version. */
  readonly apply: (connection: Connection) => void;
}

/** All shapes there ever were. A new one is added at the end, with a fixture of the one before under test/fixtures. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    description: 'entries, hard state, identity',
    // Plain rowid tables: WITHOUT ROWID was measured 14 to 30 % slower.
    // Ids are 16 hexadecimal digits: SQLite has no unsigned 64-bit numbers, and people can read these.
    // write_number counts the groups written. A group touches the hard state or the last entry, so the largest of both
    // is the number of the newest group, without a page of its own to write.
    apply: (connection) =>
      connection.exec(`
        CREATE TABLE identity (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          cluster_id TEXT NOT NULL, member_id TEXT NOT NULL,
          voters TEXT NOT NULL, outgoing TEXT NOT NULL, learners TEXT NOT NULL,
          checksum INTEGER NOT NULL
        );
        CREATE TABLE hard_state (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          term INTEGER NOT NULL, voted_for TEXT,
          write_number INTEGER NOT NULL, checksum INTEGER NOT NULL
        );
        CREATE TABLE log_start (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          last_removed_index INTEGER NOT NULL, last_removed_term INTEGER NOT NULL,
          last_removed_checksum INTEGER NOT NULL, checksum INTEGER NOT NULL
        );
        CREATE TABLE entry (
          entry_index INTEGER PRIMARY KEY,
          term INTEGER NOT NULL, kind INTEGER NOT NULL, payload BLOB NOT NULL,
          checksum INTEGER NOT NULL, write_number INTEGER NOT NULL
        );
      `),
  },
  {
    version: 2,
    description: 'the configuration at the beginning of the log',
    // As encodeConfiguration makes it: the first one stood in the identity, in another form and without a context.
    apply: moveConfiguration,
  },
  {
    version: 3,
    description: 'the incarnations of this disk and of the peers',
    apply: addIncarnations,
  },
];

/** The newest shape in `list`. */
function newestVersion(list: readonly Migration[]): number {
  return list.at(-1)?.version ?? 0;
}

/**
 * Brings a database to the newest shape, one transaction per step: a crash in between leaves a shape that has a number.
 *
 * @returns the versions that were applied, ascending; empty when there was nothing to do
 * @throws QuorateError `refused-to-start` for a database that a newer program wrote
 */
export function migrate(connection: Connection, list: readonly Migration[] = migrations): readonly number[] {
  list.forEach((step, position) => {
    assert(step.version === position + 1, 'migrations are numbered 1, 2, 3 without a gap');
  });
  const found = schemaVersion(connection);
  if (found > newestVersion(list)) throw newerSchema(connection.name, found, newestVersion(list));
  const missing = list.slice(found);
  for (const step of missing) {
    connection
      .transaction(() => {
        step.apply(connection);
        connection.pragma(`user_version = ${step.version}`);
      })
      .immediate();
  }
  assert(schemaVersion(connection) === newestVersion(list), 'after migration the shape is the newest');
  return missing.map((step) => step.version);
}

/**
 * Checks that a file is a quorate log with a shape at all.
 *
 * @throws QuorateError `damaged`
 */
export function checkIsLog(connection: Connection): void {
  if (connection.pragma('application_id', { simple: true }) === applicationId && schemaVersion(connection) > 0) return;
  throw new QuorateError('damaged', `${connection.name} is a SQLite database, but not a quorate log. ${damagedAdvice}`);
}

/** The shape a database has; 0 for a new one. */
function schemaVersion(connection: Connection): number {
  const version = connection.pragma('user_version', { simple: true });
  assert(typeof version === 'number', 'user_version is a number');
  return version;
}

function newerSchema(path: string, found: number, known: number): QuorateError {
  return new QuorateError(
    'refused-to-start',
    `${path} has the schema version ${found}, and this program knows versions up to ${known}. ` +
      'Start the newer quorate that wrote it; going back is not possible.',
    { details: { actual: String(found), limit: String(known) } },
  );
}
