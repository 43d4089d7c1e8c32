import { join } from 'node:path';
import Database from 'better-sqlite3';
import { checkDurable, openConnection } from '../../../src/storage/sqlite-connection';
import { temporaryDirectories } from '../../support/log-builders';

const directories = temporaryDirectories();
afterEach(directories.removeAll);

describe('Connection to the log', () => {
  it('syncs at every commit (architecture §1.3)', () => {
    const path = join(directories.make(), 'a.db');
    openConnection(path, 'FULL').close();
    // Only an existing WAL database shows it: there better-sqlite3's SQLite lowers the setting by itself.
    const connection = openConnection(path, 'FULL');
    connection.prepare('SELECT * FROM sqlite_schema').all();
    expect(connection.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(connection.pragma('synchronous', { simple: true })).toBe(2);
    connection.close();
  });

  it('makes a database of pages of 16 KiB, and leaves one that is there as it is', () => {
    const directory = directories.make();
    const older = new Database(join(directory, 'older.db'));
    older.exec('PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
    older.close();
    const pageSizes = ['new.db', 'older.db'].map((name) => {
      const connection = openConnection(join(directory, name), 'FULL');
      connection.exec('CREATE TABLE IF NOT EXISTS t (a)');
      const pageSize: unknown = connection.pragma('page_size', { simple: true });
      connection.close();
      return pageSize;
    });
    expect(pageSizes).toEqual([16_384, 4096]);
  });

  it.each([
    ['synchronous = NORMAL', 'synchronous=2'],
    ['journal_mode = DELETE', 'journal_mode=wal'],
    ['fullfsync = OFF', 'fullfsync=1'],
    ['checkpoint_fullfsync = OFF', 'checkpoint_fullfsync=1'],
  ])('is refused with %s', (setting, named) => {
    const path = join(directories.make(), 'a.db');
    const connection = openConnection(path, 'FULL');
    connection.pragma(setting);
    expect(() => {
      checkDurable(connection, path, 'FULL');
    }).toThrow(named);
    connection.close();
  });

  it('is refused as better-sqlite3 opens a WAL database by itself: with NORMAL', () => {
    const path = join(directories.make(), 'a.db');
    openConnection(path, 'FULL').close();
    const connection = new Database(path);
    connection.prepare('SELECT * FROM sqlite_schema').all();
    expect(() => {
      checkDurable(connection, path, 'FULL');
    }).toThrow('synchronous=2');
    connection.close();
  });

  it('is refused where SQLite keeps no write-ahead log', () => {
    expect(() => openConnection(':memory:', 'FULL')).toThrow(/journal_mode=wal.*reports memory.*local file system/);
  });
});
