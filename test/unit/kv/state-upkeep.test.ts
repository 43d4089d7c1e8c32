/** Space that a compaction frees: what is removed, in which steps, and what is left when it is interrupted; and what comes before it. */
import { rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { silentLogger } from '../../../src/base/logger';
import type { Command } from '../../../src/kv/command';
import { unnamed } from '../../../src/kv/command-builders';
import type { ApplyListener } from '../../../src/kv/result';
import { StateUpkeep, type StateUpkeepParts } from '../../../src/kv/state-upkeep';
import type { KvStateMachine, RowsChecked } from '../../../src/kv/state-machine';
import { del, entries, put } from '../../support/kv-entries';
import { filePlace, type FilePlace } from '../../support/kv-snapshots';
import { VirtualTime } from '../../support/virtual-time';

const directories: string[] = [];
let place: FilePlace;
let machine: KvStateMachine;
beforeEach(() => {
  place = filePlace(directories);
  machine = place.open();
});
afterEach(async () => {
  await machine.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const apply = (...commands: readonly Command[]): void => {
  machine.apply(entries(machine.appliedIndex + 1, commands));
};
const compact = (revision: number): void => {
  apply(unnamed({ kind: 'compact', revision }));
};
/** The rows that are there: key and revision. */
const rows = (): string[] => {
  const db = new Database(place.path, { readonly: true });
  const found = db.prepare('SELECT CAST(key AS TEXT) || revision FROM history_rows ORDER BY row').pluck().all();
  db.close();
  return found as string[];
};
const sweep = (): number => {
  let steps = 1;
  while (machine.compactStep()) steps += 1;
  return steps;
};

describe('Removing what was compacted', () => {
  it('keeps the version that holds at the compacted revision, and everything since', () => {
    apply(put('a', '1'), put('b', '1'), put('a', '2'), put('a', '3'), put('b', '2'));
    compact(4);
    sweep();
    expect(rows()).toEqual(['b3', 'a4', 'a5', 'b6']);
    compact(6);
    sweep();
    expect(rows()).toEqual(['a5', 'b6']);
  });

  it('keeps a deletion at exactly the compacted revision until the next one (etcd #18089, #19179)', () => {
    apply(put('a', '1'), del('a'), put('b', '1'));
    compact(3);
    sweep();
    expect(rows()).toEqual(['a3', 'b4']);
    expect(machine.changes(3, 10, 1000)).toMatchObject([{ kind: 'delete', revision: 3 }, { revision: 4 }]);
    compact(4);
    sweep();
    expect(rows()).toEqual(['b4']);
  });

  it('looks at a row once more only if it was at the compacted revision', () => {
    apply(...Array.from({ length: 2000 }, (_, at) => put(`k${String(at)}`, '')));
    compact(2001);
    expect(sweep()).toBeGreaterThan(5);
    apply(put('k5', 'again'));
    compact(2002);
    expect(sweep()).toBe(2);
    expect(rows()).toHaveLength(2000);
  });

  it('takes steps of bounded length, however many versions a key has', () => {
    apply(...Array.from({ length: 3000 }, () => put('hot', 'x')));
    compact(3001);
    machine.compactStep();
    expect(rows()).toHaveLength(3000 - 128);
    expect(sweep()).toBeGreaterThan(10);
    expect(rows()).toEqual(['hot3001']);
  });

  it('goes on where it was when it is interrupted, even by the next compaction', async () => {
    apply(...Array.from({ length: 1500 }, (_, at) => put(`k${String(at % 500)}`, '')));
    compact(1200);
    machine.compactStep();
    machine.compactStep();
    compact(1501);
    machine.compactStep();
    await machine.close();
    machine = place.open();
    sweep();
    expect(rows()).toEqual(Array.from({ length: 500 }, (_, at) => `k${String(at)}${String(at + 1002)}`));
    await machine.close();
    machine = place.open();
    expect(machine.keyCount).toBe(500);
  });

  it('tells who waits when nothing is left', async () => {
    apply(put('a', '1'), put('a', '2'));
    await machine.spaceReclaimed();
    compact(3);
    let isReclaimed = false;
    const waiting = machine.spaceReclaimed().then(() => (isReclaimed = true));
    await Promise.resolve();
    expect(isReclaimed).toBe(false);
    sweep();
    await waiting;
    expect(isReclaimed).toBe(true);
  });

  it('ends for who waits when the store is closed', async () => {
    apply(put('a', '1'), put('a', '2'));
    compact(3);
    const waiting = expect(machine.spaceReclaimed()).rejects.toMatchObject({ code: 'stopping' });
    await machine.close();
    await waiting;
  });
});

describe('The upkeep of a state', () => {
  it('removes rows, gives pages back, and cuts the file, a little at a time', async () => {
    const value = 'x'.repeat(10_000);
    for (let round = 0; round < 8; round++) apply(...Array.from({ length: 100 }, () => put('key', value)));
    await machine.checkpoint();
    const before = statSync(place.path).size;
    expect(before).toBeGreaterThan(8_000_000);
    const time = new VirtualTime();
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => void failures.push(error);
    const upkeep = new StateUpkeep({ scheduler: time, machine, logger: silentLogger, onFailure });
    upkeep.start();
    compact(machine.revision);
    for (let turn = 0; turn < 400 && statSync(place.path).size > before / 4; turn++) {
      await time.pass(5);
      await new Promise((resolve) => void setImmediate(resolve));
      await machine.vacuumStep();
    }
    expect(statSync(place.path).size).toBeLessThan(before / 4);
    expect(machine.sizeInUseBytes()).toBeLessThan(200_000);
    expect(failures).toEqual([]);
    upkeep.stop();
  });

  const onFailure = (error: unknown): void => {
    throw error;
  };

  /** Notes what it is asked to do, in one word each; some of it is to be done three times. */
  function noting(steps: string[]): StateUpkeepParts['machine'] & { compacted(): void } {
    let checks = 0;
    const listeners: ApplyListener[] = [];
    return {
      addListener: (listener) => void listeners.push(listener),
      compacted: () => {
        for (const listener of listeners) listener.onCompacted(9);
      },
      checkStep: () => {
        steps.push('check');
        return Promise.resolve(++checks < 3 ? 'more' : 'checked');
      },
      compactStep: () => {
        steps.push('rows');
        return false;
      },
      vacuumStep: () => {
        steps.push('pages');
        return Promise.resolve({ given: 0, more: false });
      },
      checkpoint: () => Promise.resolve(0),
    };
  }

  it('checks all rows before it removes any, whatever is compacted meanwhile', async () => {
    const time = new VirtualTime();
    const steps: string[] = [];
    const infos: string[] = [];
    const logger = { ...silentLogger, info: (_: object, message: string) => void infos.push(message) };
    const machine = noting(steps);
    const upkeep = new StateUpkeep({ scheduler: time, machine, logger, onFailure });
    // While the member starts, and applies what it had not applied.
    machine.compacted();
    await time.pass(25);
    expect(steps).toEqual([]);
    upkeep.start();
    await time.pass(5);
    machine.compacted();
    for (let turn = 0; turn < 10; turn++) await time.pass(25);
    expect(steps).toEqual(['check', 'check', 'check', 'rows', 'pages']);
    expect(infos).toEqual(['every row of the state was checked']);
    machine.compacted();
    for (let turn = 0; turn < 10; turn++) await time.pass(25);
    expect(steps.slice(5)).toEqual(['rows', 'pages']);
    upkeep.stop();
  });

  it('does nothing any more when it is stopped during a step, even the last one of the check', async () => {
    const time = new VirtualTime();
    const steps: string[] = [];
    const checkStep = (): Promise<RowsChecked> => {
      upkeep.stop();
      return Promise.resolve('checked');
    };
    const upkeep = new StateUpkeep({
      ...{ scheduler: time, machine: { ...noting(steps), checkStep } },
      ...{ logger: silentLogger, onFailure },
    });
    upkeep.start();
    for (let turn = 0; turn < 10; turn++) await time.pass(25);
    expect(steps).toEqual([]);
  });

  it('stops the member when a step fails', async () => {
    const time = new VirtualTime();
    const failures: unknown[] = [];
    const failing = {
      addListener: () => undefined,
      checkStep: () => Promise.resolve('none' as const),
      compactStep: (): boolean => {
        throw new Error('broken');
      },
      vacuumStep: () => Promise.resolve({ given: 0, more: false }),
      checkpoint: () => Promise.resolve(0),
    };
    const onFailure = (error: unknown): void => void failures.push(error);
    new StateUpkeep({ scheduler: time, machine: failing, logger: silentLogger, onFailure }).start();
    await time.pass(5);
    expect(failures).toMatchObject([{ message: 'broken' }]);
  });
});
