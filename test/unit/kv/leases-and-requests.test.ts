/** Leases as the log makes and ends them (E2, E5, E6), and requests that are done once (X1 to X5). */
import type { Command, PlainCommand } from '../../../src/kv/command';
import { unnamed } from '../../../src/kv/command-builders';
import { MemoryStateDisk } from '../../../src/kv/memory-medium';
import type { ApplyListener, Result } from '../../../src/kv/result';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { attached, bytes, del, entries, put } from '../../support/kv-entries';

let disk: MemoryStateDisk;
let machine: KvStateMachine;
const retention = { count: 3, resultBytes: 200, ageMs: 10_000 };
const open = (): KvStateMachine => openKvStateMachine({ path: ':memory:', clusterId: 7n, disk, retention });
beforeEach(() => {
  disk = new MemoryStateDisk();
  machine = open();
});
afterEach(async () => {
  await machine.close();
});

const apply = (...commands: readonly Command[]): readonly (Result | undefined)[] =>
  machine.apply(entries(machine.appliedIndex + 1, commands));
const plain = (command: PlainCommand): Result | undefined => apply(unnamed(command))[0];
const named = (id: number, command: Command): Command => {
  const requestId = Buffer.alloc(16, 1);
  requestId[15] = id;
  return { ...command, requestId };
};
const keys = (lease: bigint): string[] => machine.leaseKeys(lease).map((key) => Buffer.from(key).toString());

describe('Leases', () => {
  beforeEach(() => {
    plain({ kind: 'lease-grant', id: 5n, ttl: 60 });
  });

  it('hold the keys that were attached last, each key one lease', () => {
    plain({ kind: 'lease-grant', id: -6n, ttl: 60 });
    apply(attached('b', 5n), attached('a', 5n), attached('c', 5n), attached('c', -6n), put('b', 'free'));
    expect([keys(5n), keys(-6n)]).toEqual([['a'], ['c']]);
    apply(del('c'));
    expect(keys(-6n)).toEqual([]);
    expect(machine.get(bytes('a'))).toMatchObject({ lease: 5n });
    expect(machine.get(bytes('b'))).toMatchObject({ lease: 0n });
    expect(machine.get(bytes('b'), 2)).toMatchObject({ lease: 5n });
  });

  it('end with all their keys at one revision, in the order of the bytes', () => {
    apply(attached('b', 5n), attached('c', 5n), attached('a', 5n));
    expect(plain({ kind: 'lease-revoke', id: 5n })).toEqual({
      kind: 'lease',
      revision: 5,
      leases: [{ id: 5n, ttl: 60 }],
    });
    const ended = machine.changes(5, 10, 1000);
    expect(ended.map(({ sub, kind, record }) => [sub, kind, Buffer.from(record.key).toString()])).toEqual([
      [0, 'delete', 'a'],
      [1, 'delete', 'b'],
      [2, 'delete', 'c'],
    ]);
    expect(machine.leaseCount).toBe(0);
    expect(apply(attached('a', 5n))).toMatchObject([{ kind: 'refused', refusal: 'lease-not-found' }]);
  });

  it('expire only by the word of the leader of that term that measured this grant and its last renewal (E2)', () => {
    const deadline = { id: 5n, grantIndex: 1, renewals: 1 };
    const expire = (term: number, lease: Partial<typeof deadline> = {}): Result | undefined =>
      plain({ kind: 'lease-expire', term, leases: [{ ...deadline, ...lease }] });
    plain({ kind: 'lease-renew', ids: [5n, 99n] });
    expect(machine.lease(5n)).toMatchObject({ renewals: 1, grantIndex: 1 });
    for (const unfounded of [expire(2), expire(1, { renewals: 0 }), expire(1, { grantIndex: 3 })]) {
      expect(unfounded).toMatchObject({ leases: [] });
    }
    expect(machine.leaseCount).toBe(1);
    expect(expire(1)).toMatchObject({ leases: [{ id: 5n }] });
    expect(machine.leaseCount).toBe(0);
  });

  it('age by the clock of the store, which moves in bounded steps while they are there', () => {
    plain({ kind: 'advance-clock', term: 1, elapsedMs: 60_000 });
    expect(machine.clockMs).toBe(1000);
    plain({ kind: 'lease-renew', ids: [5n] });
    expect(machine.lease(5n)).toMatchObject({ renewedAt: 1000 });
    expect(plain({ kind: 'advance-clock', term: 2, elapsedMs: 10 })).toMatchObject({ changed: false });
    plain({ kind: 'lease-revoke', id: 5n });
    plain({ kind: 'advance-clock', term: 1, elapsedMs: 60_000 });
    expect(machine.clockMs).toBe(61_000);
  });

  it('and their keys are there after a restart', async () => {
    apply(attached('a', 5n), attached('b', 5n), put('b', 'free'));
    plain({ kind: 'lease-renew', ids: [5n] });
    await machine.close();
    machine = open();
    expect(machine.lease(5n)).toEqual({ id: 5n, ttl: 60, renewals: 1, renewedAt: 0, grantIndex: 1 });
    expect(keys(5n)).toEqual(['a']);
  });

  it('are told to who listens, after the changes of the batch', () => {
    const told: string[] = [];
    const listener: ApplyListener = {
      onChanges: (changes) => void told.push(`changes ${changes.map(({ revision }) => revision).join()}`),
      onLeaseRenewed: ({ id, renewals }) => void told.push(`renewed ${String(id)} ${String(renewals)}`),
      onLeaseEnded: (id) => void told.push(`ended ${String(id)}`),
      onCompacted: (revision) => void told.push(`compacted ${String(revision)}`),
      onReplaced: () => void told.push('replaced'),
    };
    machine.addListener(listener);
    apply(
      attached('a', 5n),
      unnamed({ kind: 'lease-renew', ids: [5n] }),
      unnamed({ kind: 'compact', revision: 2 }),
      unnamed({ kind: 'lease-revoke', id: 5n }),
      put('b', '1'),
    );
    expect(told).toEqual(['changes 2,3,4', 'renewed 5 1', 'ended 5', 'compacted 2']);
  });
});

