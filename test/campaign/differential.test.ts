import { compareInLanes, patienceMs } from '../compat/differential/lanes';
import { findForeign } from '../support/foreign';

const etcd = findForeign('server', 'the comparison with etcd');

/** `DIFFERENTIAL_SEED` replays. */
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000_000);

('missing' in etcd ? describe.skip : describe)('etcd and quorate, with a fresh seed', () => {
  it(
    'answer the same to 100,000 calls and on 1,000 watch streams',
    () => compareInLanes('path' in etcd ? etcd.path : '', seed),
    patienceMs,
  );
});
