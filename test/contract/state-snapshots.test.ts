/** What snapshots of the key-value state machine guarantee, on every medium. */
import { createHash } from 'node:crypto';
import type { KvStateMachine } from '../../src/kv/state-machine';
import type { Snapshot, SnapshotOffer } from '../../src/raft';
import { bytes, entries, noOp, put, query } from '../support/kv-entries';
import { bytesOf, placeKinds, replay, takeIn, takeInBytes, type StatePlace } from '../support/kv-snapshots';

const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const failed = { code: 'snapshot-failed' };
const superseded = { code: 'superseded' };

describe.each(placeKinds().map((kind) => [kind.name, kind] as const))('Snapshots, %s', (_name, kind) => {
  const open: KvStateMachine[] = [];
  let place: StatePlace;
  let source: KvStateMachine;
  let target: KvStateMachine;

  const opened = (where: StatePlace, ...more: Parameters<StatePlace['open']>): KvStateMachine => {
    const machine = where.open(...more);
    open.push(machine);
    return machine;
  };
  const close = async (machine: KvStateMachine): Promise<void> => {
    open.splice(open.indexOf(machine), 1);
    await machine.close();
  };
  const reopen = async (...more: Parameters<StatePlace['open']>): Promise<KvStateMachine> => {
    await close(target);
    return (target = opened(place, ...more));
  };

  beforeEach(() => {
    place = kind.make();
    target = replay(opened(place), 20);
    source = replay(opened(kind.make()), 500);
  });
  afterEach(async () => {
    for (const machine of open.splice(0)) await machine.close();
    kind.cleanUp();
  });

  describe('taking', () => {
    it('describes what it holds: position, size, SHA-256', async () => {
      const snapshot = await source.takeSnapshot();
      const content = await bytesOf(snapshot);
      expect(snapshot.last).toEqual({ index: 500, term: 1 });
      expect(content).toHaveLength(snapshot.sizeBytes);
      expect(sha256Of(content)).toBe(snapshot.sha256);
      await snapshot.release();
    });

    it('does not change while entries go on being applied', async () => {
      const taking = source.takeSnapshot();
      replay(source, 510);
      const snapshot = await taking;
      const before = await bytesOf(snapshot);
      replay(source, 900);
      expect(snapshot.last.index).toBeGreaterThanOrEqual(500);
      expect(snapshot.last.index).toBeLessThanOrEqual(510);
      expect((await bytesOf(snapshot)).equals(before)).toBe(true);
      await snapshot.release();
    });

    it('reads any part, ends at its end, and nothing after its release', async () => {
      const snapshot = await source.takeSnapshot();
      const whole = await bytesOf(snapshot);
      expect((await bytesOf(snapshot, 1000)).equals(whole)).toBe(true);
      expect(await snapshot.read(snapshot.sizeBytes - 3, 10)).toHaveLength(3);
      expect(await snapshot.read(snapshot.sizeBytes + 3, 10)).toHaveLength(0);
      await snapshot.release();
      await snapshot.release();
      await expect(snapshot.read(0, 10)).rejects.toMatchObject(failed);
    });

    it('takes several at a time', async () => {
      const [one, two] = await Promise.all([source.takeSnapshot(), source.takeSnapshot()]);
      await one.release();
      expect(sha256Of(await bytesOf(two))).toBe(two.sha256);
      await two.release();
    });
  });

  describe('installing', () => {
    let snapshot: Snapshot;
    beforeEach(async () => {
      snapshot = await source.takeSnapshot();
    });
    afterEach(() => snapshot.release());

    it('gives exactly the state of a replay (N1), which goes on as the original does', async () => {
      await takeIn(target, snapshot);
      await target.install(snapshot.last);
      expect(target).toMatchObject({ appliedIndex: 500, appliedTerm: 1, revision: source.revision });
      expect(target.hash()).toBe(source.hash());
      expect(target.range(query())).toEqual(source.range(query()));
      const more = entries(501, [put('key 1', 'new'), noOp, put('another', 'new')]);
      expect(target.apply(more)).toEqual(source.apply(more));
      expect(target.hash()).toBe(source.hash());
    });

    it('is there after opening again', async () => {
      await takeIn(target, snapshot);
      await target.install(snapshot.last);
      replay(target, 505);
      await reopen(snapshot.last);
      expect(target.hash()).toBe(replay(source, 505).hash());
    });

    it('lets a member that installed take and give on the same', async () => {
      await takeIn(target, snapshot);
      await target.install(snapshot.last);
      const again = await target.takeSnapshot();
      const third = opened(kind.make());
      await takeIn(third, again);
      await third.install(again.last);
      expect(third.hash()).toBe(source.hash());
      await again.release();
    });

    it('answers reads from the old state until it is done, and takes no entries', async () => {
      await takeIn(target, snapshot);
      const before = target.get(bytes('key 3'));
      const installing = target.install(snapshot.last);
      expect(target.appliedIndex).toBe(20);
      expect(target.get(bytes('key 3'))).toEqual(before);
      expect(() => replay(target, 21)).toThrow('nothing is applied while a snapshot is installed');
      await installing;
      expect(target.get(bytes('key 3'))).toEqual(source.get(bytes('key 3')));
    });

    it('may be given up by closing, and is completed at the next opening', async () => {
      await takeIn(target, snapshot);
      const installing = target.install(snapshot.last);
      await Promise.all([expect(installing).rejects.toMatchObject({ code: 'stopping' }), close(target)]);
      target = opened(place, snapshot.last);
      expect(target.hash()).toBe(source.hash());
    });

    it('spoils neither a snapshot that is being sent nor one that is coming in', async () => {
      await takeIn(target, snapshot);
      replay(source, 700);
      const newer = await source.takeSnapshot();
      const [sent, coming] = [await target.takeSnapshot(), await target.receiveSnapshot(newer)];
      const content = await bytesOf(newer);
      await coming.write(content.subarray(0, 5000));
      await target.install(snapshot.last);
      expect(sha256Of(await bytesOf(sent))).toBe(sent.sha256);
      await coming.write(content.subarray(5000));
      await coming.finish();
      await target.install(newer.last);
      expect(target.hash()).toBe(source.hash());
      await sent.release();
      await newer.release();
    });

    it('never moves the state back (N3)', async () => {
      await takeIn(target, snapshot);
      replay(target, 500);
      expect(() => target.install(snapshot.last)).toThrow('moves the state forward');
    });

    it('leaves the state as it is while a snapshot is only taken in', async () => {
      const before = target.hash();
      await takeIn(target, snapshot);
      expect(target.hash()).toBe(before);
      replay(target, 25);
      expect((await reopen()).appliedIndex).toBe(25);
    });

    it('is completed at opening, when the log begins where the snapshot ends (N2)', async () => {
      await takeIn(target, snapshot);
      await reopen(snapshot.last);
      expect(target.hash()).toBe(source.hash());
    });

    it('is not begun at opening, when the log does not begin there: the snapshot is gone then', async () => {
      await takeIn(target, snapshot);
      await reopen({ index: 10, term: 1 });
      expect(target.appliedIndex).toBe(20);
      await close(target);
      expect(() => opened(place, snapshot.last)).toThrow('no snapshot that ends there was received');
    });

    it('takes the snapshot at exactly the right place, when several wait', async () => {
      await takeIn(target, snapshot);
      replay(source, 600);
      const newer = await source.takeSnapshot();
      await takeIn(target, newer);
      await newer.release();
      await reopen(snapshot.last);
      expect(target.appliedIndex).toBe(500);
      await reopen(snapshot.last);
      expect(target.appliedIndex).toBe(500);
    });
  });

  describe('opening with a log that begins later than the state reaches', () => {
    it('is refused, and says what to do', async () => {
      await close(target);
      expect(() => opened(place, { index: 21, term: 1 })).toThrow(
        /applied entry 20 of term 1, but the log begins after entry 21 of term 1.*Put back all files/,
      );
      target = opened(place, { index: 20, term: 1 });
      expect(target.appliedIndex).toBe(20);
    });

    it('is refused when the state ends there in another term', async () => {
      await close(target);
      expect(() => opened(place, { index: 20, term: 2 })).toThrow('begins after entry 20 of term 2');
      target = opened(place);
    });
  });

  describe('taking in', () => {
    let content: Buffer;
    let offer: SnapshotOffer;
    beforeEach(async () => {
      const snapshot = await source.takeSnapshot();
      const { last, sizeBytes, sha256 } = snapshot;
      offer = { last, sizeBytes, sha256 };
      content = await bytesOf(snapshot);
      await snapshot.release();
    });

    const chunksOf = (of: Buffer, chunkBytes = 4096): Buffer[] =>
      Array.from({ length: Math.ceil(of.length / chunkBytes) }, (_, at) =>
        of.subarray(at * chunkBytes, (at + 1) * chunkBytes),
      );
    const swapped = (chunks: readonly Buffer[]): Buffer[] => [
      ...chunks.slice(-1),
      ...chunks.slice(1, -1),
      ...chunks.slice(0, 1),
    ];
    /** One bit of a value, where no structure of the database notices. */
    const flipped = (of: Buffer): Buffer => {
      const copy = Buffer.from(of);
      const at = copy.indexOf('value 250 ');
      expect(at).toBeGreaterThan(0);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    };

    it.each<[string, (all: Buffer) => readonly Buffer[]]>([
      ['a chunk is lost', (all) => chunksOf(all).slice(0, -1)],
      ['a chunk comes twice', (all) => [...chunksOf(all), ...chunksOf(all).slice(-1)]],
      [
        'a chunk replaces another',
        (all) => [...chunksOf(all).slice(0, -2), ...Array<Buffer>(2).fill(chunksOf(all)[1] as Buffer)],
      ],
      ['chunks change places', (all) => swapped(chunksOf(all))],
      ['a bit flips', (all) => [flipped(all)]],
      ['nothing comes', () => []],
    ])('refuses it when %s (N6), and changes nothing', async (_, damaged) => {
      const before = target.hash();
      await expect(takeInBytes(target, offer, damaged(content))).rejects.toMatchObject(failed);
      expect(target.hash()).toBe(before);
      await close(target);
      expect(() => opened(place, offer.last)).toThrow('no snapshot');
      target = opened(place);
      expect(target.appliedIndex).toBe(20);
    });

    it('refuses a snapshot that ends elsewhere than it was said to', async () => {
      const lying = { ...offer, last: { index: 500, term: 2 } };
      await expect(takeInBytes(target, lying, [content])).rejects.toMatchObject({
        ...failed,
        message: expect.stringContaining('position of a received snapshot is 500-1, and 500-2 was offered') as string,
      });
    });

    it('refuses what is no state database, though it is what was offered', async () => {
      const text = Buffer.from('no database'.repeat(1000));
      const honest = { ...offer, sizeBytes: text.length, sha256: sha256Of(text) };
      await expect(takeInBytes(target, honest, [text])).rejects.toMatchObject(failed);
      const empty = { ...offer, sizeBytes: 0, sha256: sha256Of(Buffer.alloc(0)) };
      await expect(takeInBytes(target, empty, [])).rejects.toMatchObject(failed);
    });

    it("refuses another cluster's state", async () => {
      const stranger = opened(kind.make(), undefined, 5n);
      const snapshot = await replay(stranger, 3).takeSnapshot();
      await expect(takeIn(target, snapshot)).rejects.toMatchObject({
        ...failed,
        message: expect.stringContaining('belongs to cluster 0000000000000005') as string,
      });
      await snapshot.release();
    });

    it('ends the receiver that a newer one replaces', async () => {
      const older = await target.receiveSnapshot(offer);
      await older.write(content.subarray(0, 100));
      const newer = await target.receiveSnapshot(offer);
      await expect(older.write(content.subarray(100))).rejects.toMatchObject(superseded);
      await expect(older.finish()).rejects.toMatchObject(superseded);
      await newer.write(content);
      await newer.finish();
      await target.install(offer.last);
      expect(target.hash()).toBe(source.hash());
    });

    it('forgets what is discarded, before and after it was finished', async () => {
      const unfinished = await target.receiveSnapshot(offer);
      await unfinished.write(content.subarray(0, 100));
      await unfinished.discard();
      await expect(unfinished.write(content.subarray(100))).rejects.toMatchObject(superseded);
      const finished = await takeInBytes(target, offer, chunksOf(content));
      await finished.discard();
      await finished.discard();
      await close(target);
      expect(() => opened(place, offer.last)).toThrow('no snapshot');
      target = opened(place);
    });

    it('keeps what was finished when a newer receiver begins: it may be about to be installed', async () => {
      await takeInBytes(target, offer, [content]);
      await target.receiveSnapshot(offer);
      await target.install(offer.last);
      expect(target.hash()).toBe(source.hash());
    });
  });

  describe('checkpoint', () => {
    it('tells the applied index that is durable', async () => {
      expect(await target.checkpoint()).toBe(20);
      const checkpoint = target.checkpoint();
      replay(target, 30);
      const durable = await checkpoint;
      expect(durable).toBeGreaterThanOrEqual(20);
      expect(durable).toBeLessThanOrEqual(30);
      expect(await target.checkpoint()).toBe(30);
    });

    it('needs no entry since the opening', async () => {
      await reopen();
      expect(await target.checkpoint()).toBe(20);
    });
  });
});

