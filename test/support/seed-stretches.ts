/** A stretch of the simulator in the gate, in parts that run beside each other. */
import { drawPlan } from '../../src/sim/plan';
import { failureLines, shortfalls } from '../../src/sim/report';
import { simulate } from '../../src/sim/simulate';
import { addVolume, emptyVolume } from '../../src/sim/volume';

/** Several tests, so that none comes near its time limit on a slow machine. */
const seedsEach = 50;

/** @param stretches each begins with the seed of a thousand times its number */
export function describeSeeds(stretches: readonly number[]): void {
  describe('Simulated clusters', () => {
    const total = emptyVolume();

    it.each(stretches)('keep every invariant in every seed (stretch %i)', async (stretch) => {
      for (let seed = 1000 * stretch; seed < 1000 * stretch + seedsEach; seed++) {
        const outcome = await simulate(drawPlan(seed));
        if (outcome.failure !== undefined) throw new Error(failureLines(outcome).join('\n'));
        addVolume(total, outcome.volume);
      }
    });

    it('really did something', () => {
      expect(total.seeds).toBe(stretches.length * seedsEach);
      expect(shortfalls(total)).toEqual([]);
      expect(total.undecided).toBeLessThan(total.seeds / 20);
      expect(total.simulatedMs).toBeGreaterThan(12_000 * total.seeds);
    });
  });
}
