import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { SqliteLog } from '../../../src/storage/sqlite-log';
import { openSqliteStorage } from '../../../src/storage/sqlite-storage';
import type { Storage } from '../../../src/storage/storage';
import { entries, entry, identity, persister, sqliteOptions, temporaryDirectories } from '../../support/log-builders';

const directories = temporaryDirectories();
const templates = temporaryDirectories();
const open: Storage[] = [];

afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close();
  directories.removeAll();
});

async function opened(directory: string): Promise<Storage> {
  const storage = await openSqliteStorage(sqliteOptions(directory));
  open.push(storage);
  return storage;
}

let template: Promise<string> | undefined;
afterAll(() => {
  templates.removeAll();
});

/** A closed directory with a log of 20 entries in terms 1 and 2, and a vote. */
async function filled(): Promise<string> {
  template ??= makeTemplate();
  const directory = directories.make();
  cpSync(await template, directory, { recursive: true });
  return directory;
}

async function makeTemplate(): Promise<string> {
  const directory = templates.make();
  const storage = await openSqliteStorage(sqliteOptions(directory));
  const make = persister();
  await storage.persist(make(entries(1, 10, 1)));
  await storage.persist(make(entries(11, 20, 2), { term: 2, votedFor: 3n }));
  await storage.close();
  return directory;
}

function sql(directory: string, ...statements: string[]): void {
  const database = new Database(join(directory, 'raft.db'));
  for (const statement of statements) database.exec(statement);
  database.close();
}

/** Opens a log and tells what it holds, or why it was refused. */
function foundIn(path: string): unknown {
  try {
    const log = new SqliteLog({ path, identity, synchronous: 'FULL' });
    const payloads = log.readTail(1e6).map(({ payload }) => payload.toString());
    const { lastIndex, hardState } = log.found;
    log.close();
    return { lastIndex, hardState, payloads };
  } catch (error) {
    return error;
  }
}

const damaged = (message: RegExp): { code: string; message: unknown } => ({
  code: 'damaged',
  message: expect.stringMatching(message) as unknown,
});

