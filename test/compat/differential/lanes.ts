/** Several streams beside each other, and what they must amount to. */
import { runLane } from './lane';
import type { Volume } from './run';
import { etcdAndQuorate } from './servers';

/** Streams at a time, each with servers of its own: a stream waits much, for one server or the other. */
const lanes = 6;
/** No stream ends exactly where it is told to. */
const surplus = 1.02;

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
  const volumes = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => runLane(seed + lane, perLane, () => etcdAndQuorate(program))),
  );
  const all = (field: keyof Volume): number => volumes.reduce((sum, volume) => sum + volume[field], 0);
  expect(all('calls')).toBeGreaterThanOrEqual(calls);
  expect(all('errors')).toBeGreaterThan(calls / 20);
  expect(all('sessions')).toBeGreaterThanOrEqual(calls / 100);
  expect(all('watches')).toBeGreaterThan(calls / 50);
  expect(all('events')).toBeGreaterThan(events);
}

/** Milliseconds; on a machine that is busy with other things, too. */
export const patienceMs = 1_500_000;
