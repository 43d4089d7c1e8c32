import { seededRng } from '../../../src/base/rng';
import type { Persist } from '../../../src/raft';
import { simpleConfiguration } from '../../../src/raft';
import { Agenda } from '../../../src/sim/world/agenda';
import { SimDisk } from '../../../src/sim/world/disk';

function persist(index: number): Persist {
  const entry = { index, term: 1, kind: 'command' as const, payload: Buffer.from(`entry ${index}`) };
  const hardState = index === 1 ? { term: 1, votedFor: 2n } : undefined;
  return { sequence: index, hardState, snapshot: undefined, entries: [entry] };
}

function build() {
  const agenda = new Agenda();
  const told: string[] = [];
  let isAwake = true;
  const waiting: (() => void)[] = [];
  const disk = new SimDisk({
    ...{ id: 1n, agenda, rng: seededRng(1), quality: { meanWriteMs: 2, meanReadMs: 1 } },
    observer: {
      given: ({ sequence }) => told.push(`given ${sequence}`),
      durable: ({ sequence }) => told.push(`durable ${sequence}`),
      cut: (index) => told.push(`cut ${index}`),
      notify: (tell) => {
        if (isAwake) tell();
        else waiting.push(tell);
      },
    },
  });
  const open = () => disk.open({ configuration: simpleConfiguration([1n]), context: new Uint8Array(0) }, 1000);
  const run = async () => {
    while (agenda.runNext(agenda.now + 100_000)) for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  };
  const sleep = () => {
    isAwake = false;
  };
  const wake = () => {
    isAwake = true;
    for (const tell of waiting.splice(0)) tell();
  };
  return { agenda, disk, told, open, run, sleep, wake };
}

describe('A simulated disk', () => {
  it('is told what is durable when it is, and not before', async () => {
    const { disk, told, open, run } = build();
    const storage = open();
    void storage.persist(persist(1)).then(() => told.push('done 1'));
    expect(disk.lastIndex).toBe(0);
    await run();
    expect(disk.lastIndex).toBe(1);
    expect(told).toEqual(['given 1', 'durable 1', 'done 1']);
  });

  it('loses in a power cut what was not written, save what happened to be', () => {
    const { disk, open } = build();
    const storage = open();
    for (const index of [1, 2, 3]) void storage.persist(persist(index));
    storage.crash(2);
    expect(disk.lastIndex).toBe(2);
    expect(disk.hardState).toEqual({ term: 1, votedFor: 2n });
    expect(open().loaded.lastIndex).toBe(2);
  });

  it('writes although the process stands still, which learns it later', async () => {
    const { disk, told, open, run, sleep, wake } = build();
    const storage = open();
    void storage.persist(persist(1)).then(() => told.push('done 1'));
    sleep();
    await run();
    expect(disk.lastIndex).toBe(1);
    expect(told).not.toContain('done 1');
    wake();
    await run();
    await Promise.resolve();
    expect(told).toContain('done 1');
  });

  it('completes nothing while it stalls', async () => {
    const { disk, open, run } = build();
    const storage = open();
    disk.setStalled(true);
    void storage.persist(persist(1));
    await run();
    expect(disk.lastIndex).toBe(0);
    disk.setStalled(false);
    await run();
    expect(disk.lastIndex).toBe(1);
  });

  it('fails for good, and says so once', async () => {
    const { open, run } = build();
    const storage = open();
    const first = storage.persist(persist(1));
    storage.fail(0);
    await expect(first).rejects.toMatchObject({ code: 'damaged' });
    await expect(storage.persist(persist(2))).rejects.toMatchObject({ code: 'damaged' });
    await expect(storage.failed).resolves.toMatchObject({ code: 'damaged' });
    await run();
  });

  it('finds a flipped bit when the entry is read, and refuses to be opened with it', async () => {
    const { disk, open, run } = build();
    const storage = open();
    void storage.persist(persist(1));
    await run();
    disk.rotten.add(1);
    const read = storage.readEntries({ firstIndex: 1, lastIndex: 1, maxBytes: 100 });
    void run();
    await expect(read).rejects.toMatchObject({ code: 'damaged' });
    expect(() => open()).toThrow('checksum');
  });
});
