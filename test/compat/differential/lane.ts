/** One seeded stream of steps from a pair of fresh servers, and what to do when the two differ: find the least that shows it. */
import { Generator } from './generator';
import { Comparison, type Pair } from './run';
import { lineOf, type Step } from './step';
import type { Target } from './target';
import type { Volume } from './volume';

/** Two fresh servers. */
export interface Servers {
  readonly targets: Pair<Target>;
  stop(): Promise<void>;
}

/** So many replays, at most, and so long, ms, go into making a failure smaller. */
const mostAttempts = 60;
const longestShrinkMs = 60_000;
/** Lines of a failure that are shown. */
const mostLines = 60;

/** What a lane is run with. */
export interface Surroundings {
  readonly start: () => Promise<Servers>;
  /** Told when the rest of a stream need not be compared any more. */
  readonly isOver?: () => boolean;
}

/**
 * Runs a stream until so many calls are compared.
 *
 * @throws Error that holds the seed and the smallest list of steps that was found to show the same
 */
export async function runLane(seed: number, calls: number, surroundings: Surroundings): Promise<Volume> {
  const { start, isOver = () => false } = surroundings;
  const done: Step[] = [];
  const servers = await start();
  const isEnough = ({ calls: compared }: Volume): boolean => compared >= calls || isOver();
  const ended = await streamOf({ seed, isEnough }, servers.targets, done)
    .catch((failure: unknown) => ({ failure }))
    .finally(() => servers.stop());
  if (!('failure' in ended)) return ended;
  const { failure } = ended;
  const lines = (await smallestFailing(done, start)).map(lineOf);
  const shown = lines.length > mostLines ? [`... ${lines.length - mostLines} more`, ...lines.slice(-mostLines)] : lines;
  const title = `seed ${seed}, step ${done.length}: ${String(failure)}`;
  throw new Error(`${title}\nThese steps on new servers show it too:\n${shown.join('\n')}`, { cause: failure });
}

interface Stream {
  readonly seed: number;
  readonly isEnough: (volume: Volume) => boolean;
}

async function streamOf({ seed, isEnough }: Stream, targets: Pair<Target>, done: Step[]): Promise<Volume> {
  const comparison = new Comparison(targets);
  const generator = new Generator(seed);
  const run = async (batch: readonly Step[]): Promise<void> => {
    let failing: Step | undefined;
    const running = batch.map((step) =>
      comparison.run(step).catch((error: unknown) => {
        failing ??= step;
        throw error;
      }),
    );
    // Of a batch that fails, only the step that does belongs to what has to be shown.
    const outcomes = await Promise.all(running).finally(() =>
      done.push(...(failing === undefined ? batch : [failing])),
    );
    for (const [at, step] of batch.entries()) {
      const outcome = outcomes[at];
      if (outcome !== undefined) generator.observe(step, outcome);
    }
  };
  while (!isEnough(comparison.volume)) await run(generator.batch());
  for (const step of generator.end()) await run([step]);
  return comparison.volume;
}

/** Leaves out what is not needed: at first all that changes nothing, then larger pieces before smaller ones. */
async function smallestFailing(all: readonly Step[], start: () => Promise<Servers>): Promise<readonly Step[]> {
  const giveUpAt = performance.now() + longestShrinkMs;
  let attempts = 0;
  let steps = (await ifFailing([...all.slice(0, -1).filter(changesSomething), ...all.slice(-1)], start)) ?? all;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = Math.max(0, steps.length - 1 - size); steps.length > 1; from = Math.max(0, from - size)) {
      if (++attempts > mostAttempts || performance.now() > giveUpAt) return steps;
      const fewer = [...steps.slice(0, from), ...steps.slice(Math.min(from + size, steps.length - 1))];
      steps = (await ifFailing(fewer, start)) ?? steps;
      if (from === 0) break;
    }
  }
  return steps;
}

function changesSomething(step: Step): boolean {
  if (step.kind === 'run-out') return true;
  return step.kind === 'call' && !['range', 'leaseTimeToLive', 'leaseLeases', 'hashKv', 'status'].includes(step.method);
}

/** The steps, if the two differ at the last one. Servers that do not start show nothing. */
async function ifFailing(steps: readonly Step[], start: () => Promise<Servers>): Promise<readonly Step[] | undefined> {
  const servers = await start().catch(() => undefined);
  if (servers === undefined) return undefined;
  const comparison = new Comparison(servers.targets);
  try {
    for (const [at, step] of steps.entries()) {
      try {
        await comparison.run(step);
      } catch {
        // A difference somewhere else is another one.
        return at === steps.length - 1 ? steps : undefined;
      }
    }
    return undefined;
  } finally {
    await servers.stop();
  }
}
