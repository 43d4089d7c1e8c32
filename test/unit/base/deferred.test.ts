import { deferred } from '../../../src/base/deferred';

describe('a deferred', () => {
  it('hands its value to who waits', async () => {
    const { promise, resolve } = deferred<number>();
    resolve(7);
    await expect(promise).resolves.toBe(7);
  });

  it('hands its error to who waits', async () => {
    const { promise, reject } = deferred<number>();
    reject(new Error('no luck'));
    await expect(promise).rejects.toThrow('no luck');
  });

  it('is settled once: what comes later has no effect', async () => {
    const { promise, resolve, reject } = deferred<string>();
    resolve('first');
    resolve('second');
    reject(new Error('too late'));
    await expect(promise).resolves.toBe('first');
  });
});
