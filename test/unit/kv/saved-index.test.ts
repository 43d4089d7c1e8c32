/** The index that a member saves when it stops in order: what it holds, when it is used, and what checks it. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import type { Command } from '../../../src/kv/command';
import { unnamed } from '../../../src/kv/command-builders';
import { EarlyIndexReading, type EarlyOutcome } from '../../../src/kv/early-index';
import { headChecksum } from '../../../src/kv/history-row';
import type { KeyIndex } from '../../../src/kv/key-index';
import { loadState, type KvState } from '../../../src/kv/kv-state';
import { requestRetention } from '../../../src/kv/request-table';
import { readSavedIndex, saveIndex } from '../../../src/kv/saved-index';
import { openSqliteStore } from '../../../src/kv/sqlite-store';
import { type KvStateMachine, openKvStateMachine } from '../../../src/kv/state-machine';
import { attached, del, entries, put } from '../../support/kv-entries';

const clusterId = 7n;
let directory: string;
let path: string;
/** Those that were not closed yet: a test that fails leaves none open. */
const machines = new Set<KvStateMachine>();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-saved-'));
  path = join(directory, 'state.db');
});
afterEach(async () => {
  await Promise.all([...machines].map((machine) => close(machine)));
  rmSync(directory, { recursive: true, force: true });
});

const savedPath = (): string => `${path}.index`;
function open(outcome?: EarlyOutcome): KvStateMachine {
  const early = outcome?.kind === 'read' ? outcome.early : undefined;
  const machine = openKvStateMachine({ path, clusterId, early });
  machines.add(machine);
  return machine;
}

async function close(machine: KvStateMachine): Promise<void> {
  machines.delete(machine);
  await machine.close();
}

function apply(machine: KvStateMachine, commands: readonly Command[]): void {
  machine.apply(entries(machine.appliedIndex + 1, commands));
}

/** 5000 keys in no order, some of them changed, deleted, made anew or attached to a lease, some with bytes that are no text. */
function change(machine: KvStateMachine): void {
  const keys = Array.from({ length: 5000 }, (_, at) => `key ${String((at * 7919) % 5000)}`);
  apply(machine, [
    unnamed({ kind: 'lease-grant', id: 5n, ttl: 600 }),
    ...keys.map((key) => put(key, 'v')),
    ...keys.filter((_, at) => at % 3 === 0).map((key) => put(key, 'new')),
    ...keys.filter((_, at) => at % 5 === 0).map((key) => del(key)),
    ...keys.filter((_, at) => at % 15 === 0).map((key) => put(key, 'again')),
    ...keys.filter((_, at) => at % 11 === 0).map((key) => attached(key, 5n)),
    ...['', '\x00', 'é', 'k'.repeat(3000)].map((key) => put(`!${key}`, 'v')),
  ]);
}

/** So many versions of one key. */
const versions = (count: number, key: string): Command[] => Array.from({ length: count }, () => put(key, 'v'));

/** Enough for a state to be large. */
const bulk = Array.from({ length: 9 }, (_, at) => put(`bulk ${String(at)}`, 'x'.repeat(1024 * 1024)));

/** A large state that was closed in order. */
async function closeLarge(): Promise<void> {
  const machine = open();
  change(machine);
  apply(machine, bulk);
  await close(machine);
}

async function early(): Promise<EarlyOutcome> {
  const reading = new EarlyIndexReading(path);
  const outcome = await reading.outcome;
  await reading.stop();
  return outcome;
}

async function checkAll(machine: KvStateMachine): Promise<number> {
  let steps = 0;
  for (;;) {
    steps++;
    const done = await machine.checkStep();
    if (done !== 'more') return done === 'checked' ? steps : 0;
  }
}

const contentOf = (index: KeyIndex): unknown[] => [...index.all()];

/** The state as it is in the file, without a saved index; closed, as far as the file goes. */
function readRows(): KvState {
  const store = openSqliteStore({ path, clusterId });
  const state = loadState(store, requestRetention);
  store.close();
  return state;
}

function damage(sql: string, ...values: unknown[]): void {
  const db = new Database(path);
  db.prepare(sql).run(...values);
  db.close();
}

