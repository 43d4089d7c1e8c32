import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openConnection } from '../../../src/storage/sqlite-connection';
import { createLogIfMissing } from '../../../src/storage/sqlite-directory';
import { SqliteLog } from '../../../src/storage/sqlite-log';
import { migrate, migrations, type Migration } from '../../../src/storage/sqlite-schema';
import { identity, initialConfiguration, temporaryDirectories } from '../../support/log-builders';

const directories = temporaryDirectories();
afterEach(directories.removeAll);

const connect = (): ReturnType<typeof openConnection> => openConnection(join(directories.make(), 'any.db'), 'FULL');

const first: Migration = {
  version: 1,
  description: 'a table',
  apply: (connection) => connection.exec("CREATE TABLE thing (name TEXT); INSERT INTO thing VALUES ('one')"),
};
const second: Migration = {
  version: 2,
  description: 'a column',
  apply: (connection) => connection.exec("ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'"),
};
const broken: Migration = {
  version: 3,
  description: 'breaks half-way',
  apply: (connection) => {
    connection.exec('DROP TABLE thing');
    throw new Error('half-way');
  },
};

describe('Schema migrations', () => {
  it('bring an earlier shape forward with its data, step by step', () => {
    const connection = connect();
    expect(migrate(connection, [first])).toEqual([1]);
    expect(migrate(connection, [first, second])).toEqual([2]);
    expect(connection.prepare('SELECT * FROM thing').all()).toEqual([{ name: 'one', colour: 'blue' }]);
    expect(migrate(connection, [first, second])).toEqual([]);
    connection.close();
  });

  it('leave the shape before a step that fails', () => {
    const connection = connect();
    expect(() => migrate(connection, [first, second, broken])).toThrow('half-way');
    expect(connection.pragma('user_version', { simple: true })).toBe(2);
    expect(connection.prepare('SELECT * FROM thing').all()).toHaveLength(1);
    connection.close();
  });

  it('refuse a shape that a newer program made, and name both versions', () => {
    const connection = connect();
    migrate(connection, [first, second]);
    expect(() => migrate(connection, [first])).toThrow(/schema version 2.*up to 1.*newer quorate/);
    expect(connection.pragma('user_version', { simple: true })).toBe(2);
    connection.close();
  });

  it('have numbers without a gap', () => {
    const connection = connect();
    expect(() => migrate(connection, [second])).toThrow('without a gap');
    connection.close();
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, position) => position + 1));
  });

  it('run when a log of an earlier shape is opened, and leave its content valid', () => {
    const directory = join(directories.make(), 'member');
    mkdirSync(directory);
    createLogIfMissing(directory, identity, initialConfiguration);
    const path = join(directory, 'raft.db');
    const next: Migration = {
      version: migrations.length + 1,
      description: 'a later shape',
      apply: (connection) => connection.exec('CREATE TABLE later (id INTEGER PRIMARY KEY)'),
    };
    const log = new SqliteLog({ path, identity, synchronous: 'FULL', migrations: [...migrations, next] });
    expect(log.found.migrated).toEqual([next.version]);
    expect(log.found.configuration).toEqual(initialConfiguration);
    log.close();
    expect(() => new SqliteLog({ path, identity, synchronous: 'FULL' })).toThrow('newer quorate');
  });
});
