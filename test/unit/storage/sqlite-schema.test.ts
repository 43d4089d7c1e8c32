import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openConnection } from '../../../src/storage/sqlite-connection';
import { createLogIfMissing } from '../../../src/storage/sqlite-directory';
import { SqliteLog } from '../../../src/storage/sqlite-log';
import { migrate, migrations, type Migration } from '../../../src/storage/sqlite-schema';
import { configurationAt, identity, initialConfiguration, temporaryDirectories } from '../../support/log-builders';

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
    expect(log.found.configuration).toMatchObject({ index: 0, configuration: initialConfiguration.configuration });
    log.close();
    expect(() => new SqliteLog({ path, identity, synchronous: 'FULL' })).toThrow('newer quorate');
  });
});

describe('A log of schema version 1', () => {
  const fixture = join(__dirname, '../../fixtures/raft-db-1/raft.db');
  const copy = (): string => {
    const path = join(directories.make(), 'raft.db');
    copyFileSync(fixture, path);
    return path;
  };
  const tampered = (sql: string): string => {
    const path = copy();
    const connection = openConnection(path, 'FULL');
    connection.exec(sql);
    connection.close();
    return path;
  };

  it('opens with all it held: term and vote, the removed prefix, the entries, its first configuration', () => {
    const log = new SqliteLog({ path: copy(), identity, synchronous: 'FULL' });
    expect(log.found).toMatchObject({
      migrated: [2, 3],
      hardState: { term: 7, votedFor: identity.memberId },
      configuration: { index: 0, configuration: initialConfiguration.configuration },
      configurationEntries: [],
      firstIndex: 3,
      lastIndex: 6,
      termBeforeFirst: 1,
      termRuns: [
        { firstIndex: 3, term: 2 },
        { firstIndex: 5, term: 7 },
      ],
    });
    expect(log.found.configuration.context).toHaveLength(0);
    expect(log.readTail(1e6).map(({ payload }) => payload.toString())).toEqual(['', 'payload 4', '', 'payload 6']);
    log.close();
  });

  it.each([
    ['voters', "UPDATE identity SET voters = '0000000000000002'", 'the identity fails its checksum'],
    ['start', 'UPDATE log_start SET last_removed_term = 2', 'the start of the log fails its checksum'],
    ['identity', 'DELETE FROM identity', 'the identity is missing'],
    ['start row', 'DELETE FROM log_start', 'the start of the log is missing'],
  ])('is refused when damaged, and not given new checksums: %s', (_, sql, message) => {
    const path = tampered(sql);
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(() => new SqliteLog({ path, identity, synchronous: 'FULL' })).toThrow(message);
    }
  });
});

describe('A log of schema version 2', () => {
  const copy = (): string => {
    const path = join(directories.make(), 'raft.db');
    copyFileSync(join(__dirname, '../../fixtures/raft-db-2/raft.db'), path);
    return path;
  };

  it('opens with all it held, and gets the identity of a disk of its own', () => {
    const paths = [copy(), copy()];
    const logs = paths.map((path) => new SqliteLog({ path, identity, synchronous: 'FULL' }));
    for (const log of logs) {
      expect(log.found).toMatchObject({
        migrated: [3],
        hardState: { term: 7, votedFor: identity.memberId },
        configuration: configurationAt(2),
        firstIndex: 3,
        lastIndex: 6,
        peerIncarnations: new Map(),
      });
      expect(log.readTail(1e6).map(({ payload }) => payload.toString())).toEqual(['', 'payload 4', '', 'payload 6']);
      log.close();
    }
    const disks = logs.map(({ found }) => found.incarnation);
    expect(disks.map(({ boots }) => boots)).toEqual([1, 1]);
    expect(new Set(disks.map(({ disk }) => disk)).size).toBe(2);
    const [path = ''] = paths;
    const again = new SqliteLog({ path, identity, synchronous: 'FULL' });
    expect(again.found.incarnation).toMatchObject({ disk: disks[0]?.disk, boots: 2 });
    again.close();
  });
});

describe('The incarnations in a log', () => {
  const tampered = (sql: string): string => {
    const directory = join(directories.make(), 'member');
    mkdirSync(directory);
    createLogIfMissing(directory, identity, initialConfiguration);
    const path = join(directory, 'raft.db');
    const log = new SqliteLog({ path, identity, synchronous: 'FULL' });
    log.notePeer(2n, { disk: 1n, boots: 3, run: 1n });
    log.close();
    const connection = openConnection(path, 'FULL');
    connection.exec(sql);
    connection.close();
    return path;
  };

  it.each([
    ['boots', 'UPDATE incarnation SET boots = 9', 'its incarnation fails its checksum'],
    ['disk', "UPDATE incarnation SET disk = '0000000000000001'", 'its incarnation fails its checksum'],
    ['condemnation', 'UPDATE incarnation SET is_condemned = 1', 'its incarnation fails its checksum'],
    ['row', 'DELETE FROM incarnation', 'its incarnation is missing'],
    ['peer', 'UPDATE peer_incarnation SET boots = 2', 'what is known of peer 0000000000000002 fails its checksum'],
    [
      'peers swapped',
      "UPDATE peer_incarnation SET member_id = '0000000000000003'",
      'what is known of peer 0000000000000003 fails its checksum',
    ],
  ])('are refused when damaged: %s', (_, sql, message) => {
    const path = tampered(sql);
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(() => new SqliteLog({ path, identity, synchronous: 'FULL' })).toThrow(message);
    }
  });
});
