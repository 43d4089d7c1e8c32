import type { LogFields, Logger } from '../../../src/base/logger';
import { openSqliteStorage } from '../../../src/storage/sqlite-storage';
import type { Storage } from '../../../src/storage/storage';
import { entries, persister, plain, sqliteOptions, temporaryDirectories } from '../../support/log-builders';

const directories = temporaryDirectories();
const open: Storage[] = [];

afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close();
  directories.removeAll();
});

async function opened(more: Parameters<typeof sqliteOptions>[1] = {}): Promise<Storage> {
  const storage = await openSqliteStorage(sqliteOptions(directories.make(), more));
  open.push(storage);
  return storage;
}

/** A logger that keeps its errors. */
function recording(): { logger: Logger; errors: string[] } {
  const errors: string[] = [];
  const nothing = (): void => undefined;
  const error = (_fields: LogFields, message: string): void => void errors.push(message);
  return { logger: { debug: nothing, info: nothing, warn: nothing, error }, errors };
}

describe('SQLite storage', () => {
  it('says loudly that it does not sync, and says nothing otherwise', async () => {
    const unsafe = recording();
    await opened({ logger: unsafe.logger, unsafeSynchronous: 'NORMAL' });
    expect(unsafe.errors).toEqual([expect.stringContaining('UNSAFE')]);
    const safe = recording();
    await opened({ logger: safe.logger });
    expect(safe.errors).toEqual([]);
  });

  it('lets a persist pass between two parts of a long truncation', async () => {
    const storage = await opened({ maxTruncationRows: 10 });
    const make = persister();
    await storage.persist(make(entries(1, 2000)));
    const order: string[] = [];
    await Promise.all([
      storage.truncatePrefix(1990).then(() => order.push('truncated')),
      storage.persist(make(entries(2001, 2001))).then(() => order.push('persisted')),
    ]);
    expect(order).toEqual(['persisted', 'truncated']);
    const found = await storage.readEntries({ firstIndex: 1991, lastIndex: 2001, maxBytes: 1e6 });
    expect(plain(found)).toEqual(plain(entries(1991, 2001)));
  });

  it('keeps order and content over many groups, small and large, with suffixes replaced in between', async () => {
    const storage = await opened({ maxGroupPersists: 3, maxGroupBytes: 2000 });
    const make = persister();
    const model: ReturnType<typeof entries> = [];
    const all = Array.from({ length: 60 }, (_, position) => {
      const first = position % 7 === 6 ? Math.max(1, model.length - 4) : model.length + 1;
      const list = entries(first, first + (position % 5) * 10, 1 + Math.floor(position / 7));
      model.splice(first - 1, Infinity, ...list);
      return storage.persist(make(list));
    });
    await Promise.all(all);
    const found = await storage.readEntries({ firstIndex: 1, lastIndex: model.length, maxBytes: 1e9 });
    expect(plain(found)).toEqual(plain(model));
  });

  it('moves its write-ahead log into the database as it grows', async () => {
    const storage = await opened();
    const make = persister();
    let index = 0;
    for (let round = 0; round < 40; round++) {
      const payload = Buffer.alloc(100_000, 'x');
      const list = [1, 2, 3, 4, 5].map(() => ({ index: ++index, term: 1, kind: 'command' as const, payload }));
      await storage.persist(make(list));
    }
    // 20 MB of entries, and a write-ahead log of little more than the 4 MB at which a checkpoint is due.
    expect(storage.sizeBytes()).toBeGreaterThan(20e6);
    expect(storage.sizeBytes()).toBeLessThan(28e6);
  });
});
