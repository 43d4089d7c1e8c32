import { QuorateError } from '../../../src/base/error';
import { maxLeaseClockStepMs, type LeaseExpireCommand, type PlainCommand } from '../../../src/kv/command';
import { LeaderTasks } from '../../../src/kv/leader-tasks';
import { answerGraceMs, Lessor, promisedTtl } from '../../../src/kv/lessor';
import type { LeaseInfo } from '../../../src/kv/result';
import { taskSurroundings } from '../../support/store-tasks';

const ttl = 10;
const lifeMs = ttl * 1000 + answerGraceMs;
const clockErrorMs = 2 * maxLeaseClockStepMs;

const lease = (id: bigint, more: Partial<LeaseInfo> = {}): LeaseInfo => ({
  ...{ id, ttl, grantIndex: Number(id) + 100, renewals: 0, renewedAt: 0 },
  ...more,
});

/** A lessor in its rounds; ends leases as the state machine would. */
class Bench {
  readonly around = taskSurroundings();
  readonly time = this.around.time;
  readonly store = this.around.store;
  readonly proposer = this.around.proposer;
  term: number | undefined = 5;
  lessor: Lessor;

  constructor(known: readonly LeaseInfo[] = [], maxExpiriesPerSecond = 1000) {
    for (const info of known) this.store.leasesById.set(info.id, info);
    const leadingTerm = () => this.term;
    this.lessor = new Lessor({ ...this.around.parts, maxExpiriesPerSecond, leadingTerm });
    new LeaderTasks({ scheduler: this.time, tasks: [this.lessor], leadingTerm }).start();
    this.proposer.answer = (command) => this.expire(command);
  }

  grant(info: LeaseInfo): void {
    this.store.leasesById.set(info.id, info);
    this.lessor.onLeaseRenewed(info);
  }

  /** What the state machine does with an expiry whose term is right. */
  expire(command: PlainCommand) {
    for (const { id, grantIndex, renewals } of isExpiry(command) ? command.leases : []) {
      const info = this.store.leasesById.get(id);
      if (info?.grantIndex !== grantIndex || info.renewals !== renewals) continue;
      this.store.leasesById.delete(id);
      this.lessor.onLeaseEnded(id);
    }
    return { kind: 'lease', revision: 1, leases: [] } as const;
  }

  expiries(): LeaseExpireCommand[] {
    return this.proposer.take().filter(isExpiry);
  }

  expired(): bigint[] {
    return this.expiries().flatMap(({ leases }) => leases.map(({ id }) => id));
  }
}

function isExpiry(command: PlainCommand): command is LeaseExpireCommand {
  return command.kind === 'lease-expire';
}

describe('Lessor', () => {
  it('ends a lease when its time is up, and not before (E1)', async () => {
    const bench = new Bench();
    bench.grant(lease(1n));
    await bench.time.pass(lifeMs - 1);
    expect(bench.expired()).toEqual([]);
    await bench.time.pass(200);
    expect(bench.expired()).toEqual([1n]);
  });

  it('names its term, the grant and the renewals it knows of (E2)', async () => {
    const bench = new Bench();
    bench.grant(lease(1n, { grantIndex: 7, renewals: 3 }));
    await bench.time.pass(lifeMs + 200);
    const leases = [{ id: 1n, grantIndex: 7, renewals: 3 }];
    expect(bench.expiries()).toEqual([{ kind: 'lease-expire', term: 5, leases }]);
  });

  it('gives a lease its whole time again with each renewal', async () => {
    const bench = new Bench();
    bench.grant(lease(1n));
    await bench.time.pass(9000);
    bench.grant(lease(1n, { renewals: 1 }));
    await bench.time.pass(9000);
    expect(bench.expired()).toEqual([]);
    await bench.time.pass(2000);
    expect(bench.expired()).toEqual([1n]);
  });

  it('leaves a lease alone that was revoked', async () => {
    const bench = new Bench();
    bench.grant(lease(1n));
    bench.lessor.onLeaseEnded(1n);
    await bench.time.pass(2 * lifeMs);
    expect(bench.expired()).toEqual([]);
  });

  it('proposes nothing while it does not lead', async () => {
    const bench = new Bench();
    bench.term = undefined;
    bench.grant(lease(1n));
    await bench.time.pass(2 * lifeMs);
    expect(bench.expired()).toEqual([]);
    bench.term = 6;
    await bench.time.pass(200);
    expect(bench.expired()).toEqual([1n]);
  });

  it('keeps a lease that was renewed while its expiry was on its way', async () => {
    const bench = new Bench();
    bench.proposer.answer = (command) => {
      if (isExpiry(command) && bench.store.leasesById.get(1n)?.renewals === 0) bench.grant(lease(1n, { renewals: 1 }));
      return bench.expire(command);
    };
    bench.grant(lease(1n));
    await bench.time.pass(lifeMs + 200);
    expect(bench.expired()).toEqual([1n]);
    expect(bench.store.leasesById.has(1n)).toBe(true);
    await bench.time.pass(lifeMs - 400);
    expect(bench.expired()).toEqual([]);
    await bench.time.pass(600);
    expect(bench.store.leasesById.has(1n)).toBe(false);
  });

  it('tries again when an expiry failed', async () => {
    const bench = new Bench();
    let failures = 0;
    bench.proposer.answer = (command) =>
      failures++ < 3 ? new QuorateError('no-leader', 'nobody leads') : bench.expire(command);
    bench.grant(lease(1n));
    await bench.time.pass(lifeMs + 500);
    expect(bench.expired()).toEqual([1n, 1n, 1n, 1n]);
    expect(bench.store.leaseCount).toBe(0);
  });

  it('ends no more leases in a second than it may, and all of them in the end', async () => {
    const bench = new Bench([], 1000);
    for (let id = 1n; id <= 5000n; id++) bench.grant(lease(id));
    await bench.time.pass(lifeMs - 1);
    expect(bench.store.leaseCount).toBe(5000);
    await bench.time.pass(2000);
    // A second's worth may have been saved up.
    expect(bench.store.leaseCount).toBeGreaterThan(1900);
    await bench.time.pass(2500);
    expect(bench.store.leaseCount).toBe(0);
    expect(Math.max(...bench.expiries().map(({ leases }) => leases.length))).toBe(500);
  });

  it('puts leases with many keys into entries of their own', async () => {
    const bench = new Bench();
    const keys = Array.from({ length: 1500 }, () => Buffer.from('key'));
    for (const id of [1n, 2n, 3n]) bench.store.keysOf.set(id, keys);
    for (const id of [1n, 2n, 3n]) bench.grant(lease(id));
    await bench.time.pass(lifeMs + 200);
    expect(bench.expiries().map(({ leases }) => leases.length)).toEqual([1, 1, 1]);
  });

  it('has one expiry on its way at a time', async () => {
    const bench = new Bench();
    bench.proposer.answer = () => 'pending';
    bench.grant(lease(1n));
    bench.grant(lease(2n, { ttl: ttl + 1 }));
    await bench.time.pass(2 * lifeMs);
    expect(bench.expired()).toEqual([1n]);
  });

  it('listens before it ends leases after it stood still', async () => {
    const bench = new Bench();
    bench.grant(lease(1n));
    bench.time.standStill(2 * lifeMs);
    await bench.time.pass(900);
    expect(bench.expired()).toEqual([]);
    bench.grant(lease(1n, { renewals: 1 }));
    await bench.time.pass(1000);
    expect(bench.expired()).toEqual([]);
  });
});

