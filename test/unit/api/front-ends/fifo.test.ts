import fc from 'fast-check';
import { Fifo } from '../../../../src/api/front-ends/fifo';

it('a queue gives what it took, in the same order, however long it gets', () => {
  const steps = fc.array(fc.integer({ min: -3000, max: 3000 }), { maxLength: 20 });
  fc.assert(
    fc.property(steps, (counts) => {
      const queue = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const count of counts) {
        for (let at = 0; at < count; at++, next++) {
          queue.push(next);
          model.push(next);
        }
        const taken = Array.from({ length: Math.max(0, -count) }, () => queue.shift());
        expect(taken.filter((it) => it !== undefined)).toEqual(model.splice(0, taken.length));
        expect(queue.size).toBe(model.length);
      }
    }),
    { numRuns: 20 },
  );
});
