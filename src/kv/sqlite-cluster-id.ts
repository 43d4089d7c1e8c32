/** Whose state a file holds: read before it is opened, and changed when a new cluster begins with old data. */
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { required } from '../base/assert';
import { expectSqlite } from './sqlite-guard';
import { formatClusterId, MetaRow } from './sqlite-meta';
import { migrate } from './sqlite-schema';

/** @returns the cluster of a state database; `undefined` when there is no such file */
export function readStateCluster(path: string): bigint | undefined {
  if (!existsSync(path)) return undefined;
  return inDatabase(path, (meta) => BigInt(`0x${readMeta(meta).clusterId}`));
}

/**
 * Gives the state of a stopped member to another cluster; durable on return. Does nothing if it is that one's already, or
 * there is no such file.
 *
 * @throws QuorateError `damaged`
 */
export function moveStateToCluster(path: string, clusterId: bigint): void {
  if (!existsSync(path)) return;
  inDatabase(path, (meta, database) => {
    database.pragma('synchronous = FULL');
    meta.write(formatClusterId(clusterId), readMeta(meta).facts);
    database.pragma('wal_checkpoint(TRUNCATE)');
  });
}

function readMeta(meta: MetaRow): NonNullable<ReturnType<MetaRow['read']>> {
  return required(meta.read(), 'a state database has counters');
}

function inDatabase<T>(path: string, work: (meta: MetaRow, database: Database.Database) => T): T {
  return expectSqlite(path, 'opened', () => {
    const database = new Database(path);
    try {
      migrate(database);
      return work(new MetaRow(database), database);
    } finally {
      database.close();
    }
  });
}
