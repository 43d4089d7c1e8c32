import { findForeign } from '../support/foreign';
import { runLane } from './differential/lane';
import type { Volume } from './differential/run';
import { etcdAndQuorate } from './differential/servers';

const etcd = findForeign('server', 'the comparison with etcd');

/** Streams at a time, each with servers of its own: a stream waits much, for one server or the other. */
const lanes = 6;
const callsPerLane = 17_000;

/** `DIFFERENTIAL_SEED` replays: lane n of a run has its seed plus n. */
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000_000);

('missing' in etcd ? describe.skip : describe)('etcd and quorate', () => {
  it('answer the same to 100,000 calls and on 1,000 watch streams', async () => {
    const program = 'path' in etcd ? etcd.path : '';
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
  }, 1_500_000);
});
