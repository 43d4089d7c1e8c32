/** Looks for a smaller plan that fails in the same way: fewer faults, less time, fewer clients and members. */
import type { Plan } from './plan';
import { replayCommand } from './plan-flags';
import { simulate, type Outcome } from './simulate';

/** Most seeds tried. */
const maxTries = 300;

/** @param failed an outcome with a failure */
export async function shrink(failed: Outcome, say: (line: string) => void): Promise<Outcome> {
  let smallest = failed;
  let tries = 0;
  for (let found = true; found && tries < maxTries;) {
    found = false;
    for (const plan of smallerPlans(smallest)) {
      if (++tries > maxTries) break;
      const outcome = await simulate(plan);
      if (outcome.failure?.invariant !== failed.failure?.invariant) continue;
      say(`still fails: ${replayCommand(plan)}`);
      smallest = outcome;
      found = true;
      break;
    }
  }
  return smallest;
}

/** The largest steps first. */
function* smallerPlans({ plan, volume, struck }: Outcome): Generator<Plan> {
  const safetyMs = Math.min(plan.safetyMs, Math.ceil(volume.simulatedMs));
  for (const part of [0.25, 0.5, 0.75, 0.9, 0.97]) {
    if (Math.floor(safetyMs * part) > 100) yield { ...plan, safetyMs: Math.floor(safetyMs * part) };
  }
  for (const name of plan.faults.keys()) {
    yield { ...plan, faults: new Map([...plan.faults].filter(([other]) => other !== name)) };
  }
  if (plan.members > 3) yield { ...plan, members: 3 };
  for (const clients of [1, Math.floor(plan.clients / 2), plan.clients - 1]) {
    if (clients >= 1 && clients < plan.clients) yield { ...plan, clients };
  }
  for (const half of halves(struck)) yield { ...plan, without: new Set([...plan.without, ...half]) };
}

/** Both halves of the single faults, then both halves of each, down to single ones. */
function* halves(names: readonly string[]): Generator<readonly string[]> {
  if (names.length === 0) return;
  if (names.length === 1) {
    yield names;
    return;
  }
  const middle = Math.ceil(names.length / 2);
  const [first, second] = [names.slice(0, middle), names.slice(middle)];
  yield first;
  yield second;
  yield* halves(first);
  yield* halves(second);
}
