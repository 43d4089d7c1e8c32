import { findForeign } from '../support/foreign';
import { compareInLanes, patienceMs } from './differential/lanes';

const etcd = findForeign('server', 'the comparison with etcd');

/** The same for every run, so that it fails for what was changed. The campaign of the same name does it in full. */
const seed = 1;
/** A short stream has fewer events for each call: its history is short. */
const least = { calls: 12_000, events: 8_000 };

('missing' in etcd ? describe.skip : describe)('etcd and quorate', () => {
  it(
    `answer the same to ${String(least.calls)} calls, and on watch streams`,
    () => compareInLanes('path' in etcd ? etcd.path : '', seed, least),
    patienceMs,
  );
});
