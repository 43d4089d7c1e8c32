/** The rows of raft.db about incarnations: this disk's own, and those that the peers were known by. Each has its checksum. */
import { randomBytes } from 'node:crypto';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import type { MemberId } from '../raft';
import { checksumOfFacts } from './entry-codec';
import { damagedAdvice, type Connection } from './sqlite-connection';
import { damagedFact, hexId } from './sqlite-log-facts';

interface StoredIncarnation {
  readonly disk: string;
  readonly boots: number;
  readonly run: string;
  readonly checksum: number;
}

interface IncarnationRow extends StoredIncarnation {
  readonly is_condemned: number;
}

interface PeerRow extends StoredIncarnation {
  readonly member_id: string;
}

/** 64 random bits, not 0, as 16 hexadecimal digits. */
export function randomId(): string {
  return hexId(randomBytes(8).readBigUInt64BE() || 1n);
}

/**
 * Begins a new life of this disk: durable on return.
 *
 * @throws QuorateError `damaged`, also for a disk that was condemned
 */
export function beginRun(connection: Connection): Incarnation {
  const row = readOwn(connection);
  if (row.is_condemned !== 0) throw condemned(connection);
  const next = { ...row, boots: row.boots + 1, run: randomId() };
  writeOwn(connection, next);
  return decoded(next);
}

/** No log will be opened on this disk any more: durable on return. */
export function condemnDisk(connection: Connection): void {
  writeOwn(connection, { ...readOwn(connection), is_condemned: 1 });
}

/** @throws QuorateError `damaged` */
export function readPeers(connection: Connection): ReadonlyMap<MemberId, Incarnation> {
  const rows = connection.prepare<[], PeerRow>('SELECT * FROM peer_incarnation').all();
  for (const row of rows) {
    const { member_id, disk, boots, run } = row;
    if (row.checksum === checksumOfFacts('peer-incarnation', [member_id, disk, boots, run])) continue;
    throw damagedFact(connection, `what is known of peer ${member_id} fails its checksum`);
  }
  return new Map(rows.map((row) => [BigInt(`0x${row.member_id}`), decoded(row)]));
}

/** Remembers what a peer is known by: durable on return. */
export function writePeer(connection: Connection, peer: MemberId, { disk, boots, run }: Incarnation): void {
  assert(boots >= 1, 'a peer that speaks has been started');
  const facts = [hexId(peer), hexId(disk), boots, hexId(run)];
  const checksum = checksumOfFacts('peer-incarnation', facts);
  connection.prepare('INSERT OR REPLACE INTO peer_incarnation VALUES (?, ?, ?, ?, ?)').run(...facts, checksum);
}

function readOwn(connection: Connection): IncarnationRow {
  const row = connection.prepare<[], IncarnationRow>('SELECT * FROM incarnation').get();
  if (row === undefined) throw damagedFact(connection, 'its incarnation is missing');
  if (row.checksum !== checksumOfFacts('incarnation', factsOf(row))) {
    throw damagedFact(connection, 'its incarnation fails its checksum');
  }
  return row;
}

function writeOwn(connection: Connection, row: IncarnationRow): void {
  const facts = factsOf(row);
  const { changes } = connection
    .prepare('UPDATE incarnation SET disk = ?, boots = ?, run = ?, is_condemned = ?, checksum = ?')
    .run(...facts, checksumOfFacts('incarnation', facts));
  assert(changes === 1, 'a disk has one incarnation');
}

function factsOf({ disk, boots, run, is_condemned }: IncarnationRow): readonly (string | number)[] {
  return [disk, boots, run, is_condemned];
}

/** Of a row whose checksum was checked. */
function decoded({ disk, boots, run }: StoredIncarnation): Incarnation {
  return { disk: BigInt(`0x${disk}`), boots, run: BigInt(`0x${run}`) };
}

function condemned(connection: Connection): QuorateError {
  return new QuorateError(
    'damaged',
    `${connection.name} must not be used any more: the other members refused it before, since they know a newer state ` +
      `of this member. ${damagedAdvice}`,
  );
}
