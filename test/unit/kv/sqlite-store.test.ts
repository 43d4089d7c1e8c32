/** What is on disk: atomicity, refusals, damage, and what people can query. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { migrate } from '../../../src/kv/sqlite-schema';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, expectError, noOp, put, query } from '../../support/kv-entries';

const clusterId = 0xfedcba9876543210n;
let directory: string;
let path: string;
let machine: KvStateMachine | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-kv-'));
  path = join(directory, 'state.db');
});
afterEach(() => {
  jest.useRealTimers();
  void machine?.close();
  machine = undefined;
  rmSync(directory, { recursive: true });
});

const open = (): KvStateMachine => (machine = openKvStateMachine({ path, clusterId, commitDelayMs: 0 }));
const reopen = (): KvStateMachine => {
  void machine?.close();
  machine = undefined;
  return open();
};
/** Changes the file behind the store's back. */
const tamper = (sql: string): void => {
  void machine?.close();
  machine = undefined;
  const db = new Database(path);
  db.exec(sql);
  db.close();
};
describe('state.db', () => {
  it('holds the same state after it is opened again', () => {
    const first = open();
    first.apply(entries(1, [put('a', '1'), put('b', '2'), put('a', '3'), del('b'), del('x'), noOp]));
    const before = { hash: first.hash(), page: first.range(query()) };
    const second = reopen();
    expect(second).toMatchObject({ revision: 5, appliedIndex: 6, appliedTerm: 1 });
    expect({ hash: second.hash(), page: second.range(query()) }).toEqual(before);
    expect(second.apply(entries(7, [put('a', '4')]))).toMatchObject([{ revision: 6, createRevision: 2, version: 3 }]);
  });

  it('rebuilds an index of more rows than it reads at a time', () => {
    const keys = Array.from({ length: 2500 }, (_, i) => `key ${String(i)}`);
    open().apply(
      entries(
        1,
        keys.map((key) => put(key, key)),
      ),
    );
    expect(reopen().range(query({ limit: 5000 })).records).toHaveLength(2500);
  });

  it('applies all entries of a call or none: an exception in the middle leaves the file as it was', () => {
    const before = open();
    before.apply(entries(1, [put('a', '1')]));
    const hash = before.hash();
    const bad = { index: 4, term: 1, kind: 'command', payload: Buffer.from([2, 0, 99]) } as const;
    expectError(() => before.apply([...entries(2, [put('a', '2'), put('b', '2')]), bad]), 'damaged', 'kind 99');
    expect(reopen().hash()).toBe(hash);
    expect(machine).toMatchObject({ revision: 2, appliedIndex: 1 });
  });

  it('commits what was applied within the delay together, and within it to other connections shows nothing', async () => {
    jest.useFakeTimers();
    const store = (machine = openKvStateMachine({ path, clusterId, commitDelayMs: 50 }));
    const other = new Database(path, { readonly: true });
    const appliedIndex = (): unknown => other.prepare('SELECT applied_index FROM meta').pluck().get();
    for (let index = 1; index <= 10; index++) store.apply(entries(index, [put('a', String(index))]));
    expect(store.get(bytes('a'))?.value).toEqual(bytes('10'));
    expect(store.range(query({ revision: 4 })).records).toMatchObject([{ value: bytes('3') }]);
    jest.advanceTimersByTime(49);
    expect(appliedIndex()).toBe(0);
    jest.advanceTimersByTime(1);
    expect(appliedIndex()).toBe(10);
    jest.useRealTimers();
    store.apply(entries(11, [put('a', '11')]));
    // Whoever makes the state durable, copies it or ends commits first.
    expect(await store.checkpoint()).toBe(11);
    store.apply(entries(12, [put('a', '12')]));
    const copy = await store.takeSnapshot();
    expect(copy.last.index).toBe(12);
    await copy.release();
    store.apply(entries(13, [put('a', '13')]));
    await store.close();
    expect(appliedIndex()).toBe(13);
    other.close();
  });

  it('tells of a commit that fails later, at once, and applies nothing after it', () => {
    jest.useFakeTimers();
    open().apply(entries(1, [put('a', '1')]));
    tamper("CREATE TRIGGER full BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'disk full'); END");
    const failures: Error[] = [];
    const onFailure = (error: Error): void => void failures.push(error);
    const store = (machine = openKvStateMachine({ path, clusterId, commitDelayMs: 5, onFailure }));
    store.apply(entries(2, [put('a', '2')]));
    expect(failures).toEqual([]);
    jest.advanceTimersByTime(5);
    expect(failures).toMatchObject([{ code: 'damaged', message: expect.stringContaining('disk full') as string }]);
    expect(() => store.apply(entries(3, [put('a', '3')]))).toThrow('disk full');
    tamper('DROP TRIGGER full');
    expect(open()).toMatchObject({ revision: 2, appliedIndex: 1 });
  });

  it('commits soon when much waits', () => {
    const store = (machine = openKvStateMachine({ path, clusterId, commitDelayMs: 60_000 }));
    const other = new Database(path, { readonly: true });
    const appliedIndex = (): unknown => other.prepare('SELECT applied_index FROM meta').pluck().get();
    const value = 'x'.repeat(300_000);
    for (let index = 1; index <= 3; index++) store.apply(entries(index, [put('a', value)]));
    expect(appliedIndex()).toBe(0);
    store.apply(entries(4, [put('a', value)]));
    expect(appliedIndex()).toBe(4);
    other.close();
  });

  it('undoes with a failed entry all that was not committed before it: the log has it', () => {
    const before = (machine = openKvStateMachine({ path, clusterId, commitDelayMs: 60_000 }));
    before.apply(entries(1, [put('a', '1')]));
    const bad = { index: 3, term: 1, kind: 'command', payload: Buffer.from([2, 0, 99]) } as const;
    expectError(() => before.apply([...entries(2, [put('a', '2')]), bad]), 'damaged', 'kind 99');
    expect(reopen()).toMatchObject({ revision: 1, appliedIndex: 0 });
  });

  it('stops at a write that SQLite refuses', () => {
    open().apply(entries(1, [put('a', '1')]));
    tamper("CREATE TRIGGER full BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'disk full'); END");
    expectError(() => open().apply(entries(2, [put('a', '2')])), 'damaged', 'could not be written: disk full');
    expect(() => machine?.apply(entries(2, [noOp]))).toThrow('nothing is applied after a failure');
    tamper('DROP TRIGGER full');
    expect(open()).toMatchObject({ revision: 2, appliedIndex: 1 });
  });

  it('counts the bytes of all its files', () => {
    open().apply(entries(1, [put('a', 'x'.repeat(100_000))]));
    expect(machine?.sizeBytes()).toBeGreaterThan(100_000);
    const inMemory = openKvStateMachine({ path: ':memory:', clusterId });
    expect(inMemory.sizeBytes()).toBeGreaterThan(4096);
    void inMemory.close();
  });

  it('holds nothing that names one member', () => {
    open();
    tamper('');
    const db = new Database(path, { readonly: true });
    const columns = db.prepare("SELECT name FROM pragma_table_info('meta')").pluck().all();
    expect(columns).toEqual([
      ...[
        'id',
        'cluster_id',
        'applied_index',
        'applied_term',
        'revision',
        'compact_revision',
        'clock_ms',
        'quota_bytes',
      ],
      ...['last_row', 'removed_rows', 'swept_row', 'leases', 'requests', 'alarms', 'forgotten_request', 'checksum'],
    ]);
    db.close();
  });
});

