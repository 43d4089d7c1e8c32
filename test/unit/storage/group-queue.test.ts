import { GroupQueue } from '../../../src/storage/group-queue';
import { encodedBytes } from '../../../src/storage/entry-codec';
import { entry, persister } from '../../support/log-builders';

const one = encodedBytes(entry(1, 1, 'x'.repeat(100)));
const sequences = (group: readonly { sequence: number }[] | undefined): number[] | undefined =>
  group?.map(({ sequence }) => sequence);

function queueOf(
  count: number,
  limits: { maxBytes: number; maxPersists: number },
): { queue: GroupQueue; log: number[] } {
  const queue = new GroupQueue(limits);
  const make = persister();
  const log: number[] = [];
  for (let position = 1; position <= count; position++) {
    void queue.add(make([entry(position, 1, 'x'.repeat(100))])).then(() => log.push(position));
  }
  return { queue, log };
}

describe('Group commit', () => {
  it('gathers what comes while one group is being written', () => {
    const { queue } = queueOf(1, { maxBytes: 1e6, maxPersists: 100 });
    expect(sequences(queue.next())).toEqual([1]);
    const make = persister();
    void queue.add(make([]));
    void queue.add(make([]));
    expect(queue.next()).toBeUndefined();
    queue.complete();
    expect(sequences(queue.next())).toEqual([1, 2]);
  });

  it('keeps a group below its bytes and its number of persists', () => {
    const byBytes = queueOf(5, { maxBytes: 2 * one, maxPersists: 100 }).queue;
    expect(sequences(byBytes.next())).toEqual([1, 2]);
    const byNumber = queueOf(5, { maxBytes: 1e6, maxPersists: 3 }).queue;
    expect(sequences(byNumber.next())).toEqual([1, 2, 3]);
  });

  it('lets a persist that is larger than a group go alone', () => {
    const { queue } = queueOf(3, { maxBytes: 1, maxPersists: 100 });
    expect(sequences(queue.next())).toEqual([1]);
    queue.complete();
    expect(sequences(queue.next())).toEqual([2]);
  });

  it('completes group by group, in order', async () => {
    const { queue, log } = queueOf(5, { maxBytes: 1e6, maxPersists: 2 });
    for (const expected of [
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ]) {
      queue.next();
      queue.complete();
      await Promise.resolve();
      expect(log).toEqual(expected);
    }
    expect(queue.isEmpty).toBe(true);
  });

  it('rejects what is being written and what waits, once', async () => {
    const queue = new GroupQueue({ maxBytes: 1e6, maxPersists: 1 });
    const make = persister();
    const all = [queue.add(make([])), queue.add(make([]))];
    queue.next();
    queue.rejectAll(new Error('gone'));
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(queue.isEmpty).toBe(true);
  });
});
