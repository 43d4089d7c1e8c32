import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { WorkerClient } from '../../../src/storage/sqlite-worker-client';

/** A worker that takes everything and does nothing by itself. */
class SilentWorker extends EventEmitter {
  readonly posted: unknown[] = [];
  terminated = 0;

  postMessage(message: unknown): void {
    this.posted.push(message);
  }

  terminate(): Promise<number> {
    this.terminated += 1;
    return Promise.resolve(1);
  }
}

function clientOf(worker: SilentWorker): WorkerClient {
  const client = new WorkerClient(worker as unknown as Worker);
  worker.emit('message', { kind: 'opened' });
  return client;
}

const damaged = (reason: string): object => ({
  code: 'damaged',
  outcome: 'unknown',
  message: expect.stringContaining(reason) as unknown,
});

describe('Storage worker, seen from the main thread', () => {
  it.each([
    ['throws', (worker: SilentWorker) => worker.emit('error', new Error('out of memory')), 'out of memory'],
    ['ends by itself', (worker: SilentWorker) => worker.emit('exit', 1), 'ended with code 1'],
    ['sends what cannot be read', (worker: SilentWorker) => worker.emit('messageerror', new Error('torn')), 'torn'],
    [
      'reports a failure',
      (worker: SilentWorker) => worker.emit('message', { kind: 'failed', code: 'damaged', message: 'EIO' }),
      'EIO',
    ],
  ])('fails for ever when it %s', async (_how, harm, reason) => {
    const worker = new SilentWorker();
    const client = clientOf(worker);
    const written = jest.fn();
    client.write(new ArrayBuffer(1), written);
    const asked = client.ask('truncated', { kind: 'truncate-prefix', index: 1 });
    harm(worker);
    await expect(asked).rejects.toMatchObject(damaged(reason));
    await expect(client.failed).resolves.toMatchObject(damaged(reason));
    await expect(client.ask('truncated', { kind: 'truncate-prefix', index: 1 })).rejects.toMatchObject(damaged(reason));
    await client.close();
    expect([written.mock.calls.length, worker.terminated]).toEqual([0, 1]);
  });

  it('pairs replies with what was asked, in order', async () => {
    const worker = new SilentWorker();
    const client = clientOf(worker);
    const order: string[] = [];
    client.write(new ArrayBuffer(1), () => order.push('written'));
    const asked = client
      .ask('truncated', { kind: 'truncate-prefix', index: 1 })
      .then(({ done }) => order.push(`${done}`));
    worker.emit('message', { kind: 'written' });
    worker.emit('message', { kind: 'truncated', done: true });
    await asked;
    expect(order).toEqual(['written', 'true']);
  });
});