describe('opening state.db', () => {
  it("refuses another cluster's file", () => {
    open();
    tamper('');
    expectError(
      () => openKvStateMachine({ path, clusterId: 5n }),
      'refused-to-start',
      'belongs to cluster fedcba9876543210, and this member to cluster 0000000000000005',
    );
  });

  it('refuses a newer schema', () => {
    open();
    tamper('PRAGMA user_version = 99');
    expectError(open, 'refused-to-start', 'written by a newer quorate: its schema is version 99');
  });

  it('refuses a database of another program', () => {
    tamper('CREATE TABLE theirs (x)');
    expectError(open, 'refused-to-start', 'not a quorate state database');
  });

  it('refuses a file that is no database', () => {
    writeFileSync(path, 'x'.repeat(10_000));
    expectError(open, 'damaged', 'could not be opened: file is not a database');
  });

  it('refuses a directory that is not there', () => {
    expectError(
      () => openKvStateMachine({ path: join(directory, 'missing', 'state.db'), clusterId }),
      'refused-to-start',
      'could not be opened',
    );
  });

  it('brings an older schema forward, each step once, in a transaction', () => {
    const db = new Database(':memory:');
    migrate(db);
    const done: string[] = [];
    const known = ['1', '2', '3', '4'].map((name) => () => done.push(name));
    migrate(db, known);
    expect(done).toEqual(['3', '4']);
    const failing = [...known, () => db.exec('CREATE TABLE half (x)'), () => db.exec('nonsense')];
    expect(() => {
      migrate(db, failing);
    }).toThrow('nonsense');
    expect(db.pragma('user_version', { simple: true })).toBe(5);
    db.close();
  });
});

