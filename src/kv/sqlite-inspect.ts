/** Looks into a state database that nobody has open, and changes nothing. */
import Database from 'better-sqlite3';
import { QuorateError } from '../base/error';
import { MetaRow } from './sqlite-meta';
import { expectSqlite } from './sqlite-guard';
import { schemaVersionOf, stateSchemaVersion } from './sqlite-schema';

/** What a state database is. */
export interface InspectedState {
  readonly schemaVersion: number;
  /** `undefined` when the schema is an older one. */
  readonly contents: InspectedContents | undefined;
}

/** What it holds. */
export interface InspectedContents {
  readonly clusterId: bigint;
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly quotaBytes: number;
  /** Keys that are there. */
  readonly keys: number;
  /** Changes that are kept, deletions among them. */
  readonly versions: number;
  readonly leases: number;
  readonly requests: number;
  readonly alarms: number;
}

/**
 * Reads the facts of a state database, and checks its structure and its counters; not each value.
 *
 * @throws QuorateError `damaged`; `refused-to-start` when it is something else, or newer
 */
export function inspectState(path: string): InspectedState {
  return expectSqlite(path, 'opened', () => {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const schemaVersion = schemaVersionOf(db);
      const answer = db.pragma('quick_check(1)', { simple: true });
      if (answer !== 'ok') throw new QuorateError('damaged', `${path} is damaged: ${String(answer)}`);
      return { schemaVersion, contents: schemaVersion === stateSchemaVersion ? contentsOf(db) : undefined };
    } finally {
      db.close();
    }
  });
}

function contentsOf(db: Database.Database): InspectedContents {
  const meta = new MetaRow(db).read();
  if (meta === undefined) throw new QuorateError('damaged', `${db.name} is damaged: its counters are missing`);
  const { appliedIndex, appliedTerm, revision, compactRevision, quotaBytes, leases, requests, alarms } = meta.facts;
  return {
    clusterId: BigInt(`0x${meta.clusterId}`),
    ...{ appliedIndex, appliedTerm, revision, compactRevision, quotaBytes },
    keys: count(db, 'live'),
    versions: count(db, 'history'),
    ...{ leases, requests, alarms },
  };
}

function count(db: Database.Database, source: string): number {
  return Number(db.prepare(`SELECT count(*) FROM ${source}`).pluck().get());
}
