import { QuorateError } from '../../../src/base/error';
import type { LiveStream } from '../../../src/client/caller';
import { ResumingStream } from '../../../src/client/resuming-stream';
import { FakeTime } from '../../support/fake-time';

type Step = string | QuorateError | undefined;

const broken = new QuorateError('unreachable', 'the connection was lost');

/** A stream that gives these messages one by one, or breaks. */
function stream(...steps: readonly Step[]) {
  const left = [...steps];
  const told = { cancelled: 0, left: 0 };
  const take = (): string | undefined => {
    const step = left.shift();
    if (step instanceof QuorateError) throw step;
    return step;
  };
  const live: LiveStream<string> = {
    first: take(),
    next: async () => take(),
    cancel: () => told.cancelled++,
    leave: () => told.left++,
  };
  return { live, told };
}

/** The streams that members give one after the other; an error is a call that failed. */
function resuming(begun: LiveStream<string>, later: readonly (LiveStream<string> | QuorateError)[]) {
  const time = new FakeTime();
  const openedAt: number[] = [];
  const left = [...later];
  const made = new ResumingStream<string>(begun, {
    open: async () => {
      openedAt.push(time.now());
      const next = left.shift() ?? broken;
      if (next instanceof QuorateError) throw next;
      return next;
    },
    maxSilenceMs: 1_000,
    giveUpAfterMs: 60_000,
    maxBackoffMs: 1_000,
    surroundings: time,
  });
  return { made, time, openedAt };
}

describe('a stream that resumes', () => {
  it('goes on elsewhere at once when it breaks or ends', async () => {
    const first = stream('1', '2', broken);
    const { made, time, openedAt } = resuming(first.live, [stream('3', '4', undefined).live, stream('5').live]);
    expect([await made.next(), await made.next(), await made.next()]).toEqual(['2', '3', '4']);
    expect(first.told).toEqual({ cancelled: 1, left: 1 });
    const next = made.next();
    await time.pass(100);
    await expect(next).resolves.toBe('5');
    // The second stream did not hold, so there was a pause.
    expect(openedAt).toEqual([0, 18.75]);
  });

  it('waits longer and longer between attempts', async () => {
    const { made, time, openedAt } = resuming(stream('1', broken).live, [broken, broken, broken, stream('2').live]);
    const next = made.next();
    await time.pass(10_000);
    await expect(next).resolves.toBe('2');
    expect(openedAt).toEqual([0, 18.75, 56.25, 131.25]);
  });

  it('waits also when streams open and break again at once', async () => {
    const restless = Array.from({ length: 20 }, () => stream('x', broken).live);
    const { made, time, openedAt } = resuming(stream('1', broken).live, restless);
    void (async () => {
      while ((await made.next()) !== undefined);
    })().catch(() => undefined);
    await time.pass(3_000);
    expect(openedAt.length).toBeLessThan(10);
  });

  it('gives up with the last error when nobody takes it for too long', async () => {
    const { made, time } = resuming(stream('1', broken).live, []);
    const next = made.next();
    const failed = expect(next).rejects.toMatchObject({ code: 'unreachable' });
    await time.pass(61_000);
    await failed;
  });

  it('ends with an error that comes back wherever one asks', async () => {
    const compacted = new QuorateError('compacted', 'gone');
    const { made } = resuming(stream('1', broken).live, [compacted]);
    await expect(made.next()).rejects.toBe(compacted);
  });

  it('ends when it is cancelled, also while it looks for a member', async () => {
    const { made, time } = resuming(stream('1', broken).live, []);
    const next = made.next();
    await time.pass(100);
    made.cancel();
    await time.pass(1_000);
    await expect(next).resolves.toBeUndefined();
    await expect(made.next()).resolves.toBeUndefined();
  });
});