describe('Saving the index of a state', () => {
  it('keeps every version of every key, and their leases', async () => {
    const machine = open();
    change(machine);
    await close(machine);
    const state = readRows();
    expect(saveIndex(path, state)).toBe(true);
    const outcome = await readSavedIndex(path);
    if (outcome.kind !== 'read') throw new Error(outcome.reason);
    const { index, leases, facts } = outcome.saved;
    expect(contentOf(index)).toEqual(contentOf(state.index));
    expect(index.size).toBe(4398);
    expect(leases.size).toBe(455);
    expect([...leases].every(([key, lease]) => state.leases.leaseOf(key) === lease)).toBe(true);
    expect(facts).toEqual(state.facts);
  });

  it('happens when a large state is closed, and not when a small one is', async () => {
    const small = open();
    change(small);
    await close(small);
    expect(existsSync(savedPath())).toBe(false);
    const large = open();
    apply(large, bulk);
    await close(large);
    expect(existsSync(savedPath())).toBe(true);
  });

  it('does not happen after a failure', async () => {
    await closeLarge();
    const machine = open();
    expect(() => machine.apply(entries(machine.appliedIndex + 2, [put('a', 'v')]))).toThrow('without a gap');
    await close(machine);
    expect(existsSync(savedPath())).toBe(false);
  });

  it('does not happen while rows wait to be removed that the index has forgotten', async () => {
    await closeLarge();
    const machine = open();
    // The first key in the order of the rows: a step forgets all its versions, and removes some of their rows.
    apply(machine, versions(300, 'key 0'));
    apply(machine, [unnamed({ kind: 'compact', revision: machine.revision })]);
    expect(machine.compactStep()).toBe(true);
    await close(machine);
    expect(existsSync(savedPath())).toBe(false);
    const again = open();
    while (again.compactStep());
    await close(again);
    expect(contentOf(readRows().index)).toHaveLength(4398 + bulk.length);
    expect(existsSync(savedPath())).toBe(true);
  });

  it('is given up when it takes too long, or when the disk says no', async () => {
    await closeLarge();
    const state = readRows();
    expect(saveIndex(path, state, -1)).toBe(false);
    expect(existsSync(savedPath())).toBe(false);
    expect(saveIndex(join(directory, 'missing', 'state.db'), state)).toBe(false);
  });
});

describe('A saved index', () => {
  it('opens the state that it was saved of', async () => {
    await closeLarge();
    const expected = open();
    const hash = expected.hash();
    await close(expected);
    const outcome = await early();
    expect(outcome).toMatchObject({ kind: 'read', early: { sum: expect.any(Number) } });
    const machine = open(outcome);
    expect(machine.hash()).toBe(hash);
    expect(await checkAll(machine)).toBe(3);
    expect(await machine.checkStep()).toBe('none');
    await close(machine);
  });

  it('is there once: what is open changes', async () => {
    await closeLarge();
    const machine = open(await early());
    expect(existsSync(savedPath())).toBe(false);
    apply(machine, [put('later', 'v')]);
    await close(machine);
    expect(existsSync(savedPath())).toBe(true);
    const again = open(await early());
    expect(again.get(Buffer.from('later'))).toBeDefined();
    await close(again);
  });

  const flipByte = (at: number): void => {
    const content = readFileSync(savedPath());
    const place = at < 0 ? content.length + at : at;
    content[place] = (content[place] ?? 0) ^ 1;
    writeFileSync(savedPath(), content);
  };
  const oneRecord = (value: unknown): void => {
    const content = serialize(value);
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(content.length, 0);
    prefix.writeUInt32LE(crc32(content), 4);
    writeFileSync(savedPath(), Buffer.concat([prefix, content]));
  };

  it.each<[string, () => void, string]>([
    [
      'a flipped bit in its first part',
      () => {
        flipByte(5000);
      },
      'it fails its checksum',
    ],
    [
      'a flipped bit in its end',
      () => {
        flipByte(-1);
      },
      'it fails its checksum',
    ],
    [
      'a flipped bit in a checksum',
      () => {
        flipByte(4);
      },
      'it fails its checksum',
    ],
    [
      'a flipped bit in a length',
      () => {
        flipByte(3);
      },
      'its end is missing',
    ],
    [
      'a byte that is missing',
      () => {
        truncateSync(savedPath(), readFileSync(savedPath()).length - 1);
      },
      'its end is missing',
    ],
    [
      'a byte too many',
      () => {
        appendFileSync(savedPath(), 'x');
      },
      'its end is missing',
    ],
    [
      'a file without content',
      () => {
        writeFileSync(savedPath(), '');
      },
      'it is empty',
    ],
    [
      'another format',
      () => {
        oneRecord({ format: 2 });
      },
      'it is not whole, or of another version',
    ],
    [
      'something else',
      () => {
        oneRecord([1, 2]);
      },
      'it is not whole, or of another version',
    ],
    [
      'something else that is not even that',
      () => {
        oneRecord(null);
      },
      '',
    ],
    [
      'a state that was touched',
      () => {
        utimesSync(path, 1, 1);
      },
      'the state was changed by something else since',
    ],
  ])('is of no use with %s: the rows are read', async (_, spoil, reason) => {
    await closeLarge();
    spoil();
    const outcome = await early();
    expect(outcome).toMatchObject({ kind: 'read', useless: expect.stringContaining(reason) });
    const machine = open(outcome);
    expect(await machine.checkStep()).toBe('none');
    expect(machine.get(Buffer.from('key 1'))).toBeDefined();
    await close(machine);
  });

  it('is of no use for a state that has changed since', async () => {
    await closeLarge();
    const outcome = await early();
    const between = open();
    apply(between, [put('later', 'v')]);
    await close(between);
    const machine = open(outcome);
    expect(machine.get(Buffer.from('later'))).toBeDefined();
    expect(await machine.checkStep()).toBe('none');
    await close(machine);
  });

  it('is not waited for when nobody wants it any more', async () => {
    await closeLarge();
    const reading = new EarlyIndexReading(path);
    await reading.stop();
    expect(await reading.outcome).toEqual({ kind: 'none' });
  });
});

