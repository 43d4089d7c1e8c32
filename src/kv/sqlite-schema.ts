/** The tables and views of state.db, and the way from an older schema to this one. */
import type { Database } from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import { createFirstSchema } from './sqlite-schema-v1';
import { createSecondSchema } from './sqlite-schema-v2';

/** A step to the next schema version, done in one transaction. */
export type Migration = (db: Database) => void;

/** Marks the file as a quorate state database: "quor" in ASCII, in SQLite's own header field. */
const applicationId = 0x71756f72;

/** Migration n (from 0) leads from schema version n to n + 1. Published ones are never changed. */
const migrations: readonly Migration[] = [createFirstSchema, createSecondSchema];

/** The newest schema. */
export const stateSchemaVersion = migrations.length;

/** SQLite's number for pages that are given back when it is asked to. */
const incrementalVacuum = 2;

/**
 * Brings an empty or older state database to the newest schema.
 *
 * @throws QuorateError `refused-to-start` for a newer schema, or a database that is something else
 */
export function migrate(db: Database, steps: readonly Migration[] = migrations): void {
  const version = schemaVersionOf(db, steps.length);
  steps.slice(version).forEach((step, done) => {
    db.transaction(() => {
      db.pragma(`application_id = ${String(applicationId)}`);
      step(db);
      db.pragma(`user_version = ${String(version + done + 1)}`);
    }).immediate();
  });
  assert(Number(db.pragma('user_version', { simple: true })) === steps.length, 'the schema is the newest');
  if (db.pragma('auto_vacuum', { simple: true }) !== incrementalVacuum) rewriteForVacuum(db);
}

/**
 * The schema version of a state database; 0 for one that is empty.
 *
 * @throws QuorateError `refused-to-start` for a newer schema than `newest`, or a database that is something else
 */
export function schemaVersionOf(db: Database, newest = stateSchemaVersion): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  assertOurs(db, version);
  if (version <= newest) return version;
  throw new QuorateError(
    'refused-to-start',
    `${db.name} was written by a newer quorate: its schema is version ${String(version)}, and this program knows ` +
      `${String(newest)}. Start the newer program on it`,
  );
}

/** To be called before anything is written to a new database: later it takes a rewrite. */
export function wantIncrementalVacuum(db: Database): void {
  db.pragma('auto_vacuum = INCREMENTAL');
}

/** An older database has no map of its pages, which only a rewrite of the whole file gives it. Interrupted, it begins anew. */
function rewriteForVacuum(db: Database): void {
  wantIncrementalVacuum(db);
  db.exec('VACUUM');
  assert(db.pragma('auto_vacuum', { simple: true }) === incrementalVacuum, 'free pages can be given back');
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
