/** Ranges of keys: their usual forms, and what can be said of them. */
import type { KeyRange } from './command';

/** The range that holds one key: the first key after it is the key followed by a zero byte. */
export function rangeOfKey(key: Uint8Array): KeyRange {
  const end = Buffer.allocUnsafe(key.length + 1);
  end.set(key);
  end[key.length] = 0;
  return { start: key, end };
}

/** True if the range can hold no other key than its start. */
export function isSingleKey({ start, end }: KeyRange): boolean {
  if (end?.length !== start.length + 1 || end[start.length] !== 0) return false;
  return Buffer.compare(start, end.subarray(0, start.length)) === 0;
}
