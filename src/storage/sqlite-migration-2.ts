/** The step of raft.db from schema version 1 to 2: the first configuration moves from the identity to the log's start. */
import { encodeConfiguration } from '../raft';
import { checksumOfFacts } from './entry-codec';
import type { Connection } from './sqlite-connection';
import { damagedFact } from './sqlite-log-facts';

interface OldIdentityRow {
  readonly cluster_id: string;
  readonly member_id: string;
  readonly voters: string;
  readonly outgoing: string;
  readonly learners: string;
  readonly checksum: number;
}

interface OldLogStartRow {
  readonly last_removed_index: number;
  readonly last_removed_term: number;
  readonly last_removed_checksum: number;
  readonly checksum: number;
}

/**
 * Checks the old rows before it writes new ones: a new checksum over damaged facts would hide the damage.
 *
 * @throws QuorateError `damaged`
 */
export function moveConfiguration(connection: Connection): void {
  const identity = connection.prepare<[], OldIdentityRow>('SELECT * FROM identity').get();
  const start = connection.prepare<[], OldLogStartRow>('SELECT * FROM log_start').get();
  // A database that is being made has no rows yet.
  const isNew = identity === undefined && start === undefined;
  const configuration = isNew ? undefined : checkedConfiguration(connection, identity, start);
  connection.exec(`
    ALTER TABLE identity DROP COLUMN voters;
    ALTER TABLE identity DROP COLUMN outgoing;
    ALTER TABLE identity DROP COLUMN learners;
    ALTER TABLE log_start RENAME TO old_log_start;
    CREATE TABLE log_start (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      last_removed_index INTEGER NOT NULL, last_removed_term INTEGER NOT NULL,
      last_removed_checksum INTEGER NOT NULL,
      configuration_index INTEGER NOT NULL, configuration BLOB NOT NULL,
      checksum INTEGER NOT NULL
    );
    DROP TABLE old_log_start;
  `);
  if (identity === undefined || start === undefined || configuration === undefined) return;
  const { cluster_id, member_id } = identity;
  connection.prepare('UPDATE identity SET checksum = ?').run(checksumOfFacts('identity', [cluster_id, member_id]));
  const position = [start.last_removed_index, start.last_removed_term, start.last_removed_checksum, 0];
  const checksum = checksumOfFacts('log-start', [...position, configuration.toString('hex')]);
  connection.prepare('INSERT INTO log_start VALUES (1, ?, ?, ?, ?, ?, ?)').run(...position, configuration, checksum);
}

function checkedConfiguration(
  connection: Connection,
  identity: OldIdentityRow | undefined,
  start: OldLogStartRow | undefined,
): Buffer {
  if (identity === undefined) throw damagedFact(connection, 'the identity is missing');
  if (start === undefined) throw damagedFact(connection, 'the start of the log is missing');
  const { cluster_id, member_id, voters, outgoing, learners } = identity;
  if (identity.checksum !== checksumOfFacts('identity', [cluster_id, member_id, voters, outgoing, learners])) {
    throw damagedFact(connection, 'the identity fails its checksum');
  }
  const position = [start.last_removed_index, start.last_removed_term, start.last_removed_checksum];
  if (start.checksum !== checksumOfFacts('log-start', position)) {
    throw damagedFact(connection, 'the start of the log fails its checksum');
  }
  const configuration = {
    voters: parseIds(voters),
    outgoing: parseIds(outgoing),
    learners: parseIds(learners),
    learnersNext: [],
    removed: [],
    autoLeave: false,
  };
  return Buffer.from(encodeConfiguration({ configuration, context: new Uint8Array(0) }));
}

/** 16 hexadecimal digits each, with commas between; ascending, as a configuration has them. */
function parseIds(text: string): readonly bigint[] {
  if (text === '') return [];
  const ids = text.split(',').map((id) => BigInt(`0x${id}`));
  return ids.sort((a, b) => (a < b ? -1 : 1));
}