describe('The check of the rows of a state that was opened with a saved index', () => {
  it('takes no notice of what is written meanwhile', async () => {
    await closeLarge();
    const machine = open(await early());
    expect(await machine.checkStep()).toBe('more');
    apply(machine, [put('later', 'v'), put('key 1', 'v'), del('key 2')]);
    expect(await machine.checkStep()).toBe('more');
    apply(machine, [put('later still', 'v')]);
    expect(await machine.checkStep()).toBe('checked');
    await close(machine);
  });

  it('takes no notice of it either where a compaction has left gaps between the rows', async () => {
    await closeLarge();
    const before = open();
    apply(before, versions(500, 'gap'));
    apply(before, [put('last', 'v'), unnamed({ kind: 'compact', revision: before.revision + 1 })]);
    while (before.compactStep());
    await close(before);
    const machine = open(await early());
    expect(await machine.checkStep()).toBe('more');
    apply(machine, versions(5000, 'later'));
    expect(await machine.checkStep()).toBe('checked');
    await close(machine);
  });

  it('comes before any row is removed', async () => {
    await closeLarge();
    const machine = open(await early());
    apply(machine, [unnamed({ kind: 'compact', revision: machine.revision })]);
    expect(() => machine.compactStep()).toThrow('rows are checked before any of them is removed');
    await close(machine);
  });

  const other = { row: 3000, revision: 3001, sub: 0, createRevision: 3001, version: 1, flags: 7, lease: 0n };

  it.each<[string, string, unknown[], string]>([
    ['is not whole', "UPDATE history_rows SET key = x'7a' WHERE row = 3000", [], 'row 3000 fails its checksum'],
    ['is gone', 'DELETE FROM history_rows WHERE row = 3000', [], 'rows of 8'],
    [
      'is of another key',
      "UPDATE history_rows SET key = x'6f74686572', head_checksum = ? WHERE row = 3000",
      [headChecksum(other, Buffer.from('other'))],
      'its rows are not those that the saved index was made of',
    ],
  ])('finds a row that %s', async (_, sql, values, message) => {
    await closeLarge();
    const outcome = await early();
    damage(sql, ...values);
    const machine = open(outcome);
    await expect(checkAll(machine)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(message),
    });
    await close(machine);
    expect(existsSync(savedPath())).toBe(false);
  });
});