describe('a damaged state.db', () => {
  beforeEach(() => {
    open().apply(entries(1, [put('a', 'one'), put('b', 'two'), put('c', 'three')]));
  });

  it.each([
    ['a key', "UPDATE history_rows SET key = x'7a' WHERE row = 2", 'row 2 fails its checksum'],
    ['a revision', 'UPDATE history_rows SET create_revision = 2 WHERE row = 2', 'row 2 fails its checksum'],
    ['a version', 'UPDATE history_rows SET version = 2 WHERE row = 2', 'row 2 fails its checksum'],
    [
      'a put turned into a tombstone',
      'UPDATE history_rows SET flags = flags & ~1 WHERE row = 2',
      'row 2 fails its checksum',
    ],
    ['a row that is gone', 'DELETE FROM history_rows WHERE row = 2', 'it has 2 rows of 3: some are missing'],
    ['a last row that is gone', 'DELETE FROM history_rows WHERE row = 3', 'it has 2 rows of 3: some are missing'],
    [
      'a row too many',
      'INSERT INTO history_rows SELECT 4, 5, sub, 2, version, flags, lease, 0, 0, key, value FROM history_rows WHERE row = 1',
      'row 4 fails its checksum',
    ],
    ['the applied index', 'UPDATE meta SET applied_index = 2', 'its counters fail their checksum'],
    ['the revision', 'UPDATE meta SET revision = 3', 'its counters fail their checksum'],
    ['the cluster', "UPDATE meta SET cluster_id = '0000000000000001'", 'its counters fail their checksum'],
    ['missing counters', 'DELETE FROM meta', 'its counters are missing'],
  ])('is refused at opening: %s', (_, sql, message) => {
    tamper(sql);
    expectError(open, 'damaged', message);
  });

  it.each([
    ['a flipped bit', "UPDATE history_rows SET value = x'747776' WHERE row = 2"],
    [
      "another row's value",
      'UPDATE history_rows SET (value, checksum) = (SELECT value, checksum FROM history_rows WHERE row = 1) WHERE row = 2',
    ],
  ])('is refused when its value is read: %s', (_, sql) => {
    tamper(sql);
    const opened = open();
    expect(opened.get(bytes('a'))).toMatchObject({ value: bytes('one') });
    const failure = 'row 2 fails its checksum';
    expectError(() => opened.get(bytes('b')), 'damaged', failure);
    expectError(() => opened.range(query()), 'damaged', failure);
    expectError(() => opened.hash(), 'damaged', failure);
  });

  it('is refused when a row vanishes while the store is open', () => {
    const db = new Database(path);
    db.exec('DELETE FROM history_rows WHERE row = 2');
    db.close();
    expectError(() => machine?.get(bytes('b')), 'damaged', 'row 2 is missing');
  });
});

describe('views of state.db, read by another program', () => {
  it('show live keys and all changes, text as text and bytes as bytes', () => {
    const raw = { key: Buffer.from([0xff, 0]), value: Buffer.from([1, 2]), form: 'bytes' } as const;
    const putRaw = unnamed(putOperation(raw));
    open().apply(
      entries(1, [put('a', '1'), put('ключ', 'значение'), put('a', '2'), putRaw, put('gone', 'x'), del('gone')]),
    );
    const db = new Database(path, { readonly: true, fileMustExist: true });
    const lease = null;
    expect(db.prepare('SELECT * FROM live').all()).toEqual([
      { key: 'a', value: '2', create_revision: 2, mod_revision: 4, version: 2, lease },
      { key: 'ключ', value: 'значение', create_revision: 3, mod_revision: 3, version: 1, lease },
      { key: raw.key, value: raw.value, create_revision: 5, mod_revision: 5, version: 1, lease },
    ]);
    expect(db.prepare('SELECT * FROM history WHERE revision IN (4, 7)').all()).toEqual([
      { revision: 4, sub: 0, action: 'put', key: 'a', value: '2', create_revision: 2, version: 2, lease },
      { revision: 7, sub: 0, action: 'delete', key: 'gone', value: null, create_revision: null, version: null, lease },
    ]);
    expect(db.prepare("SELECT value FROM live WHERE key = 'ключ'").pluck().get()).toBe('значение');
    expect(db.prepare('SELECT cluster_id, applied_index FROM meta').get()).toEqual({
      cluster_id: 'fedcba9876543210',
      applied_index: 6,
    });
    db.close();
  });
});
