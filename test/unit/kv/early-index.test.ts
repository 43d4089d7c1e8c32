/** The index of a state in a file, read in a thread of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type EarlyIndex, EarlyIndexReading } from '../../../src/kv/early-index';
import { type KvStateMachine, openKvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, expectError, put, query } from '../../support/kv-entries';

const clusterId = 7n;
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-early-'));
  path = join(directory, 'state.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const open = (early?: EarlyIndex): KvStateMachine => openKvStateMachine({ path, clusterId, early });
const keysOf = (machine: KvStateMachine): string[] =>
  machine.range(query()).records.map(({ key }) => Buffer.from(key).toString());

/** Puts 5000 keys, which is some pages, changes one of them, deletes one. */
async function fill(): Promise<void> {
  const machine = open();
  const puts = Array.from({ length: 5000 }, (_, at) => put(`key ${String((at * 7919) % 5000).padStart(4, '0')}`, 'v'));
  machine.apply(entries(1, [...puts, put('key 0001', 'new'), del('key 0002')]));
  await machine.close();
}

async function read(minBytes = 0): Promise<EarlyIndex | string> {
  const reading = new EarlyIndexReading(path, minBytes);
  const outcome = await reading.outcome;
  await reading.stop();
  if (outcome.kind === 'read') return outcome.early;
  return outcome.kind === 'failed' ? outcome.reason : 'none';
}

async function readWhole(): Promise<EarlyIndex> {
  const early = await read();
  if (typeof early === 'string') throw new Error(early);
  return early;
}

describe('An index that is read early', () => {
  it('is the one that the state opens with', async () => {
    await fill();
    const early = await readWhole();
    const late = open();
    const machine = open(early);
    expect(early.index.size).toBe(4999);
    expect(keysOf(machine)).toEqual(keysOf(late));
    expect(machine.hash()).toBe(late.hash());
    expect([...early.index.versionsOf('key 0001')].map(({ row }) => row)).toEqual([5001, expect.any(Number)]);
    await machine.close();
    await late.close();
  });

  it('is used: the state has what it has', async () => {
    await fill();
    const early = await readWhole();
    early.index.delete('key 0003', { row: 9999, revision: 9999 });
    const machine = open(early);
    expect(machine.get(bytes('key 0003'))).toBeUndefined();
    await machine.close();
  });

  it('is of no use for a state that has changed since', async () => {
    await fill();
    const early = await readWhole();
    const between = open();
    between.apply(entries(between.appliedIndex + 1, [put('later', 'v')]));
    await between.close();
    const machine = open(early);
    expect(machine.get(bytes('later'))).toBeDefined();
    await machine.close();
  });

  it('is not read of a small state, or of none', async () => {
    expect(await read(1)).toBe('none');
    await fill();
    expect(await read(8 * 1024 * 1024)).toBe('none');
  });

  it('is not read where there is a file in the place of the directory', async () => {
    writeFileSync(join(directory, 'file'), '');
    const { outcome } = new EarlyIndexReading(join(directory, 'file', 'state.db'));
    expect(await outcome).toEqual({ kind: 'none' });
  });

  it.each([
    ['a row', "UPDATE history_rows SET key = x'7a' WHERE row = 3000", 'row 3000 fails its checksum'],
    ['a row that is gone', 'DELETE FROM history_rows WHERE row = 3000', 'it has 5001 rows of 5002: some are missing'],
    ['the counters', 'UPDATE meta SET revision = 3', 'its counters fail their checksum'],
    ['missing counters', 'DELETE FROM meta', 'its counters are missing'],
  ])('says what is damaged, and opening says it, too: %s', async (_, sql, message) => {
    await fill();
    const db = new Database(path);
    db.exec(sql);
    db.close();
    expect(await read()).toContain(message);
    expectError(open, 'damaged', message);
  });

  it('is not there when there is no such file', async () => {
    expect(await read()).toContain('unable to open database file');
  });

  it('is given up when it is not wanted any more', async () => {
    await fill();
    const reading = new EarlyIndexReading(path, 0);
    await reading.stop();
    expect(await reading.outcome).toEqual({ kind: 'none' });
  });
});
