import { compareInLanes, patienceMs } from '../compat/differential/lanes';
import { findForeign } from '../support/foreign';

const etcd = findForeign('server', 'the comparison with etcd');

/** `DIFFERENTIAL_SEED` replays. In CI always the same, so that it fails for what was changed. */
const freshSeed = process.env['CI'] === 'true' ? 1 : Date.now() % 1_000_000_000;
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? freshSeed);

('missing' in etcd ? describe.skip : describe)('etcd and quorate, with a fresh seed', () => {
  it(
    'answer the same to 100,000 calls and on 1,000 watch streams',
    () => compareInLanes('path' in etcd ? etcd.path : '', seed, { calls: 100_000, events: 100_000 }),
    patienceMs,
  );
});
