/** The small tables of the state database: leases, remembered requests, alarms. */
import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { required } from '../base/assert';
import { joinHalves, numbersChecksum } from './history-row';
import type { Alarm, LeaseInfo } from './result';
import type { SqliteGuard } from './sqlite-guard';

/** A request as it is stored. */
export interface RequestRow {
  readonly id: Uint8Array;
  /** The store's clock when it was done. */
  readonly at: number;
  readonly commandHash: Uint8Array;
  readonly result: Uint8Array;
}

/** What of a request is kept in memory. */
export interface RequestHead {
  readonly id: Uint8Array;
  readonly at: number;
  readonly resultBytes: number;
}

type LeaseTuple = [
  ...[high: number, low: number, ttl: number, renewals: number, renewedAt: number, grantIndex: number],
  checksum: number,
];
type RequestTuple = [at: number, commandHash: Buffer, checksum: number, result: Buffer];
type RequestHeadTuple = [id: Buffer, at: number, resultBytes: number];
type AlarmTuple = [alarm: Alarm['alarm'], memberId: string, checksum: number];

/** Rows read at a time. */
const pageRows = 1000;

/** Every method throws QuorateError `damaged` when SQLite or a checksum says so. Changes only within a transaction. */
export class SmallTables {
  readonly #db: Database.Database;
  readonly #guard: SqliteGuard;
  readonly #putLease: Database.Statement;
  readonly #removeLease: Database.Statement;
  readonly #insertRequest: Database.Statement;
  readonly #removeRequests: Database.Statement;
  readonly #selectRequest: Database.Statement<[Uint8Array], RequestTuple>;

  constructor(db: Database.Database, guard: SqliteGuard) {
    this.#db = db;
    this.#guard = guard;
    this.#putLease = db.prepare('INSERT OR REPLACE INTO lease_rows VALUES (?, ?, ?, ?, ?, ?)');
    this.#removeLease = db.prepare('DELETE FROM lease_rows WHERE id = ?');
    this.#insertRequest = db.prepare('INSERT INTO request_rows VALUES (?, ?, ?, ?, ?)');
    this.#removeRequests = db.prepare('DELETE FROM request_rows WHERE id <= ?');
    this.#selectRequest = db
      .prepare<[Uint8Array], RequestTuple>('SELECT at, command_hash, checksum, result FROM request_rows WHERE id = ?')
      .raw(true);
  }

  putLease(lease: LeaseInfo): void {
    const { id, ttl, renewals, renewedAt, grantIndex } = lease;
    this.#putLease.run(id, ttl, renewals, renewedAt, grantIndex, leaseChecksum(lease));
  }

  removeLease(id: bigint): void {
    this.#removeLease.run(id);
  }

  /** A page at a time; checks that there are `expected`. */
  *leasePages(expected: number): Generator<readonly LeaseInfo[], void, void> {
    const select = this.#db
      .prepare<[bigint, number], LeaseTuple>(
        `SELECT id >> 32, id & 4294967295, ttl, renewals, renewed_at, grant_index, checksum
         FROM lease_rows WHERE id >= ? ORDER BY id LIMIT ?`,
      )
      .raw(true);
    let from = leastId;
    let count = 0;
    for (;;) {
      const found = this.#guard.expect('read', () =>
        select.all(from, pageRows).map((tuple) => this.#checkLease(tuple)),
      );
      // Pages overlap by one lease: there may be none above the last one's id, and the least id is one that may be given.
      const page = count > 0 ? found.slice(1) : found;
      if (page.length === 0) break;
      from = required(page.at(-1), 'a page has a last lease').id;
      count += page.length;
      yield page;
    }
    this.#checkCount('leases', count, expected);
  }

  insertRequest(request: RequestRow): void {
    const { id, at, commandHash, result } = request;
    this.#insertRequest.run(id, at, commandHash, requestChecksum(request), result);
  }