describe('A request with an id', () => {
  it('is done once, and gets its first answer for ever, also after a restart (X1, X5)', async () => {
    const [first] = apply(named(1, put('a', '1')));
    apply(put('a', '2'));
    expect(apply(named(1, put('a', '1')))).toEqual([{ ...first, replayed: true }]);
    await machine.close();
    machine = open();
    expect(apply(named(1, put('a', '1')))).toEqual([{ ...first, replayed: true }]);
    expect(machine.get(bytes('a'))).toMatchObject({ value: bytes('2'), version: 2 });
  });

  it('is not done with another command', () => {
    apply(named(1, put('a', '1')));
    expect(apply(named(1, put('a', '2')))).toMatchObject([{ kind: 'refused', refusal: 'request-mismatch' }]);
    expect(machine.get(bytes('a'))).toMatchObject({ value: bytes('1') });
  });

  it('that was refused stays refused: its caller was told that it has no effect and never will', () => {
    const wish = named(1, attached('a', 9n));
    expect(apply(wish)).toMatchObject([{ kind: 'refused', refusal: 'lease-not-found' }]);
    plain({ kind: 'lease-grant', id: 9n, ttl: 60 });
    expect(apply(wish)).toMatchObject([{ kind: 'refused', refusal: 'lease-not-found', replayed: true }]);
    expect(machine.keyCount).toBe(0);
  });

  it('is refused once it may have been forgotten, in the order of the ids, never done again (X3, X4)', async () => {
    apply(named(2, put('a', '1')), named(4, put('b', '1')), named(6, put('c', '1')), named(8, put('d', '1')));
    expect(machine.requestCount).toBe(3);
    for (const id of [1, 2]) {
      expect(apply(named(id, put('a', 'again')))).toMatchObject([{ kind: 'refused', refusal: 'request-expired' }]);
    }
    await machine.close();
    machine = open();
    expect(apply(named(2, put('a', 'again')))).toMatchObject([{ refusal: 'request-expired' }]);
    expect(apply(named(4, put('b', '1')))).toMatchObject([{ replayed: true }]);
    expect(machine.get(bytes('a'))).toMatchObject({ value: bytes('1') });
  });

  it('is forgotten by the age that the clock of the store gives it, and by the bytes of the answers', () => {
    apply(named(1, put('a', '1')));
    plain({ kind: 'advance-clock', term: 1, elapsedMs: 9_999 });
    expect(machine.requestCount).toBe(1);
    plain({ kind: 'advance-clock', term: 1, elapsedMs: 1 });
    expect(machine.requestCount).toBe(0);
    apply(named(2, put('a', 'x'.repeat(300))));
    const all = { start: bytes(''), end: undefined };
    apply(named(3, unnamed({ kind: 'delete', range: all, returnPrevious: true })));
    expect(machine.requestCount).toBe(0);
    expect(apply(named(3, del('a')))).toMatchObject([{ refusal: 'request-expired' }]);
  });
});
