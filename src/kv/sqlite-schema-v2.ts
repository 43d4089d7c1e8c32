/** The second schema of state.db: leases, requests, alarms, settings, compaction. Never changed once it is released. */
import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { QuorateError } from '../base/error';
import { numbersChecksum } from './history-row';
import { insertFirstMeta, type MetaFacts } from './sqlite-meta';

type FirstMeta = [clusterId: string, index: number, term: number, revision: number, lastRow: number, checksum: number];

/** Tables end in `_rows` and are ours to change; the views are what docs/state-database.md promises. */
export function createSecondSchema(db: Database): void {
  const meta = readFirstMeta(db);
  db.exec('DROP VIEW live; DROP VIEW changes; DROP TABLE meta;');
  db.exec(tables);
  // Rows without a lease have the checksums they had.
  db.exec(`
    INSERT INTO history_rows
    SELECT row, revision, sub, create_revision, version, flags, 0, head_checksum, checksum, key, value
    FROM history ORDER BY row;
    DROP TABLE history;`);
  db.exec(views);
  if (meta !== undefined) insertFirstMeta(db, meta.clusterId, meta.facts);
}

function readFirstMeta(db: Database): { readonly clusterId: string; readonly facts: Partial<MetaFacts> } | undefined {
  const select = 'SELECT cluster_id, applied_index, applied_term, revision, last_row, checksum FROM meta';
  const row = db.prepare<[], FirstMeta>(select).raw(true).get();
  if (row === undefined) return undefined;
  const [clusterId, appliedIndex, appliedTerm, revision, lastRow, checksum] = row;
  if (numbersChecksum([appliedIndex, appliedTerm, revision, lastRow], crc32(clusterId)) !== checksum) {
    throw new QuorateError('damaged', `the state database ${db.name} is damaged: its counters fail their checksum`);
  }
  return { clusterId, facts: { appliedIndex, appliedTerm, revision, lastRow } };
}

// The value is the last column: SQLite keeps a long one on pages of its own, which are then read only if it is asked for.
const tables = `
CREATE TABLE history_rows (
  row INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  sub INTEGER NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  head_checksum INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE lease_rows (
  id INTEGER PRIMARY KEY,
  ttl INTEGER NOT NULL,
  renewals INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  grant_index INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE request_rows (
  id BLOB PRIMARY KEY,
  at INTEGER NOT NULL,
  command_hash BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  result BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm_rows (
  alarm TEXT NOT NULL,
  member_id TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (alarm, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  cluster_id TEXT NOT NULL,
  applied_index INTEGER NOT NULL,
  applied_term INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  compact_revision INTEGER NOT NULL,
  clock_ms INTEGER NOT NULL,
  quota_bytes INTEGER NOT NULL,
  last_row INTEGER NOT NULL,
  removed_rows INTEGER NOT NULL,
  swept_row INTEGER NOT NULL,
  leases INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  alarms INTEGER NOT NULL,
  forgotten_request BLOB NOT NULL,
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
  h.version AS version,
  nullif(h.lease, 0) AS lease
FROM (SELECT max(row) AS row FROM history_rows GROUP BY key) AS newest
JOIN history_rows AS h ON h.row = newest.row
WHERE h.flags & 1
ORDER BY h.key;

CREATE VIEW history AS
SELECT
  h.revision AS revision,
  h.sub AS sub,
  CASE WHEN h.flags & 1 THEN 'put' ELSE 'delete' END AS action,
  ${shown}
  nullif(h.create_revision, 0) AS create_revision,
  nullif(h.version, 0) AS version,
  nullif(h.lease, 0) AS lease
FROM history_rows AS h
WHERE h.revision >= (SELECT compact_revision FROM meta)
ORDER BY h.row;

CREATE VIEW leases AS
SELECT l.id AS id, l.ttl AS ttl_seconds, l.renewals AS renewals,
  max(0, l.ttl * 1000 - (SELECT clock_ms FROM meta) + l.renewed_at) AS remaining_ms
FROM lease_rows AS l
ORDER BY l.id;

CREATE VIEW requests AS
SELECT lower(hex(r.id)) AS request_id, r.at AS clock_ms
FROM request_rows AS r
ORDER BY r.id;

CREATE VIEW alarms AS
SELECT a.alarm AS alarm, a.member_id AS member_id
FROM alarm_rows AS a
ORDER BY a.alarm, a.member_id;
`;
