/** Which keys a request means: all, those of a prefix, or those of a range. */
import { assert } from '../../base/assert';
import type { Range } from '../../gen/quorate/v1/kv';
import type { KeyRange } from '../../kv/command';
import { checkedKeyText, invalid } from '../validate';

/** A selection as requests carry it. */
export type Selection =
  { readonly $case: 'prefix'; readonly value: string } | { readonly $case: 'range'; readonly value: Range } | undefined;

/**
 * The keys of a selection; all, if there is none.
 *
 * @throws QuorateError `invalid-argument`
 */
export function selectedRange(selection: Selection, maxKeyBytes: number): KeyRange {
  switch (selection?.$case) {
    case undefined:
      return { start: new Uint8Array(), end: undefined };
    case 'prefix': {
      const start = checkedKeyText('prefix', selection.value, maxKeyBytes);
      return { start, end: endOfPrefix(start) };
    }
    case 'range': {
      const end = checkedKeyText('range.end', selection.value.end, maxKeyBytes);
      const start = checkedKeyText('range.start', selection.value.start, maxKeyBytes);
      return { start, end: end.length === 0 ? undefined : end };
    }
  }
}

/**
 * The keys that shall be removed: whoever means all must say so by a range, so that a field left out removes nothing.
 *
 * @throws QuorateError `invalid-argument`
 */
export function selectedForRemoval(selection: Selection, maxKeyBytes: number): KeyRange {
  const isMissing = selection === undefined || (selection.$case === 'prefix' && selection.value === '');
  if (isMissing) {
    throw invalid('selection', 'is missing', { limit: 'a prefix that is not empty, or a range', actual: 'neither' });
  }
  return selectedRange(selection, maxKeyBytes);
}

export function isEmptyRange({ start, end }: KeyRange): boolean {
  return end !== undefined && Buffer.compare(start, end) >= 0;
}

/** The first byte string after all that begin with `prefix`. UTF-8 never holds a byte 0xff, so the last one can grow. */
function endOfPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const end = Uint8Array.from(prefix);
  const last = end.at(-1);
  if (last === undefined) return undefined;
  assert(last < 0xff, 'UTF-8 holds no byte 0xff');
  end[end.length - 1] = last + 1;
  return end;
}
