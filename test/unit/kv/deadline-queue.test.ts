import fc from 'fast-check';
import { DeadlineQueue, notQueued, type Timed } from '../../../src/kv/deadline-queue';

const item = (deadline: number): Timed => ({ deadline, place: notQueued });

function drain(queue: DeadlineQueue<Timed>): number[] {
  const deadlines: number[] = [];
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    queue.remove(next);
    deadlines.push(next.deadline);
  }
  return deadlines;
}

describe('DeadlineQueue', () => {
  it('gives the nearest deadline first, whatever came and left in between', () => {
    const deadlines = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(deadlines, (drawn) => {
        const queue = new DeadlineQueue<Timed>();
        const items = drawn.map(([deadline]) => item(deadline));
        for (const each of items) queue.push(each);
        items.forEach((each, at) => {
          if (drawn[at]?.[1] === true) queue.remove(each);
        });
        const kept = drawn.filter(([, leaves]) => !leaves).map(([deadline]) => deadline);
        expect(drain(queue)).toEqual(kept.sort((a, b) => a - b));
      }),
    );
  });

  it('does not mind that an item is not there', () => {
    const queue = new DeadlineQueue<Timed>();
    queue.remove(item(1));
    expect(queue.size).toBe(0);
  });

  it('takes no item twice', () => {
    const queue = new DeadlineQueue<Timed>();
    const once = item(1);
    queue.push(once);
    expect(() => {
      queue.push(once);
    }).toThrow('an item is queued once');
  });

  it('lets its items go when it is cleared', () => {
    const queue = new DeadlineQueue<Timed>();
    const once = item(1);
    queue.push(once);
    queue.clear();
    queue.push(once);
    expect(drain(queue)).toEqual([1]);
  });
});
