/**
 * Bugs that etcd had in its store and its watches, each with the test that would have found it here. The list is that of
 * etcd's tests/robustness/README.md; the ones that take processes are in test/integration/etcd-bugs.test.ts.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { between, seededRng } from '../../../src/base/rng';
import type { Command, Operation, RangeOperation } from '../../../src/kv/command';
import { deleteOperation, putOperation, unnamed } from '../../../src/kv/command-builders';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, put } from '../../support/kv-entries';
import { WatchedStore } from '../../support/watched-store';

const compact = (revision: number): Command => unnamed({ kind: 'compact', revision });

const txn = (...success: readonly Operation[]): Command => unnamed({ kind: 'txn', compares: [], success, failure: [] });

const putting = (key: string, value: string) => putOperation({ key: bytes(key), value: bytes(value), form: 'text' });

const readingAt = (revision: number): RangeOperation => ({
  ...{ kind: 'range', range: { start: bytes('a'), end: bytes('b') }, revision, limit: 0 },
  ...{ sortTarget: 'key', sortOrder: 'none', keysOnly: false, countOnly: false },
  ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
});

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bugs-'));
  directories.push(directory);
  return directory;
}

/** What a process that is killed at this moment leaves behind, opened again. */
function afterKill(directory: string): KvStateMachine {
  const copy = newDirectory();
  for (const file of ['state.db', 'state.db-wal']) {
    if (existsSync(join(directory, file))) copyFileSync(join(directory, file), join(copy, file));
  }
  return openKvStateMachine({ path: join(copy, 'state.db'), clusterId: 7n });
}

describe('etcd #13766: data and applied index were written apart, so that a crash let revisions diverge', () => {
  it('a member that dies at any moment has the state of exactly the entries that it counts as applied', async () => {
    const directory = newDirectory();
    const rng = seededRng(13_766);
    const log = entries(
      1,
      Array.from({ length: 60 }, () => {
        const key = `k${String(between(rng, 0, 5))}`;
        return between(rng, 0, 3) === 0 ? del(key) : txn(putting(key, 'v'), putting(`${key}/2`, 'v'));
      }),
    );
    const member = new WatchedStore({}, join(directory, 'state.db'));
    const witness = new WatchedStore();
    for (let applied = 0; applied < log.length;) {
      const batch = log.slice(applied, applied + between(rng, 1, 7));
      member.machine.apply(batch);
      witness.machine.apply(batch);
      applied += batch.length;
      const revived = afterKill(directory);
      expect(revived).toMatchObject({ appliedIndex: applied, revision: witness.machine.revision });
      expect(revived.hash()).toBe(witness.machine.hash());
      await revived.close();
    }
    await member.machine.close();
  });
});

describe('etcd #14685 and #17780: a crash during defragmentation or compaction lost data or set the revision back', () => {
  it('a member that dies at any step has its revision and its state, and comes to the same end', async () => {
    const directory = newDirectory();
    const member = new WatchedStore({}, join(directory, 'state.db'));
    const witness = new WatchedStore();
    // Enough that there are pages to give back.
    const value = 'x'.repeat(20_000);
    const rounds = Array.from({ length: 120 }, (_, at) => [
      put(`k${String(at % 7)}`, value),
      del(`k${String(at % 5)}`),
    ]);
    // The last revisions are those of deletions, whose rows a compaction removes.
    const commands = [...rounds.flat(), ...Array.from({ length: 7 }, (_, at) => del(`k${String(at)}`))];
    for (const store of [member, witness]) {
      store.apply(put('stays', 'old'), put('stays', 'new'));
      store.apply(...commands);
      store.apply(compact(store.machine.revision));
    }
    const { revision } = witness.machine;
    let steps = 0;
    const look = async () => {
      const revived = afterKill(directory);
      expect(revived.revision).toBe(revision);
      expect(revived.get(bytes('stays'))?.value).toEqual(bytes('new'));
      expect(revived.hash()).toBe(witness.machine.hash());
      while (revived.compactStep());
      expect([revived.revision, revived.hash()]).toEqual([revision, witness.machine.hash()]);
      await revived.close();
      steps++;
    };
    await look();
    while (member.machine.compactStep()) await look();
    let given = 0;
    for (let more = true; more;) {
      const vacuumed = await member.machine.vacuumStep();
      given += vacuumed.given;
      more = vacuumed.more;
      await look();
    }
    await member.machine.checkpoint();
    await look();
    expect(steps).toBeGreaterThan(4);
    expect(given).toBeGreaterThan(0);
    await member.machine.close();
  });
});

describe('etcd #15220: a progress notification overtook the events before it', () => {
  it('a watch is a bookmark only for what was taken, live and from the history', () => {
    const store = new WatchedStore();
    const live = store.watch(0);
    store.apply(put('a', '1'), put('a', '2'), put('a', '3'));
    const late = store.watch(2);
    for (const watch of [live, late]) {
      const seen: number[] = [];
      while (!watch.isSynced) {
        const before = watch.revision;
        const told = store.take(watch).map((event) => Number.parseInt(event, 10));
        store.turns.settle();
        for (const revision of told) expect(revision).toBeGreaterThan(before);
        seen.push(...told);
        expect(watch.revision).toBe(seen.at(-1) ?? before);
      }
      expect(seen).toEqual([2, 3, 4]);
    }
  });
});