describe('Lessor that comes to a store with leases', () => {
  it("gives them what the store's clock leaves them, and the error of that clock", async () => {
    const bench = new Bench();
    bench.store.clockMs = 8000;
    bench.store.leasesById.set(1n, lease(1n, { renewedAt: 2000 }));
    bench.lessor.onReplaced();
    await bench.time.pass(lifeMs - 6000 + clockErrorMs - 1);
    expect(bench.expired()).toEqual([]);
    await bench.time.pass(300);
    expect(bench.expired()).toEqual([1n]);
  });

  it('forgets what it knew of the state before', async () => {
    const bench = new Bench();
    bench.grant(lease(1n));
    bench.store.leasesById.clear();
    bench.lessor.onReplaced();
    await bench.time.pass(2 * lifeMs);
    expect(bench.expired()).toEqual([]);
    expect(bench.lessor.remainingMs(1n)).toBeUndefined();
  });

  it('does not let a lease live longer because it was late to apply a renewal, when it begins to lead (E3)', async () => {
    const bench = new Bench();
    bench.term = undefined;
    // Renewed at 0 by the store's clock, applied here when that shows 9000.
    bench.store.clockMs = 9000;
    bench.grant(lease(1n));
    bench.term = 6;
    await bench.time.pass(lifeMs - 9000 + clockErrorMs + 300);
    expect(bench.expired()).toEqual([1n]);
  });
});

describe('What a lease has left', () => {
  it('falls with time and never below nothing', async () => {
    const bench = new Bench();
    bench.term = undefined;
    bench.grant(lease(1n));
    expect(bench.lessor.remainingMs(1n)).toBe(ttl * 1000);
    await bench.time.pass(4000);
    expect(bench.lessor.remainingMs(1n)).toBe(6000);
    await bench.time.pass(10_000);
    expect(bench.lessor.remainingMs(1n)).toBe(0);
  });

  it('is never more than was granted', () => {
    const bench = new Bench([lease(1n)]);
    expect(bench.lessor.remainingMs(1n)).toBe(ttl * 1000);
  });

  it('orders the leases', () => {
    const bench = new Bench();
    bench.grant(lease(1n, { ttl: 30 }));
    bench.grant(lease(2n, { ttl: 10 }));
    bench.grant(lease(3n, { ttl: 20 }));
    expect(bench.lessor.byRemaining()).toEqual([2n, 3n, 1n]);
  });
});

describe('promisedTtl', () => {
  it.each([
    [0, 10],
    [answerGraceMs, 10],
    [answerGraceMs + 1, 9],
    [answerGraceMs + 1000, 9],
    [answerGraceMs + 10_000, 0],
  ])('after %d ms of 10 s promises %d', (tookMs, promised) => {
    expect(promisedTtl(10, tookMs)).toBe(promised);
  });
});
