/** What every `Storage` must remember of incarnations, its own and the peers' (invariant M7), run against each of them. */
import type { Storage } from '../../src/storage/storage';
import { entry, implementations, persister, type Medium } from '../support/log-builders';

describe.each(implementations().map((one) => [one.name, one] as const))('Incarnations: %s', (_name, implementation) => {
  let medium: Medium;
  let storage: Storage;

  beforeEach(async () => {
    medium = implementation.medium();
    storage = await medium.open();
  });
  afterEach(async () => {
    await storage.close();
    implementation.cleanUp();
  });

  async function reopen(): Promise<Storage> {
    await storage.close();
    storage = await medium.open();
    return storage;
  }

  it('counts its openings, each with a run of its own, on one disk', async () => {
    const lives = [storage.loaded.incarnation];
    for (let boot = 2; boot <= 4; boot++) lives.push((await reopen()).loaded.incarnation);
    expect(lives.map(({ boots }) => boots)).toEqual([1, 2, 3, 4]);
    expect(new Set(lives.map(({ run }) => run)).size).toBe(4);
    expect(new Set(lives.map(({ disk }) => disk)).size).toBe(1);
  });

  it('is another disk when it is made anew', async () => {
    const other = await implementation.medium().open();
    expect(other.loaded.incarnation.disk).not.toBe(storage.loaded.incarnation.disk);
    expect(other.loaded.incarnation.run).not.toBe(storage.loaded.incarnation.run);
    await other.close();
  });

  it('remembers the newest incarnation that was noted of each peer, with all 64 bits', async () => {
    const newest = { disk: 0xffffffffffffffffn, boots: 8, run: 0x8000000000000000n };
    const other = { disk: 1n, boots: 1, run: 2n };
    await storage.notePeer(0xffffffffffffffffn, { ...newest, boots: 7, run: 5n });
    await storage.notePeer(3n, other);
    await storage.notePeer(0xffffffffffffffffn, newest);
    const expected = new Map([
      [0xffffffffffffffffn, newest],
      [3n, other],
    ]);
    expect((await reopen()).loaded.peerIncarnations).toEqual(expected);
    expect((await reopen()).loaded.peerIncarnations).toEqual(expected);
  });

  it('makes nothing durable before the peer that was noted before it', async () => {
    const order: string[] = [];
    const noted = storage.notePeer(2n, { disk: 1n, boots: 1, run: 1n }).then(() => order.push('noted'));
    const persisted = storage.persist(persister()([entry(1)])).then(() => order.push('persisted'));
    await Promise.all([noted, persisted]);
    expect(order).toEqual(['noted', 'persisted']);
  });

  it('is never opened again once it was condemned', async () => {
    await storage.condemn();
    for (let attempt = 0; attempt < 2; attempt++) await expect(reopen()).rejects.toMatchObject({ code: 'damaged' });
  });
});
