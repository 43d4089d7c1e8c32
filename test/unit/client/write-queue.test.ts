import { WriteQueue, type Footprint, type Write } from '../../../src/client/write-queue';

const bounds = { maxWrites: 100, maxBytes: 1_000 };

function write(id: number, footprint: Footprint, more: Partial<Write> = {}): Write {
  return {
    ...{ message: { id, mutation: undefined }, bytes: 10, footprint, kind: 'named-mutation', deadline: 100 },
    ...{ made: 0, doubt: 'none', resolve: () => undefined, reject: () => undefined, rename: () => undefined },
    ...more,
  };
}

function queueOf(...writes: readonly Write[]): WriteQueue {
  const queue = new WriteQueue();
  for (const one of writes) queue.add(one);
  return queue;
}

const idsOf = (writes: readonly Write[]) => writes.map(({ message }) => message.id);

describe('changes of a write stream', () => {
  it('of different keys go together, within the bounds of a message', () => {
    const queue = queueOf(write(1, ['a']), write(2, ['b']), write(3, ['c']), write(4, ['d'], { bytes: 5_000 }));
    expect(idsOf(queue.take({ maxWrites: 2, maxBytes: 1_000 }))).toEqual([1, 2]);
    expect(idsOf(queue.take({ maxWrites: 2, maxBytes: 1_000 }))).toEqual([3]);
    // One that is larger than a message should be goes alone.
    expect(idsOf(queue.take(bounds))).toEqual([4]);
    expect([queue.size, queue.sentCount, queue.bytes]).toEqual([4, 4, 5_030]);
  });

  it('of one key go one after the other, and nothing behind them overtakes', () => {
    const queue = queueOf(write(1, ['a']), write(2, ['b', 'a']), write(3, ['c']));
    expect(idsOf(queue.take(bounds))).toEqual([1]);
    expect(queue.take(bounds)).toEqual([]);
    queue.answered(1);
    expect(idsOf(queue.take(bounds))).toEqual([2, 3]);
  });

  it('of nobody knows which keys go alone', () => {
    const queue = queueOf(write(1, ['a']), write(2, 'unknown'), write(3, ['b']));
    expect(idsOf(queue.take(bounds))).toEqual([1]);
    queue.answered(1);
    expect(idsOf(queue.take(bounds))).toEqual([2]);
    expect(queue.take(bounds)).toEqual([]);
    queue.answered(2);
    expect(idsOf(queue.take(bounds))).toEqual([3]);
  });

  it('that are put back go next, in their order', () => {
    const queue = queueOf(write(1, ['a']), write(2, ['b']), write(3, ['a']));
    queue.take(bounds);
    const recalled = queue.recall();
    expect([idsOf(recalled), queue.sentCount, queue.bytes]).toEqual([[1, 2], 0, 10]);
    queue.putBack(recalled);
    expect(idsOf(queue.take(bounds))).toEqual([1, 2]);
  });

  it('that wait are taken out when their time is over; those on their way are not', () => {
    const queue = queueOf(write(1, ['a'], { deadline: 5 }), write(2, ['a'], { deadline: 5 }), write(3, ['b']));
    queue.take(bounds);
    expect(idsOf(queue.removeLate(5))).toEqual([2]);
    expect([queue.size, queue.bytes]).toEqual([2, 20]);
  });

  it('have one answer each', () => {
    const queue = queueOf(write(1, ['a']));
    queue.take(bounds);
    expect(queue.answered(1)?.message.id).toBe(1);
    expect(queue.answered(1)).toBeUndefined();
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
  });
});
