import { QuorateError } from '../../../src/base/error';
import { keepLease } from '../../../src/client/kept-lease';
import { FakeTime } from '../../support/fake-time';

/** A lease of 30 s, and a member that answers as the test says. */
function kept(renew: (timeoutMs: number) => Promise<boolean>) {
  const time = new FakeTime();
  const asked: { at: number; timeoutMs: number }[] = [];
  const lease = keepLease(
    { leaseId: 7n, ttlMs: 30_000 },
    {
      scheduler: time,
      renew: (timeoutMs) => {
        asked.push({ at: time.now(), timeoutMs });
        return renew(timeoutMs);
      },
    },
  );
  return { time, asked, lease };
}

const unreachable = () => Promise.reject(new QuorateError('unreachable', 'nobody there'));

describe('a lease that is kept alive', () => {
  it('is renewed three times in its time to live, and stays', async () => {
    const { time, asked, lease } = kept(() => Promise.resolve(true));
    await time.pass(300_000);
    expect(asked.map(({ at }) => at).slice(0, 3)).toEqual([10_000, 20_000, 30_000]);
    expect(asked).toHaveLength(30);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is lost at once when a member says that it has ended', async () => {
    const { time, asked, lease } = kept(() => Promise.resolve(false));
    await time.pass(10_000);
    expect(lease.signal.reason).toMatchObject({ code: 'not-found' });
    await time.pass(100_000);
    expect(asked).toHaveLength(1);
  });

  it('is lost when no renewal gets through, as long after the last one as it lives', async () => {
    const { time, lease } = kept(unreachable);
    await time.pass(29_999);
    expect(lease.signal.aborted).toBe(false);
    await time.pass(1);
    expect(lease.signal.reason).toMatchObject({
      code: 'deadline-exceeded',
      message: 'lease 7 could not be renewed in time: nobody there',
    });
  });

  it('is counted from when a renewal was sent, not from when its answer came', async () => {
    let answers = 0;
    const { time, lease } = kept(async () => {
      answers++;
      if (answers > 1) return new Promise(() => undefined);
      await time.sleep(15_000);
      return true;
    });
    // Sent after 10 s, answered after 25 s; then never again.
    await time.pass(39_999);
    expect(lease.signal.aborted).toBe(false);
    await time.pass(1);
    expect(lease.signal.aborted).toBe(true);
  });

  it('is tried again soon after a failure, and a renewal may take no longer than it lives', async () => {
    const { time, asked } = kept(unreachable);
    await time.pass(20_000);
    expect(asked).toEqual([
      { at: 10_000, timeoutMs: 20_000 },
      { at: 13_000, timeoutMs: 17_000 },
      { at: 16_000, timeoutMs: 14_000 },
      { at: 19_000, timeoutMs: 11_000 },
    ]);
  });

  it.each([
    ['answered', true],
    ['failed', false],
  ])('is left alone also when it was stopped while a renewal was under way that is then %s', async (_, succeeds) => {
    const { time, asked, lease } = kept(async () => {
      await time.sleep(1000);
      if (!succeeds) await unreachable();
      return true;
    });
    await time.pass(10_500);
    lease.stop();
    await time.pass(300_000);
    expect(asked).toHaveLength(1);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is left alone once it was stopped', async () => {
    const { time, asked, lease } = kept(() => Promise.resolve(true));
    lease.stop();
    await time.pass(100_000);
    expect([asked.length, lease.signal.aborted, time.timers]).toEqual([0, false, 0]);
  });
});