describe('Snapshots in memory', () => {
  it('are equal, byte for byte, for equal states, however the entries came in batches or from a snapshot', async () => {
    const [kind] = placeKinds();
    const [one, two, three] = [1, 2, 3].map(() => kind?.make().open() as KvStateMachine) as [
      KvStateMachine,
      KvStateMachine,
      KvStateMachine,
    ];
    replay(one, 300);
    for (let index = 1; index <= 300; index += 7) replay(two, Math.min(300, index + 6));
    replay(two, 300);
    const early = await replay(opened(kind), 100).takeSnapshot();
    await takeIn(three, early);
    await three.install(early.last);
    replay(three, 300);
    const hashes = await Promise.all([one, two, three].map(async (machine) => (await machine.takeSnapshot()).sha256));
    expect(new Set(hashes).size).toBe(1);
  });

  it('outlive a crash as far as they were checkpointed', async () => {
    const place = placeKinds()[0]?.make() as StatePlace;
    const machine = replay(place.open(), 20);
    await machine.checkpoint();
    replay(machine, 30);
    expect(place.open().appliedIndex).toBe(20);
  });

  function opened(kind: ReturnType<typeof placeKinds>[number] | undefined): KvStateMachine {
    return kind?.make().open() as KvStateMachine;
  }
});
