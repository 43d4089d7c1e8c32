import { drawPlan } from '../../src/sim/plan';
import { failureLines, shortfalls } from '../../src/sim/report';
import { simulate } from '../../src/sim/simulate';
import { addVolume, emptyVolume } from '../../src/sim/volume';

/** Several tests, so that none comes near its time limit on a slow machine. */
const seedsEach = 50;

describe('Simulated clusters', () => {
  const total = emptyVolume();

  it.each([1, 2, 3, 4, 5, 6])('keep every invariant in every seed (stretch %i)', async (stretch) => {
    for (let seed = 1000 * stretch; seed < 1000 * stretch + seedsEach; seed++) {
      const outcome = await simulate(drawPlan(seed));
      if (outcome.failure !== undefined) throw new Error(failureLines(outcome).join('\n'));
      addVolume(total, outcome.volume);
    }
  });

  it('really did something', () => {
    expect(total.seeds).toBe(6 * seedsEach);
    expect(shortfalls(total)).toEqual([]);
    expect(total.undecided).toBeLessThan(total.seeds / 20);
    expect(total.simulatedMs).toBeGreaterThan(3_600_000);
  });
});
