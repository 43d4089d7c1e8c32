import { requestRetention } from '../../../src/kv/request-table';
import { simpleConfiguration, type Entry } from '../../../src/raft';
import { StateDisk } from '../../../src/sim/world/state-disk';
import { WatchedMachine } from '../../../src/sim/world/watched-machine';

const entry = (index: number): Entry => ({ index, term: 1, kind: 'no-op', payload: new Uint8Array(0) });

function build() {
  const disk = new StateDisk(requestRetention);
  const inner = disk.open({ index: 0, term: 0 });
  const waiting: (() => void)[] = [];
  const machine = new WatchedMachine({
    ...{ inner, disk, isFull: () => false, atOnce: () => undefined },
    observer: {
      beforeApply: () => undefined,
      applied: () => undefined,
      installed: () => undefined,
      snapshotTaken: () => undefined,
    },
    whenDiskIsReady: (work) => waiting.push(work),
    notify: (tell) => {
      tell();
    },
  });
  /** The disk does the next thing that waits for it. */
  const step = async () => {
    waiting.shift()?.();
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  };
  return { disk, inner, machine, step };
}

const log = {
  ...{ hardState: { term: 1, votedFor: undefined }, lastRemoved: { index: 0, term: 0 }, lastIndex: 10 },
  configuration: { index: 0, configuration: simpleConfiguration([1n]), context: new Uint8Array(0) },
  entryAt: entry,
};

describe('A checkpoint of the simulated state database', () => {
  it('takes its time, in which entries are applied that are not part of it (N4)', async () => {
    const { disk, machine, step } = build();
    machine.apply([entry(1)]);
    const done = machine.checkpoint();
    await step();
    machine.apply([entry(2), entry(3)]);
    expect(disk.durableIndex).toBe(0);
    await step();
    await expect(done).resolves.toBe(1);
    expect(disk.durableIndex).toBe(1);
  });

  it('leaves what it was before when the power is cut first', async () => {
    const { disk, inner, machine, step } = build();
    machine.apply([entry(1)]);
    const first = machine.checkpoint();
    await step();
    await step();
    await first;
    machine.apply([entry(2)]);
    void machine.checkpoint();
    await step();
    disk.close(inner);
    disk.cutPower(log, { nextUint32: () => 0 });
    expect(disk.open({ index: 1, term: 1 }).appliedIndex).toBe(1);
  });

  it('does not take the place of a later one', () => {
    const { disk, inner, machine } = build();
    machine.apply([entry(1)]);
    const early = disk.written(inner);
    machine.apply([entry(2)]);
    disk.madeDurable(disk.written(inner));
    disk.madeDurable(early);
    expect(disk.durableIndex).toBe(2);
  });
});
