/** Alarms in the store: what they forbid, and whose they are. */
import type { AlarmCommand, PlainCommand } from '../../../src/kv/command';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { MemoryStateDisk } from '../../../src/kv/memory-medium';
import type { Result } from '../../../src/kv/result';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import { bytes, entries } from '../../support/kv-entries';
import { takeIn } from '../../support/kv-snapshots';

const retention = { count: 3, resultBytes: 200, ageMs: 10_000 };
let machine: KvStateMachine;
beforeEach(() => {
  machine = openKvStateMachine({ path: ':memory:', clusterId: 7n, disk: new MemoryStateDisk(), retention });
});
afterEach(async () => {
  await machine.close();
});

const apply = (command: PlainCommand): Result | undefined =>
  machine.apply(entries(machine.appliedIndex + 1, [unnamed(command)]))[0];
const change = (action: AlarmCommand['action'], alarm: AlarmCommand['alarm'], memberId: bigint): Result | undefined =>
  apply({ kind: 'alarm', action, alarm, memberId });
const put = (): Result | undefined =>
  apply(putOperation({ key: bytes('k'), value: bytes('v'), form: 'text', lease: 0n }));

describe('An alarm that members hold different data', () => {
  it('forbids everything but what changes no data: alarms, settings, clocks and renewals of leases', () => {
    apply({ kind: 'lease-grant', id: 5n, ttl: 60 });
    change('raise', 'corrupt', 1n);
    const refused: readonly PlainCommand[] = [
      { kind: 'lease-grant', id: 6n, ttl: 60 },
      { kind: 'lease-revoke', id: 5n },
      { kind: 'lease-expire', term: 1, leases: [{ id: 5n, grantIndex: 1, renewals: 0 }] },
      { kind: 'compact', revision: 1 },
    ];
    for (const command of refused) expect(apply(command)).toMatchObject({ kind: 'refused', refusal: 'corrupt' });
    expect(put()).toMatchObject({ kind: 'refused', refusal: 'corrupt' });
    expect(apply({ kind: 'lease-renew', ids: [5n] })).toMatchObject({ leases: [{ id: 5n, ttl: 60 }] });
    expect(machine.lease(5n)).toMatchObject({ renewals: 1 });
    expect(apply({ kind: 'configure', quotaBytes: 1 })).toMatchObject({ changed: true });
    expect(apply({ kind: 'advance-clock', term: 1, elapsedMs: 5 })).toMatchObject({ changed: true });
    expect(change('clear', 'corrupt', 1n)).toMatchObject({ changed: true });
    expect(put()).toMatchObject({ kind: 'put' });
  });
});

describe('The alarm of the quota', () => {
  const standing = (): readonly string[] => machine.alarms.map(({ alarm, memberId }) => `${alarm} ${String(memberId)}`);

  it('forbids what takes space, as one of no space does', () => {
    change('raise', 'quota', 0n);
    expect(put()).toMatchObject({ kind: 'refused', refusal: 'no-space' });
    expect(apply({ kind: 'lease-grant', id: 6n, ttl: 60 })).toMatchObject({ refusal: 'no-space' });
    expect(
      apply({ kind: 'delete', range: { start: bytes('k'), end: undefined }, returnPrevious: false }),
    ).toMatchObject({
      kind: 'delete',
    });
    expect(change('clear', 'quota', 0n)).toMatchObject({ changed: true });
    expect(put()).toMatchObject({ kind: 'put' });
  });

  it('is none that an operator raised, also about no member, and is cleared without it', () => {
    change('raise', 'no-space', 0n);
    expect(change('clear', 'quota', 0n)).toMatchObject({ changed: false });
    expect(change('raise', 'quota', 0n)).toMatchObject({ changed: true });
    expect(standing()).toEqual(['no-space 0', 'quota 0']);
    expect(change('clear', 'quota', 0n)).toMatchObject({ changed: true });
    expect(standing()).toEqual(['no-space 0']);
    expect(put()).toMatchObject({ refusal: 'no-space' });
  });

  it('is cleared by who clears one of no space about no member, which it looks like', () => {
    change('raise', 'quota', 0n);
    change('raise', 'no-space', 9n);
    expect(change('clear', 'no-space', 9n)).toMatchObject({ changed: true });
    expect(standing()).toEqual(['quota 0']);
    change('raise', 'no-space', 0n);
    expect(change('clear', 'no-space', 0n)).toMatchObject({ changed: true });
    expect(change('clear', 'no-space', 0n)).toMatchObject({ changed: false });
    expect(standing()).toEqual([]);
  });

  it('is in every copy of the state', async () => {
    const other = openKvStateMachine({ path: ':memory:', clusterId: 7n, disk: new MemoryStateDisk(), retention });
    change('raise', 'no-space', 0n);
    change('raise', 'quota', 0n);
    const snapshot = await machine.takeSnapshot();
    await takeIn(other, snapshot);
    await other.install(snapshot.last);
    expect(other.alarms).toEqual(machine.alarms);
    expect(other.hash()).toBe(machine.hash());
    await other.close();
  });
});
