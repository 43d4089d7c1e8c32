/** Several streams beside each other, and what they must amount to. */
import { runLane } from './lane';
import type { Volume } from './run';
import { etcdAndQuorate } from './servers';

/** Streams at a time, each with servers of its own: a stream waits much, for one server or the other. */
const lanes = 6;
const callsPerLane = 17_000;

/**
 * Compares etcd and quorate in 100,000 calls and on 1,000 watch streams.
 *
 * @param program etcd
 * @param seed lane n has this plus n
 */
export async function compareInLanes(program: string, seed: number): Promise<void> {
  process.stderr.write(`differential: DIFFERENTIAL_SEED=${String(seed)}\n`);
  const volumes = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => runLane(seed + lane, callsPerLane, () => etcdAndQuorate(program))),
  );
  const all = (field: keyof Volume): number => volumes.reduce((sum, volume) => sum + volume[field], 0);
  expect(all('calls')).toBeGreaterThanOrEqual(100_000);
  expect(all('errors')).toBeGreaterThan(5_000);
  expect(all('sessions')).toBeGreaterThanOrEqual(1_000);
  expect(all('watches')).toBeGreaterThan(2_000);
  expect(all('events')).toBeGreaterThan(100_000);
}

/** Milliseconds; on a machine that is busy with other things, too. */
export const patienceMs = 1_500_000;
