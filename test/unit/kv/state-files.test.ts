/** Every state in which a crash can leave the files of a state database, built by hand and opened. */
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { StateFiles } from '../../../src/kv/state-files';
import type { KvStateMachine } from '../../../src/kv/state-machine';
import type { LogPosition } from '../../../src/raft';
import { filePlace, nothing, replay, takeIn, type FilePlace } from '../../support/kv-snapshots';

const directories: string[] = [];
const open: KvStateMachine[] = [];
let place: FilePlace;
let last: LogPosition;
let newHash: string;
let received: string;

/** A member with entries 1 to 20 that has taken in a snapshot of 1 to 90. Its files are those of a running one. */
beforeEach(async () => {
  place = filePlace(directories);
  const source = replay(filePlace(directories).open(), 90);
  const target = replay(place.open(), 20);
  open.push(source, target);
  const snapshot = await source.takeSnapshot();
  await takeIn(target, snapshot);
  ({ last } = snapshot);
  newHash = source.hash();
  received = `${place.path}.received-90-1`;
  await snapshot.release();
});
afterEach(async () => {
  for (const machine of open.splice(0)) await machine.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Another directory with the files as they are now: what kill -9 leaves. */
function crash(): FilePlace {
  const after = filePlace(directories);
  for (const name of readdirSync(place.directory)) {
    copyFileSync(join(place.directory, name), join(after.directory, name));
  }
  return after;
}

function reopened(after: FilePlace, logStart: LogPosition): KvStateMachine {
  const machine = after.open(logStart);
  open.push(machine);
  return machine;
}

const namesOf = (after: FilePlace): string[] => readdirSync(after.directory).sort();

describe('The files of a state, after a crash', () => {
  it('before the log was reset, give the old state; the snapshot is gone', () => {
    const after = crash();
    expect(existsSync(join(after.directory, 'state.db.received-90-1'))).toBe(true);
    expect(reopened(after, nothing)).toMatchObject({ appliedIndex: 20 });
    expect(namesOf(after).filter((name) => name.includes('received'))).toEqual([]);
  });

  it('after the log was reset, give the new state, though the old one has a write-ahead log', () => {
    const after = crash();
    expect(existsSync(`${after.path}-wal`)).toBe(true);
    expect(reopened(after, last).hash()).toBe(newHash);
    expect(namesOf(after)).toEqual(['state.db', 'state.db-shm', 'state.db-wal']);
  });

  it('after the write-ahead log of the old state was removed, give the new state', () => {
    const after = crash();
    rmSync(`${after.path}-wal`);
    rmSync(`${after.path}-shm`);
    expect(reopened(after, last).hash()).toBe(newHash);
  });

  it('without the old state at all, give the new one', () => {
    const after = crash();
    for (const suffix of ['', '-wal', '-shm']) rmSync(after.path + suffix);
    expect(reopened(after, last).hash()).toBe(newHash);
  });

  it('after the snapshot took the name of the state, give the new state', () => {
    const after = crash();
    rmSync(`${after.path}-wal`);
    rmSync(`${after.path}-shm`);
    renameSync(join(after.directory, 'state.db.received-90-1'), after.path);
    expect(reopened(after, last).hash()).toBe(newHash);
  });

  it('after the first writes to the new state, give those too', async () => {
    const [source, target] = open as [KvStateMachine, KvStateMachine];
    await target.install(last);
    replay(target, 95);
    expect(reopened(crash(), last).hash()).toBe(replay(source, 95).hash());
  });

  it('with snapshots half taken and half received, are cleaned up', () => {
    const after = crash();
    for (const name of ['taken-7', 'receiving-3', 'received-50-1']) writeFileSync(`${after.path}.${name}`, 'half');
    expect(reopened(after, nothing)).toMatchObject({ appliedIndex: 20 });
    expect(namesOf(after)).toEqual(['state.db', 'state.db-shm', 'state.db-wal']);
  });

  it('are not touched where they belong to somebody else', () => {
    writeFileSync(join(place.directory, 'state.db.backup'), 'mine');
    const after = crash();
    reopened(after, last);
    expect(namesOf(after)).toContain('state.db.backup');
  });
});

describe('Switching to a received snapshot', () => {
  it('removes the old write-ahead log for good before the new file bears the name of the state (N2)', () => {
    const after = crash();
    const steps: string[] = [];
    const descriptors = new Map<number, string>();
    const openSync = fs.openSync;
    jest.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
      const descriptor = openSync(path, flags, mode);
      descriptors.set(descriptor, String(path));
      return descriptor;
    });
    jest.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      steps.push(`sync ${descriptors.get(descriptor) === after.directory ? 'directory' : 'another'}`);
    });
    const { rmSync: remove, renameSync: rename } = fs;
    jest.spyOn(fs, 'rmSync').mockImplementation((path, options) => {
      steps.push(`remove ${String(path).slice(after.path.length)}`);
      remove(path, options);
    });
    jest.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      steps.push(`rename to ${String(to).slice(dirname(after.path).length + 1)}`);
      rename(from, to);
    });
    new StateFiles(after.path).switchTo(last);
    expect(steps).toEqual([
      'remove -wal',
      'remove -shm',
      'remove -journal',
      'sync directory',
      'rename to state.db',
      'sync directory',
    ]);
  });

  it('would be spoilt by an old write-ahead log: SQLite plays it into whatever bears the name', () => {
    const after = crash();
    renameSync(join(after.directory, 'state.db.received-90-1'), after.path);
    expect(() => reopened(after, last)).toThrow();
  });

  it('leaves a file that needs no other file beside it', () => {
    const db = new Database(received, { readonly: true });
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(db.prepare('SELECT applied_index FROM meta').pluck().get()).toBe(90);
    db.close();
  });
});
