/** One seed from its first election to its last comparison: a phase of faults, a phase of recovery, and the judgement. */
import { Violation } from './checkers/checker';
import { FaultSchedule } from './fault-schedule';
import { checkLinearizable } from './linearizability/history';
import type { Plan } from './plan';
import { recover } from './recovery';
import { emptyVolume, tally, type Volume } from './volume';
import { Trace } from './world/trace';
import { World } from './world/world';

/** What came of one seed. */
export interface Outcome {
  readonly plan: Plan;
  readonly failure: Violation | undefined;
  readonly traceHash: string;
  readonly volume: Volume;
  /** The single faults that struck, as `kind#number`. */
  readonly struck: readonly string[];
}

export async function simulate(plan: Plan, print?: (line: string) => void): Promise<Outcome> {
  const trace = new Trace(print);
  const world = new World(plan, trace);
  const faults = new FaultSchedule(world, plan);
  let failure: Violation | undefined;
  let verdict = { undecided: 0, unrecoverable: 0 };
  try {
    verdict = await play(world, faults, plan);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    failure = error;
  }
  const volume = { ...measure(world, faults), ...verdict };
  world.close();
  return { plan, failure, traceHash: trace.hash, volume, struck: faults.names };
}

async function play(
  world: World,
  faults: FaultSchedule,
  plan: Plan,
): Promise<Pick<Volume, 'undecided' | 'unrecoverable'>> {
  world.begin();
  faults.begin();
  await world.runFor(plan.safetyMs);
  faults.stop();
  world.room?.operator.stop();
  const hasRecovered = await recover(world, faults, plan);
  return { undecided: checkLinearizable(world.calls), unrecoverable: hasRecovered ? 0 : 1 };
}

function measure(world: World, faults: FaultSchedule): Volume {
  const { witness, network, calls, agenda, trace } = world;
  const volume = emptyVolume();
  volume.seeds = 1;
  volume.simulatedMs = agenda.now;
  volume.steps = trace.steps;
  volume.elections = witness.watch.elections.elections;
  volume.commits = witness.history.committed.length;
  volume.truncations = witness.watch.logs.truncations;
  volume.acknowledgements = witness.watch.promises.acknowledgements;
  volume.applied = witness.applying.entries;
  volume.snapshots = witness.snapshots.installs;
  volume.cuts = witness.snapshots.cuts;
  volume.configurations = witness.membership.configurations;
  volume.joint = witness.membership.joint;
  Object.assign(volume.wishes, world.room?.done);
  volume.restarts = world.restarts;
  Object.assign(volume.network, network.volume);
  volume.expiries = witness.leases.expiries;
  volume.promises = witness.leases.promises;
  volume.watches = witness.watching.sessions;
  volume.watchEvents = witness.watching.events;
  tally(volume, calls);
  for (const [kind, count] of faults.struck) volume.faults[kind] = count;
  return volume;
}
