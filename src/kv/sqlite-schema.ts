/** The tables and views of state.db, and the way from an older schema to this one. */
import type { Database } from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';

/** A step to the next schema version, done in one transaction. */
export type Migration = (db: Database) => void;

/** Marks the file as a quorate state database: "quor" in ASCII, in SQLite's own header field. */
const applicationId = 0x71756f72;

/** Migration n (from 0) leads from schema version n to n + 1. Published ones are never changed. */
const migrations: readonly Migration[] = [createFirstSchema];

/**
 * Brings an empty or older state database to the newest schema.
 *
 * @throws QuorateError `refused-to-start` for a newer schema, or a database that is something else
 */
export function migrate(db: Database, steps: readonly Migration[] = migrations): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  assertOurs(db, version);
  if (version > steps.length) {
    throw new QuorateError(
      'refused-to-start',
      `${db.name} was written by a newer quorate: its schema is version ${String(version)}, and this program knows ` +
        `${String(steps.length)}. Start the newer program on it`,
    );
  }
  steps.slice(version).forEach((step, done) => {
    db.transaction(() => {
      step(db);
      db.pragma(`user_version = ${String(version + done + 1)}`);
    }).immediate();
  });
  assert(Number(db.pragma('user_version', { simple: true })) === steps.length, 'the schema is the newest');
}

function assertOurs(db: Database, version: number): void {
  const application = Number(db.pragma('application_id', { simple: true }));
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  const isNew = application === 0 && version === 0 && tables === 0;
  if (isNew || (application === applicationId && version > 0)) return;
  throw new QuorateError(
    'refused-to-start',
    `${db.name} is not a quorate state database. Move it away, or correct --data-dir`,
  );
}

function createFirstSchema(db: Database): void {
  db.pragma(`application_id = ${String(applicationId)}`);
  db.exec(tables);
  db.exec(views);
}

// The value is the last column: SQLite keeps a long one on pages of its own, which are then read only if it is asked for.
const tables = `
CREATE TABLE history (
  row INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  sub INTEGER NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  head_checksum INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  cluster_id TEXT NOT NULL,
  applied_index INTEGER NOT NULL,
  applied_term INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  last_row INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
`;

// What docs/state-database.md promises to people: text where it is text, bytes where it is not.
const shown = `
  CASE WHEN h.flags & 4 AND instr(h.key, x'00') = 0 THEN CAST(h.key AS TEXT) ELSE h.key END AS key,
  CASE WHEN h.flags & 2 AND instr(h.value, x'00') = 0 THEN CAST(h.value AS TEXT)
       WHEN h.flags & 1 THEN h.value END AS value,`;

const views = `
CREATE VIEW live AS
SELECT ${shown}
  h.create_revision AS create_revision,
  h.revision AS mod_revision,
  h.version AS version
FROM (SELECT max(row) AS row FROM history GROUP BY key) AS newest
JOIN history AS h ON h.row = newest.row
WHERE h.flags & 1
ORDER BY h.key;

CREATE VIEW changes AS
SELECT
  h.revision AS revision,
  h.sub AS sub,
  CASE WHEN h.flags & 1 THEN 'put' ELSE 'delete' END AS action,
  ${shown}
  nullif(h.create_revision, 0) AS create_revision,
  nullif(h.version, 0) AS version
FROM history AS h
ORDER BY h.row;
`;
