/** The hash of etcd: the numbers were told by etcd 3.4.23 after the same operations. */
import type { Command } from '../../../src/kv/command';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, put } from '../../support/kv-entries';

let machine: KvStateMachine;
beforeEach(() => {
  machine = openKvStateMachine({ path: ':memory:', clusterId: 7n });
});
afterEach(async () => {
  await machine.close();
});

const apply = (...commands: readonly Command[]): void => {
  machine.apply(entries(machine.appliedIndex + 1, commands));
};
const compact = (revision: number): void => {
  apply(unnamed({ kind: 'compact', revision }));
};
const raw = (key: string, value: string) => putOperation({ key: bytes(key), value: bytes(value), form: 'bytes' });
const hash = async (revision = 0): Promise<number> => (await machine.hashKv(revision)).hash;

/** What etcd was given, up to its revision 7. */
function first(): void {
  const lease = 389739576871771146n;
  const removed = del('a').command;
  if (removed.kind !== 'delete') throw new Error('a delete is a delete');
  apply(put('a', '1'), put('b', '2'), put('a', '3'), del('b'));
  apply(
    unnamed({ kind: 'txn', compares: [], success: [raw('c', '1'), raw('d', '22'), removed], failure: [] }),
    unnamed({ kind: 'lease-grant', id: lease, ttl: 1000 }),
    unnamed({ ...raw('l', 'x'), lease }),
  );
}

describe('HashKV', () => {
  it('is that of an empty store', async () => {
    expect(await machine.hashKv(0)).toEqual({ hash: 1084519789, revision: 1, compactRevision: 0 });
  });

  it('is that of a history with deletions, a transaction and a lease, at any of its revisions', async () => {
    first();
    expect(await machine.hashKv(0)).toEqual({ hash: 1333334856, revision: 7, compactRevision: 0 });
    expect(await hash(7)).toBe(1333334856);
    expect(await hash(5)).toBe(1125682900);
    expect(await hash(4)).toBe(2069675932);
  });

  it.each([
    ['before', false],
    ['after', true],
  ])('leaves out what was compacted, %s it is removed', async (_, isRemoved) => {
    const sweep = (): void => {
      if (isRemoved) while (machine.compactStep());
    };
    first();
    compact(5);
    sweep();
    expect(await machine.hashKv(0)).toEqual({ hash: 828531267, revision: 7, compactRevision: 5 });
    expect(await hash(6)).toBe(73095915);
    compact(6);
    sweep();
    expect(await hash()).toBe(3837636226);
    apply(put('c', '2'), put('c', '3'));
    expect(await hash()).toBe(3572653411);
    expect(await hash(7)).toBe(3837636226);
    apply(del('c'), del('d'), del('l'));
    expect(await hash()).toBe(2318838846);
    compact(12);
    sweep();
    apply(put('z', '1'));
    expect(await hash()).toBe(765405192);
  });

  it('is refused for revisions that cannot be read', async () => {
    first();
    compact(5);
    await expect(machine.hashKv(4)).rejects.toMatchObject({ code: 'compacted', details: { limit: '5' } });
    await expect(machine.hashKv(8)).rejects.toMatchObject({ code: 'future-revision', details: { limit: '7' } });
  });

  it('is that of its revision although the store changes and is compacted meanwhile', async () => {
    apply(...Array.from({ length: 3000 }, (_, at) => put(`k${String(at % 700)}`, String(at))));
    const before = await hash();
    const hashing = machine.hashKv(0);
    apply(put('new', '1'));
    const again = machine.hashKv(3001);
    await new Promise((resolve) => void setImmediate(resolve));
    compact(2000);
    expect(await again).toMatchObject({ revision: 3001, compactRevision: 2000 });
    expect(await hashing).toMatchObject({ compactRevision: 2000 });
    const other = openKvStateMachine({ path: ':memory:', clusterId: 7n });
    other.apply(
      entries(
        1,
        Array.from({ length: 3000 }, (_, at) => put(`k${String(at % 700)}`, String(at))),
      ),
    );
    expect((await other.hashKv(0)).hash).toBe(before);
    other.apply(entries(3001, [unnamed({ kind: 'compact', revision: 2000 })]));
    expect(await other.hashKv(0)).toEqual(await again);
    await other.close();
  });
});
