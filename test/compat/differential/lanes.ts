/** Several streams beside each other, and what they must amount to. */
import { runLane } from './lane';
import { noVolume, type Volume } from './volume';
import { etcdAndQuorate } from './servers';

/** Streams at a time, each with servers of its own: a stream waits much, for one server or the other. */
const lanes = 6;
/** No stream ends exactly where it is told to. */
const surplus = 1.02;

/** Each of these must have been there more often than once in so many calls: about half of what is usual, or less if it is rare. */
const leastOften = {
  errors: 20,
  tooLarge: 4000,
  tooManyOperations: 2000,
  unknownEnums: 250,
  extremes: 40,
  runOuts: 6000,
  alarms: 600,
  refusedByAlarm: 1000,
  statuses: 2000,
  sessions: 100,
  watches: 50,
  filtered: 200,
  withPrevious: 20,
  fragments: 3500,
  progress: 200,
} as const satisfies Partial<Record<keyof Volume, number>>;

/**
 * Compares etcd and quorate.
 *
 * @param program etcd
 * @param seed lane n has this plus n
 * @param least so many calls, with a watch stream for each hundred, and events on these
 */
export async function compareInLanes(
  program: string,
  seed: number,
  { calls, events }: { readonly calls: number; readonly events: number },
): Promise<void> {
  process.stderr.write(`differential: DIFFERENTIAL_SEED=${String(seed)}\n`);
  const perLane = Math.ceil((surplus * calls) / lanes);
  // Once one has failed, the others end and stop their servers, which would outlive the test.
  let hasFailed = false;
  const runs = Array.from({ length: lanes }, (_, lane) =>
    runLane(seed + lane, perLane, { start: () => etcdAndQuorate(program), isOver: () => hasFailed }).catch(
      (error: unknown) => {
        hasFailed = true;
        throw error;
      },
    ),
  );
  await Promise.allSettled(runs);
  const volumes = await Promise.all(runs);
  const total = noVolume();
  for (const name of Object.keys(total) as (keyof Volume)[]) {
    total[name] = volumes.reduce((sum, volume) => sum + volume[name], 0);
  }
  process.stderr.write(`differential: ${JSON.stringify(total)}\n`);
  expect(total.calls).toBeGreaterThanOrEqual(calls);
  expect(total.events).toBeGreaterThan(events);
  const names = Object.keys(leastOften) as (keyof typeof leastOften)[];
  expect(names.filter((name) => total[name] <= calls / leastOften[name])).toEqual([]);
}

/** Milliseconds; on a machine that is busy with other things, too. */
export const patienceMs = 1_500_000;