  /** Removes all up to `id`, inclusive. */
  removeRequestsUpTo(id: Uint8Array): void {
    this.#removeRequests.run(id);
  }

  /** A request that must be there. */
  readRequest(id: Uint8Array): RequestRow {
    return this.#guard.expect('read', () => {
      const tuple = this.#selectRequest.get(id);
      if (tuple === undefined) throw this.#guard.damaged('a remembered request is missing');
      const [at, commandHash, checksum, result] = tuple;
      const request = { id, at, commandHash, result };
      if (requestChecksum(request) !== checksum) throw this.#guard.damaged('a remembered request fails its checksum');
      return request;
    });
  }

  /** In the order of their ids, a page at a time; checks that there are `expected`. */
  *requestPages(expected: number): Generator<readonly RequestHead[], void, void> {
    const select = this.#db
      .prepare<[Uint8Array, number], RequestHeadTuple>(
        'SELECT id, at, length(result) FROM request_rows WHERE id > ? ORDER BY id LIMIT ?',
      )
      .raw(true);
    let last: Uint8Array = Buffer.alloc(0);
    let count = 0;
    for (;;) {
      const page = this.#guard.expect('read', () => select.all(last, pageRows));
      last = page.at(-1)?.[0] ?? last;
      count += page.length;
      if (page.length === 0) break;
      yield page.map(([id, at, resultBytes]) => ({ id, at, resultBytes }));
    }
    this.#checkCount('requests', count, expected);
  }

  putAlarm(alarm: Alarm): void {
    const { kind, member } = alarmColumns(alarm);
    this.#db.prepare('INSERT INTO alarm_rows VALUES (?, ?, ?)').run(kind, member, alarmChecksum(kind, member));
  }

  removeAlarm(alarm: Alarm): void {
    const { kind, member } = alarmColumns(alarm);
    this.#db.prepare('DELETE FROM alarm_rows WHERE alarm = ? AND member_id = ?').run(kind, member);
  }

  /** In the order of kind and member; checks that there are `expected`. */
  alarms(expected: number): readonly Alarm[] {
    return this.#guard.expect('read', () => {
      const select = 'SELECT alarm, member_id, checksum FROM alarm_rows ORDER BY alarm, member_id';
      const tuples = this.#db.prepare<[], AlarmTuple>(select).raw(true).all();
      this.#checkCount('alarms', tuples.length, expected);
      return tuples.map(([alarm, member, checksum]) => {
        if (alarmChecksum(alarm, member) !== checksum) throw this.#guard.damaged('an alarm fails its checksum');
        return { alarm, memberId: BigInt(`0x${member}`) };
      });
    });
  }

  #checkLease([high, low, ttl, renewals, renewedAt, grantIndex, checksum]: LeaseTuple): LeaseInfo {
    const lease = { id: joinHalves(high, low), ttl, renewals, renewedAt, grantIndex };
    if (leaseChecksum(lease) === checksum) return lease;
    throw this.#guard.damaged(`lease ${String(lease.id)} fails its checksum`);
  }

  #checkCount(what: string, found: number, expected: number): void {
    if (found === expected) return;
    throw this.#guard.damaged(`it has ${String(found)} ${what} of ${String(expected)}`);
  }
}

/** Ids of leases are signed. */
const leastId = -(2n ** 63n);

function leaseChecksum({ id, ttl, renewals, renewedAt, grantIndex }: LeaseInfo): number {
  return numbersChecksum([ttl, renewals, renewedAt, grantIndex], crc32(id.toString()));
}

function requestChecksum({ id, at, commandHash, result }: RequestRow): number {
  return crc32(result, crc32(commandHash, numbersChecksum([at], crc32(id))));
}

function alarmColumns({ alarm, memberId }: Alarm): { readonly kind: string; readonly member: string } {
  return { kind: alarm, member: memberId.toString(16).padStart(16, '0') };
}

function alarmChecksum(kind: string, member: string): number {
  return crc32(member, crc32(kind));
}
