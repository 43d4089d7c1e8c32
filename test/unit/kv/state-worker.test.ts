/** What waits for the disk: the worker of a state database in a file. */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { KvStateMachine } from '../../../src/kv/state-machine';
import { entries, put } from '../../support/kv-entries';
import { filePlace, replay, type FilePlace } from '../../support/kv-snapshots';

const directories: string[] = [];
let place: FilePlace;
let machine: KvStateMachine;
beforeEach(() => {
  place = filePlace(directories);
  machine = replay(place.open(), 20);
});
afterEach(async () => {
  await machine.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Entries that add about 8 MiB to the write-ahead log. */
function applyMuch(): void {
  const value = 'x'.repeat(64 * 1024);
  const puts = Array.from({ length: 128 }, (_, at) => put(`big ${String(at)}`, value));
  machine.apply(entries(machine.appliedIndex + 1, puts));
}

describe('The worker of a state database', () => {
  it('moves what a checkpoint made durable into the database itself', async () => {
    await machine.checkpoint();
    rmSync(`${place.path}-wal`);
    const alone = new Database(place.path, { readonly: true });
    expect(alone.prepare('SELECT applied_index FROM meta').pluck().get()).toBe(20);
    alone.close();
  });

  it('moves a grown write-ahead log into the database without being asked', async () => {
    const before = statSync(place.path).size;
    applyMuch();
    expect(statSync(place.path).size).toBe(before);
    // The worker does one thing after the other: when the copy is there, the checkpoint before it was done. The first may have
    // begun while little was written; the next one moves all of that.
    for (let round = 0; round < 4; round++) {
      applyMuch();
      await (await machine.takeSnapshot()).release();
    }
    expect(statSync(place.path).size / 2 ** 20).toBeGreaterThan(16);
  });

  it('stops the member after a checkpoint that failed: the next entry is not applied', async () => {
    await machine.checkpoint();
    rmSync(`${place.path}-wal`);
    await expect(machine.checkpoint()).rejects.toMatchObject({ code: 'damaged' });
    await expect(machine.checkpoint()).rejects.toMatchObject({ code: 'damaged' });
    expect(() => replay(machine, 21)).toThrow('state.db failed');
  });

  it('survives a copy that cannot be made: the state is as it was, and the next copy succeeds', async () => {
    writeFileSync(`${place.path}.taken-1`, 'in the way');
    await expect(machine.takeSnapshot()).rejects.toMatchObject({ code: 'snapshot-failed' });
    replay(machine, 30);
    const snapshot = await machine.takeSnapshot();
    expect(snapshot.last.index).toBe(30);
    await snapshot.release();
    expect(readdirSync(place.directory).filter((name) => name.includes('taken'))).toEqual([]);
  });

  it('leaves no other file behind when the state is closed', async () => {
    await machine.checkpoint();
    await machine.close();
    expect(readdirSync(place.directory)).toEqual(['state.db']);
    expect(existsSync(place.path)).toBe(true);
    machine = place.open();
  });
});
