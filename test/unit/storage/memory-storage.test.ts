import { MemoryDisk, openMemoryStorage, type MemoryStorage } from '../../../src/storage/memory-storage';
import { entries, identity, initialConfiguration, persister } from '../../support/log-builders';

/** A storage whose writes complete when the test says so. */
function controlled(disk: MemoryDisk): { storage: MemoryStorage; completions: (() => void)[] } {
  const completions: (() => void)[] = [];
  const schedule = (complete: () => void): void => void completions.push(complete);
  const storage = openMemoryStorage({ disk, identity, initialConfiguration, maxTailBytes: 1e6, schedule });
  return { storage, completions };
}

/** Three writes of one entry each, and which of them completed. */
function threeWrites(storage: MemoryStorage): number[] {
  const make = persister();
  const completed: number[] = [];
  for (const index of [1, 2, 3]) void storage.persist(make(entries(index, index))).then(() => completed.push(index));
  return completed;
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

describe('Memory storage', () => {
  it('completes a write when told, and the oldest first, whichever completion runs', async () => {
    const disk = new MemoryDisk();
    const { storage, completions } = controlled(disk);
    const completed = threeWrites(storage);
    await settled();
    expect([completed, disk.lastIndex, storage.pendingWrites]).toEqual([[], 0, 3]);
    completions[2]?.();
    await settled();
    expect([completed, disk.lastIndex, storage.pendingWrites]).toEqual([[1], 1, 2]);
    completions[0]?.();
    completions[1]?.();
    await settled();
    expect(completed).toEqual([1, 2, 3]);
  });

  it('loses in a crash what was not durable, and tells nobody', async () => {
    const disk = new MemoryDisk();
    const { storage, completions } = controlled(disk);
    const completed = threeWrites(storage);
    completions[0]?.();
    storage.crash();
    completions[1]?.();
    completions[2]?.();
    await settled();
    expect(completed).toEqual([1]);
    expect(controlled(disk).storage.loaded.lastIndex).toBe(1);
  });

  it('keeps in a crash as many unreported writes as it is told to', async () => {
    const disk = new MemoryDisk();
    const { storage } = controlled(disk);
    const completed = threeWrites(storage);
    storage.crash(2);
    await settled();
    expect(completed).toEqual([]);
    expect(controlled(disk).storage.loaded.lastIndex).toBe(2);
  });

  it('fails for ever: pending and later calls reject, and `failed` settles', async () => {
    const disk = new MemoryDisk();
    const { storage } = controlled(disk);
    const make = persister();
    const pending = storage.persist(make(entries(1, 1)));
    storage.fail();
    const damaged = { code: 'damaged', outcome: 'unknown' };
    await expect(pending).rejects.toMatchObject(damaged);
    await expect(storage.persist(make([]))).rejects.toMatchObject(damaged);
    await expect(storage.readEntries({ firstIndex: 1, lastIndex: 1, maxBytes: 1 })).rejects.toMatchObject(damaged);
    await expect(storage.truncatePrefix(0)).rejects.toMatchObject(damaged);
    await expect(storage.failed).resolves.toMatchObject(damaged);
  });

  it('ends with a crash: nothing of the old storage reaches the disk of the new one', async () => {
    const disk = new MemoryDisk();
    const { storage } = controlled(disk);
    storage.crash();
    const next = controlled(disk).storage;
    await expect(storage.persist(persister()(entries(1, 1)))).rejects.toMatchObject({ code: 'stopping' });
    await storage.close();
    expect(() => controlled(disk)).toThrow('in use');
    await next.close();
  });
});