describe('etcd #15271: a resumed watch, answered by a member that was behind, went back in time', () => {
  it('a watch from a revision that a member has not reached waits for it, and hears of nothing before', () => {
    const [current, behind] = [new WatchedStore(), new WatchedStore()];
    const log = Array.from({ length: 10 }, (_, at) => put('a', String(at)));
    current.apply(...log);
    behind.apply(...log.slice(0, 4));
    const first = current.watch(2);
    const told = Array.from({ length: 6 }, () => current.takeOne(first)).flat();
    expect(told.at(-1)).toBe('7 a=5');
    const resumed = behind.watch(first.revision + 1);
    for (const command of log.slice(4)) {
      behind.apply(command);
      told.push(...behind.takeAll(resumed));
    }
    expect(told).toEqual(log.map((_, at) => `${String(at + 2)} a=${String(at)}`));
  });
});

describe('etcd #17247: a watch was told an event twice, read once from the store and once from what was being written', () => {
  it('a watch that reads history while transactions are applied is told each change once', () => {
    const rng = seededRng(17_247);
    const store = new WatchedStore({ catchUpChanges: 3, maxQueuedBytes: 2000 });
    const expected: string[] = [];
    const told: string[] = [];
    const watch = store.watch(2);
    for (let round = 0; round < 500; round++) {
      const keys = ['a', 'b', 'c'].slice(0, between(rng, 1, 3));
      store.apply(txn(...keys.map((key) => putting(key, String(round)))));
      const { revision } = store.machine;
      expected.push(...keys.map((key) => `${String(revision)} ${key}=${String(round)}`));
      // Sometimes it reads, sometimes the hub reads for it, sometimes it falls behind.
      if (between(rng, 0, 1) === 0) told.push(...store.take(watch, 1000));
      if (between(rng, 0, 2) === 0) store.turns.end();
    }
    told.push(...store.takeAll(watch));
    expect(told).toEqual(expected);
  });
});

describe('etcd #17529: events were lost when a stream starved', () => {
  it('a watch that takes nothing for a long time is told everything when it does, and costs its budget meanwhile', () => {
    const store = new WatchedStore({ maxQueuedBytes: 16 * 1024 });
    const starving = store.watch(0);
    const reading = store.watch(0);
    const count = 3000;
    for (let at = 0; at < count; at += 100) {
      store.apply(...Array.from({ length: 100 }, (_, i) => put('key', String(at + i))));
      store.turns.end();
      expect(store.takeAll(reading)).toHaveLength(100);
    }
    expect(starving.isSynced).toBe(false);
    expect(store.takeAll(starving)).toEqual(
      Array.from({ length: count }, (_, at) => `${String(at + 2)} key=${String(at)}`),
    );
  });
});

describe('etcd #18089: a watch that was behind missed a deletion when the store was compacted at its revision', () => {
  it('a watch that is behind is told of the deletion at the compacted revision', () => {
    const store = new WatchedStore({ catchUpChanges: 1, maxQueuedBytes: 1 });
    store.apply(put('a', '1'), put('b', '1'), del('a'));
    const watch = store.watch(2);
    expect(store.takeOne(watch)).toEqual(['2 a=1']);
    expect(store.takeOne(watch)).toEqual(['3 b=1']);
    expect(watch.isSynced).toBe(false);
    store.apply(compact(4));
    store.sweep();
    expect(store.takeAll(watch)).toEqual(['4 a deleted']);
  });

  it('a watch that fell behind before it is told that it missed something', () => {
    const store = new WatchedStore({ maxQueuedBytes: 1 });
    const watch = store.watch(2);
    store.apply(put('a', '1'), put('b', '1'), del('a'));
    store.turns.settle();
    store.apply(compact(4));
    store.sweep();
    expect(store.takeAll(watch)).toEqual(['compacted at 4']);
  });
});

describe('etcd #18667: a transaction that read a compacted revision let members diverge', () => {
  it('every member refuses it in the same way and keeps the same state, wherever it is with its own sweeping', async () => {
    const directory = newDirectory();
    const stores = [new WatchedStore(), new WatchedStore(), new WatchedStore({}, join(directory, 'state.db'))];
    for (const store of stores) {
      store.apply(put('a', '1'), put('a', '2'), put('a', '3'), put('a', '4'), put('a', '5'));
      store.apply(compact(4));
    }
    stores[1]?.sweep();
    await stores[2]?.machine.close();
    // One was started anew, and knows only what is on its disk.
    stores[2] = new WatchedStore({}, join(directory, 'state.db'));
    const nested = { kind: 'txn', compares: [], success: [readingAt(3)], failure: [] } as const;
    const commands = [
      txn(putting('a/new', 'x'), readingAt(3)),
      txn(deleteOperation(bytes('a')), nested),
      txn(putting('a/new', 'x'), readingAt(99)),
      txn(putting('a/new', 'x'), readingAt(4)),
    ];
    const outcomes = stores.map((store) => ({
      results: commands.flatMap((it) => store.apply(it)),
      hash: store.machine.hash(),
    }));
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[0]?.results.map((result) => (result.kind === 'refused' ? result.refusal : result.kind))).toEqual([
      'compacted',
      'compacted',
      'future-revision',
      'txn',
    ]);
    expect(stores[0]?.machine.revision).toBe(7);
    for (const { machine } of stores) await machine.close();
  });
});

describe('etcd #19179: a watch that was opened at the compacted revision missed its deletion', () => {
  it.each(['before the sweep', 'after the sweep', 'after a restart'])('is told of it, %s', async (moment) => {
    const path = join(newDirectory(), 'state.db');
    let store = new WatchedStore({}, path);
    store.apply(put('a', '1'), put('b', '1'), del('a'), put('c', '1'));
    store.apply(compact(4));
    if (moment !== 'before the sweep') store.sweep();
    if (moment === 'after a restart') {
      await store.machine.close();
      store = new WatchedStore({}, path);
    }
    expect(store.takeAll(store.watch(4))).toEqual(['4 a deleted', '5 c=1']);
    expect(store.takeAll(store.watch(3))).toEqual(['compacted at 4']);
    await store.machine.close();
  });
});
