import { drawPlan, type Plan } from '../../src/sim/plan';
import { simulate } from '../../src/sim/simulate';

/** Two members, entries one by one, each a slow round trip, and clients that write more than that carries. */
function overloaded(seed: number): Plan {
  const plan = drawPlan(seed);
  return {
    ...plan,
    ...{ members: 2, clients: 8, watchers: 0, safetyMs: 5000 },
    faults: new Map(),
    operator: undefined,
    network: { minDelayMs: 10, meanJitterMs: 20, lossRate: 0, duplicationRate: 0, reorderRate: 0 },
    habits: { ...plan.habits, meanThinkMs: 50, retryRate: 0 },
    raftOptions: { ...plan.raftOptions, electionTimeoutMs: 500, maxAppendBytes: 60, maxInflightAppends: 1 },
    nodeOptions: { ...plan.nodeOptions, maxWaitingProposals: 1000, maxForwardBytes: 100_000 },
  };
}

describe('The recovery', () => {
  // As in seed 449: each transfer was given up in time, and there was always as much to catch up again before the next.
  it.each([4, 9])('hands over to one that lacked too much, once it lacks nothing (L7, seed %i)', async (seed) => {
    const lines: string[] = [];
    const { failure } = await simulate(overloaded(seed), (line) => lines.push(line));
    expect(failure).toBeUndefined();
    const asked = lines.filter((line) => line.includes('<- m') && line.includes('  change, request'));
    expect(asked.length).toBeGreaterThan(3);
  });
});
