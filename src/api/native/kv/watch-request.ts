/** What a request for a watch asks for, checked. */
import { EventType, type WatchRequest } from '../../../gen/quorate/v1/kv';
import type { KeyRange } from '../../../kv/command';
import { rangeOfKey } from '../../../kv/key-range';
import { checkedMilliseconds } from '../../durations';
import { checkedKey, checkedRevision, invalid } from '../../validate';
import { selectedRange } from '../selection';
import { positionOfToken, type WatchPosition } from './watch-position';

/** A watch as it was asked for. */
export interface WatchWish {
  readonly range: KeyRange;
  /** Where it begins. `now`: with the next change; `snapshot`: with the keys as they are. */
  readonly start: WatchPosition | 'now' | 'snapshot';
  readonly withoutPuts: boolean;
  readonly withoutDeletes: boolean;
  readonly withPrevious: boolean;
  readonly keysOnly: boolean;
  readonly progressIntervalMs: number;
}

/** Bounds of `progress_interval`, milliseconds. */
const progressIntervals = { default: 10_000, min: 100, max: 24 * 60 * 60_000 } as const;

/** @throws QuorateError `invalid-argument` */
export function checkedWatch(request: WatchRequest, maxKeyBytes: number): WatchWish {
  const range = watchedRange(request.selection, maxKeyBytes);
  const { progressInterval: interval } = request;
  return {
    range,
    start: startOf(request, range),
    ...omissionsOf(request.omit),
    withPrevious: request.returnPrevious,
    keysOnly: request.keysOnly,
    progressIntervalMs:
      interval === undefined
        ? progressIntervals.default
        : checkedMilliseconds('progress_interval', interval, progressIntervals),
  };
}

function watchedRange(selection: WatchRequest['selection'], maxKeyBytes: number): KeyRange {
  if (selection?.$case === 'key') return rangeOfKey(checkedKey(selection.value, maxKeyBytes));
  return selectedRange(selection, maxKeyBytes);
}

function startOf({ startRevision, snapshot, resumeToken }: WatchRequest, range: KeyRange): WatchWish['start'] {
  const revision = checkedRevision('start_revision', startRevision);
  if (revision !== 0 && (snapshot || resumeToken !== '')) {
    const limit = '0 with snapshot or resume_token';
    throw invalid('start_revision', 'says where to begin, as another field does', { limit, actual: String(revision) });
  }
  if (resumeToken !== '') return positionOfToken(range, resumeToken);
  if (snapshot) return 'snapshot';
  const first: WatchPosition = { revision, sub: 0, snapshotKey: undefined };
  return revision === 0 ? 'now' : first;
}

function omissionsOf(omit: WatchRequest['omit']): Pick<WatchWish, 'withoutPuts' | 'withoutDeletes'> {
  const unknown = omit.find((type) => type !== EventType.PUT && type !== EventType.DELETE);
  if (unknown !== undefined) throw invalid('omit', 'is not known', { limit: '1 or 2', actual: String(unknown) });
  return { withoutPuts: omit.includes(EventType.PUT), withoutDeletes: omit.includes(EventType.DELETE) };
}
