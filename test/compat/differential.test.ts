import { findForeign } from '../support/foreign';
import { compareInLanes, patienceMs } from './differential/lanes';

const etcd = findForeign('server', 'the comparison with etcd');

/** The same for every run, so that it fails for what was changed. The campaign of the same name takes fresh ones. */
const seed = 1;

('missing' in etcd ? describe.skip : describe)('etcd and quorate', () => {
  it(
    'answer the same to 100,000 calls and on 1,000 watch streams',
    () => compareInLanes('path' in etcd ? etcd.path : '', seed),
    patienceMs,
  );
});