describe('A damaged log is refused, with the fix named, and never repaired', () => {
  it.each([
    [
      'a byte of a payload',
      /entry 5 fails its checksum/,
      "UPDATE entry SET payload = CAST('paYload 5' AS BLOB) WHERE entry_index = 5",
    ],
    ['a byte of the last payload', /entry 20 fails/, "UPDATE entry SET payload = x'00' WHERE entry_index = 20"],
    ['a term', /entry 5 fails its checksum/, 'UPDATE entry SET term = 2 WHERE entry_index = 5'],
    ['a kind', /entry 5 fails its checksum/, 'UPDATE entry SET kind = 0 WHERE entry_index = 5'],
    ['a type', /entry 5 has impossible values/, "UPDATE entry SET term = 'one' WHERE entry_index = 5"],
    ['a checksum', /entry 5 fails its checksum/, 'UPDATE entry SET checksum = checksum + 1 WHERE entry_index = 5'],
    ['a missing entry', /entry 5 is missing, the next one found is 6/, 'DELETE FROM entry WHERE entry_index = 5'],
    ['a missing first entry', /entry 1 is missing/, 'DELETE FROM entry WHERE entry_index = 1'],
    ['a term of the hard state', /term and vote fail/, 'UPDATE hard_state SET term = 1'],
    ['a vote', /could vote twice/, "UPDATE hard_state SET voted_for = '0000000000000002'"],
    ['a vote that is no id', /term and vote fail/, "UPDATE hard_state SET voted_for = 'xyz'"],
    ['a missing hard state', /term and vote are missing/, 'DELETE FROM hard_state'],
    ['a member id', /identity fails its checksum/, "UPDATE identity SET member_id = '0000000000000002'"],
    ['a configuration', /start of the log fails its checksum/, "UPDATE log_start SET configuration = x'01'"],
    [
      'where a configuration stands',
      /start of the log fails its checksum/,
      'UPDATE log_start SET configuration_index = 1',
    ],
    ['a missing identity', /identity is missing/, 'DELETE FROM identity'],
    ['the start of the log', /start of the log fails/, 'UPDATE log_start SET last_removed_index = 3'],
    ['a missing start', /start of the log is missing/, 'DELETE FROM log_start'],
    ['another database', /not a quorate log/, 'PRAGMA application_id = 7'],
    ['a missing table', /no such table/, 'DROP TABLE entry'],
  ])('%s', async (_what, message, statement) => {
    const directory = await filled();
    sql(directory, statement);
    const before = readFileSync(join(directory, 'raft.db'));
    const refusal: unknown = await opened(directory).catch((error: unknown) => error);
    expect(refusal).toMatchObject(damaged(message));
    expect(refusal).toMatchObject(damaged(/add it again under a new name/));
    expect(readFileSync(join(directory, 'raft.db')).equals(before)).toBe(true);
  });

  it('two entries that changed places', async () => {
    const directory = await filled();
    const swap = (from: number, to: number): string =>
      `UPDATE entry SET entry_index = ${to} WHERE entry_index = ${from}`;
    sql(directory, swap(5, 100), swap(6, 5), swap(100, 6));
    await expect(opened(directory)).rejects.toMatchObject(damaged(/entry 5 fails its checksum/));
  });

  it('an entry of another history, whole in itself', async () => {
    const [directory, other] = [await filled(), directories.make()];
    const storage = await openSqliteStorage(sqliteOptions(other));
    await storage.persist(persister()([...entries(1, 3), entry(4, 1, 'different'), ...entries(5, 9)]));
    await storage.close();
    // Entry 6 has the same index, term, kind and content in both; only what went before differs.
    sql(
      directory,
      `ATTACH '${join(other, 'raft.db')}' AS other`,
      'REPLACE INTO entry SELECT * FROM other.entry WHERE entry_index = 6',
    );
    await expect(opened(directory)).rejects.toMatchObject(damaged(/entry 6 fails its checksum/));
  });

  it('random bytes anywhere in the file, or the log is what it was', async () => {
    const source = await filled();
    const path = join(source, 'raft.db');
    const whole = readFileSync(path);
    let refused = 0;
    // Without the worker, to try many places in little time.
    for (let offset = 100; offset < whole.length; offset += 97) {
      writeFileSync(path, whole);
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.from('\u00ff\u0001garbage'), 0, 9, offset);
      closeSync(file);
      const outcome = foundIn(path);
      if (outcome instanceof Error) {
        refused += 1;
        expect(outcome).toMatchObject({ code: 'damaged' });
        continue;
      }
      expect(outcome).toEqual({
        lastIndex: 20,
        hardState: { term: 2, votedFor: 3n },
        payloads: entries(1, 20).map(({ payload }) => Buffer.from(payload).toString()),
      });
    }
    // The file is mostly free space; the rows themselves are a small part of it.
    expect(refused).toBeGreaterThan(10);
  });

  it.each([
    [
      'is not a database',
      (path: string) => {
        writeFileSync(path, 'x'.repeat(5000));
      },
    ],
    [
      'is empty',
      (path: string) => {
        truncateSync(path, 0);
        // A new log begins like this, and nothing else tells that this one is not new.
        rmSync(join(dirname(path), 'raft.witness'));
      },
    ],
    [
      'is cut',
      (path: string) => {
        truncateSync(path, 4096);
      },
    ],
    [
      'is zeroed',
      (path: string) => {
        writeFileSync(path, Buffer.alloc(statSync(path).size));
      },
    ],
    [
      'is missing',
      (path: string) => {
        rmSync(path);
      },
    ],
  ])('raft.db %s', async (_what, harm) => {
    const directory = await filled();
    harm(join(directory, 'raft.db'));
    await expect(opened(directory)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('raft.db-wal was removed with the newest entries in it', async () => {
    const directory = directories.make();
    const storage = await opened(directory);
    await storage.persist(persister()(entries(1, 5)));
    const copy = directories.make();
    for (const name of ['raft.db', 'raft.witness']) copyFileSync(join(directory, name), join(copy, name));
    await expect(opened(copy)).rejects.toMatchObject(damaged(/lost its newest writes.*raft\.db-wal removed/));
    copyFileSync(join(directory, 'raft.db-wal'), join(copy, 'raft.db-wal'));
    expect((await opened(copy)).loaded.lastIndex).toBe(5);
  });

  it('raft.db was replaced by an older copy', async () => {
    const directory = await filled();
    copyFileSync(join(directory, 'raft.db'), join(directory, 'old.db'));
    const storage = await openSqliteStorage(sqliteOptions(directory));
    await storage.persist(persister()([entry(21, 2)], { term: 2, votedFor: 3n }));
    await storage.close();
    copyFileSync(join(directory, 'old.db'), join(directory, 'raft.db'));
    await expect(opened(directory)).rejects.toMatchObject(damaged(/older copy/));
  });

  it('a record that went bad while the log is open stops the storage', async () => {
    const directory = await filled();
    const storage = await opened(directory);
    sql(directory, "UPDATE entry SET payload = x'01' WHERE entry_index = 5");
    await expect(storage.readEntries({ firstIndex: 1, lastIndex: 9, maxBytes: 1e6 })).rejects.toMatchObject(
      damaged(/entry 5 fails/),
    );
    await expect(storage.failed).resolves.toMatchObject({ code: 'damaged' });
    await expect(storage.persist(persister()([]))).rejects.toMatchObject({ code: 'damaged' });
  });
});

describe('A new log', () => {
  it('is made under another name first, so that a crash half-way leaves none', async () => {
    const directory = directories.make();
    writeFileSync(join(directory, 'raft.db.new'), 'half');
    writeFileSync(join(directory, 'raft.db.new-wal'), 'half');
    expect((await opened(directory)).loaded.lastIndex).toBe(0);
    expect(existsSync(join(directory, 'raft.db.new'))).toBe(false);
  });

  it('is not made where a state was left without its log', async () => {
    const directory = directories.make();
    writeFileSync(join(directory, 'state.db'), '');
    await expect(opened(directory)).rejects.toMatchObject(damaged(/state\.db is there.*raft\.db is missing/));
  });

  it('is refused where no directory can be made', async () => {
    const file = join(directories.make(), 'file');
    writeFileSync(file, '');
    const refusal = { code: 'refused-to-start', message: expect.stringContaining('Give a directory') as unknown };
    await expect(opened(file)).rejects.toMatchObject(refusal);
    await expect(opened(join(file, 'below'))).rejects.toMatchObject(refusal);
  });
});
