/** Whose state a file holds: read before it is opened, and changed when a new cluster begins with old data. */
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import { countersChecksum, expectSqlite, formatClusterId } from './sqlite-store';

type MetaTuple = [clusterId: string, index: number, term: number, revision: number, lastRow: number, checksum: number];

/** @returns the cluster of a state database; `undefined` when there is no such file */
export function readStateCluster(path: string): bigint | undefined {
  return existsSync(path) ? inDatabase(path, (database) => BigInt(`0x${readMeta(database)[0]}`)) : undefined;
}

/**
 * Gives the state of a stopped member to another cluster; durable on return. Does nothing if it is that one's already, or
 * there is no such file.
 *
 * @throws QuorateError `damaged`
 */
export function moveStateToCluster(path: string, clusterId: bigint): void {
  if (!existsSync(path)) return;
  inDatabase(path, (database) => {
    database.pragma('synchronous = FULL');
    const [, appliedIndex, appliedTerm, revision, lastRow] = readMeta(database);
    const counters = { appliedIndex, appliedTerm, revision, lastRow };
    const cluster = formatClusterId(clusterId);
    const update = database.prepare('UPDATE meta SET cluster_id = ?, checksum = ?');
    const { changes } = update.run(cluster, countersChecksum(cluster, counters));
    assert(changes === 1, 'the store has one row of counters');
    database.pragma('wal_checkpoint(TRUNCATE)');
  });
}

function inDatabase<T>(path: string, work: (database: Database.Database) => T): T {
  return expectSqlite(path, 'opened', () => {
    const database = new Database(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  });
}

function readMeta(database: Database.Database): MetaTuple {
  const select = 'SELECT cluster_id, applied_index, applied_term, revision, last_row, checksum FROM meta';
  const meta = database.prepare<[], MetaTuple>(select).raw(true).get();
  if (meta !== undefined) {
    const [clusterId, appliedIndex, appliedTerm, revision, lastRow, checksum] = meta;
    if (countersChecksum(clusterId, { appliedIndex, appliedTerm, revision, lastRow }) === checksum) return meta;
  }
  throw new QuorateError('damaged', `the state database ${database.name} is damaged: its counters fail their checksum`);
}
