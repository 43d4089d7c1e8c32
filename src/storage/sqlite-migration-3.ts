/** The step of raft.db from schema version 2 to 3: a disk has an identity of its own, and remembers those of the peers. */
import { checksumOfFacts } from './entry-codec';
import type { Connection } from './sqlite-connection';
import { randomId } from './sqlite-incarnation';

/** A log made by an earlier program gets its disk's identity now: no peer has heard of another. */
export function addIncarnations(connection: Connection): void {
  connection.exec(`
    CREATE TABLE incarnation (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      disk TEXT NOT NULL, boots INTEGER NOT NULL, run TEXT NOT NULL,
      is_condemned INTEGER NOT NULL, checksum INTEGER NOT NULL
    );
    CREATE TABLE peer_incarnation (
      member_id TEXT PRIMARY KEY,
      disk TEXT NOT NULL, boots INTEGER NOT NULL, run TEXT NOT NULL,
      checksum INTEGER NOT NULL
    );
  `);
  const facts = [randomId(), 0, randomId(), 0];
  const checksum = checksumOfFacts('incarnation', facts);
  connection.prepare('INSERT INTO incarnation VALUES (1, ?, ?, ?, ?, ?)').run(...facts, checksum);
}
