/** Whose log a directory holds: read before it is opened, and changed when a new cluster begins with old data. */
import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { assert } from '../base/assert';
import { checksumOfFacts } from './entry-codec';
import { explained, openConnection, type Connection } from './sqlite-connection';
import { logPath, refuseRemains } from './sqlite-directory';
import { checkIdentity, damagedFact, hexId } from './sqlite-log-facts';
import { lockDirectory } from './sqlite-lock';
import { checkIsLog } from './sqlite-schema';
import type { Identity } from './storage';

/**
 * Reads the identity of a directory that was used before, and changes nothing. Not yet checked against its checksum: that is
 * done when the log is opened with it.
 *
 * @returns `undefined` for a directory that is not there or was never used
 * @throws QuorateError `damaged` when there is no readable identity where one should be; `refused-to-start`
 */
export function readIdentity(directory: string): Identity | undefined {
  const path = logPath(directory);
  if (!existsSync(path)) {
    refuseRemains(directory);
    return undefined;
  }
  return explained(path, () => {
    const connection = new Database(path, { readonly: true });
    try {
      checkIsLog(connection);
      return identityIn(connection);
    } finally {
      connection.close();
    }
  });
}

/**
 * Gives the log of a stopped member to another cluster; durable on return. Its entries, term and vote stay.
 *
 * @param identity whose it must be now
 * @throws QuorateError `refused-to-start` when it is in use or another's; `damaged`
 */
export function moveLogToCluster(directory: string, identity: Identity, clusterId: bigint): void {
  const lock = lockDirectory(directory);
  try {
    explained(logPath(directory), () => {
      const connection = openConnection(logPath(directory), 'FULL');
      try {
        checkIdentity(connection, identity);
        const facts = [hexId(clusterId), hexId(identity.memberId)];
        const update = connection.prepare('UPDATE identity SET cluster_id = ?, member_id = ?, checksum = ?');
        const { changes } = update.run(...facts, checksumOfFacts('identity', facts));
        assert(changes === 1, 'a log has one identity');
        connection.pragma('wal_checkpoint(TRUNCATE)');
      } finally {
        connection.close();
      }
    });
  } finally {
    lock.release();
  }
}

function identityIn(connection: Connection): Identity {
  const row = connection
    .prepare<[], { readonly cluster_id: unknown; readonly member_id: unknown }>('SELECT * FROM identity')
    .get();
  if (row === undefined) throw damagedFact(connection, 'the identity is missing');
  return { clusterId: idOf(connection, row.cluster_id), memberId: idOf(connection, row.member_id) };
}

function idOf(connection: Connection, text: unknown): bigint {
  const id = typeof text === 'string' && /^[0-9a-f]{16}$/.test(text) ? BigInt(`0x${text}`) : 0n;
  if (id === 0n) throw damagedFact(connection, 'the identity holds no id');
  return id;
}
