/** Keys as the etcd API addresses them, made plain once, before anything else looks at them. */
import type { KeyRange } from '../../kv/command';
import { rangeOfKey } from '../../kv/key-range';

/**
 * The keys that `key` and `range_end` stand for: one key if there is no end, all from `key` on if the end is one zero byte,
 * otherwise `key <= k < range_end`. An end that is not after `key` gives a range without keys.
 */
export function keyRangeOf(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  if (rangeEnd.length === 0) return rangeOfKey(key);
  return { start: key, end: rangeEnd.length === 1 && rangeEnd[0] === 0 ? undefined : rangeEnd };
}
