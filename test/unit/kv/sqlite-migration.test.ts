/** State databases of earlier programs, opened by this one. */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { unnamed } from '../../../src/kv/command-builders';
import { moveStateToCluster, readStateCluster } from '../../../src/kv/sqlite-cluster-id';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, entries, expectError, put, query } from '../../support/kv-entries';

const clusterId = 0xfedcba9876543210n;
let directory: string;
let path: string;
let machine: KvStateMachine | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-migration-'));
  path = join(directory, 'state.db');
  copyFileSync(join(__dirname, '..', '..', 'fixtures', 'state-db-1', 'state.db'), path);
});
afterEach(async () => {
  await machine?.close();
  machine = undefined;
  rmSync(directory, { recursive: true });
});

const open = (): KvStateMachine => (machine = openKvStateMachine({ path, clusterId }));

describe('A state database of schema 1', () => {
  it('is brought forward with its history, and goes on', () => {
    const opened = open();
    expect(opened).toMatchObject({ appliedIndex: 5, appliedTerm: 2, revision: 6, compactRevision: 0, clockMs: 0 });
    expect(opened.range(query()).records).toMatchObject([
      { key: bytes('a'), value: bytes('2'), createRevision: 2, modRevision: 4, version: 2, lease: 0n },
      { key: Buffer.from([255, 0]), value: Buffer.from([1, 2]), form: 'bytes', modRevision: 3 },
    ]);
    expect(opened.get(bytes('gone'), 5)).toMatchObject({ value: bytes('x') });
    expect(opened.changes(1, 10, 1000)).toHaveLength(5);
    const more = entries(6, [put('a', '3'), unnamed({ kind: 'compact', revision: 7 })]);
    opened.apply(more.map((entry) => ({ ...entry, term: 2 })));
    expect(opened.get(bytes('a'))).toMatchObject({ version: 3 });
    while (opened.compactStep());
    expect(opened.sizeInUseBytes()).toBeLessThanOrEqual(statSync(path).size + 100_000);
  });

  it('has the map of its pages that is needed to give free ones back', async () => {
    await open().close();
    machine = undefined;
    const db = new Database(path);
    expect(db.pragma('auto_vacuum', { simple: true })).toBe(2);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });

  it('is refused if its counters are damaged: a new checksum would hide it', () => {
    const db = new Database(path);
    db.exec('UPDATE meta SET revision = 5');
    db.close();
    expectError(open, 'damaged', 'its counters fail their checksum');
    expectError(open, 'damaged', 'its counters fail their checksum');
  });

  it('can be given to another cluster before it was ever opened', () => {
    expect(readStateCluster(path)).toBe(clusterId);
    moveStateToCluster(path, 9n);
    machine = openKvStateMachine({ path, clusterId: 9n });
    expect(machine.appliedIndex).toBe(5);
  });
});
