/** The first schema of state.db: one history of puts and deletes. Never changed: old files have it. */
import type { Database } from 'better-sqlite3';

export function createFirstSchema(db: Database): void {
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
