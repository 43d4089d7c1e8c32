/** What a request for a watch means to the hub. */
import { type WatchCreateRequest, WatchCreateRequest_FilterType } from '../../gen/etcd/etcdserverpb/watch';
import type { WatchRequest } from '../../kv/watch';
import { etcdErrors } from './errors';
import { keyRangeOf } from './key-range';

/** Why etcd refuses to begin a watch: texts that clients see, to the letter. */
export const watchRefusals = {
  compacted: etcdErrors.compacted[1],
  tooMany: etcdErrors['too-many-requests'][1],
  emptyRange: 'mvcc: watcher range is empty',
  duplicateId: 'mvcc: duplicate watch ID provided on the WatchStream',
} as const;

/** To etcd, a watch without a key is one of the first key there can be. */
const firstKey = Buffer.of(0);

/** The watch that is asked for, or the reason why there is none. */
export function watchRequestOf(request: WatchCreateRequest): Omit<WatchRequest, 'onReady'> | string {
  const { filters, prevKv, startRevision } = request;
  if (startRevision < 0n) return watchRefusals.compacted;
  const range = keyRangeOf(request.key.length === 0 ? firstKey : request.key, request.rangeEnd);
  if (range.end !== undefined && Buffer.compare(range.start, range.end) >= 0) return watchRefusals.emptyRange;
  return {
    range,
    // No revision is ever so large: to wait for it is to wait for ever.
    startRevision: Math.min(Number(startRevision), Number.MAX_SAFE_INTEGER),
    withoutPuts: filters.includes(WatchCreateRequest_FilterType.NOPUT),
    withoutDeletes: filters.includes(WatchCreateRequest_FilterType.NODELETE),
    withPrevious: prevKv,
  };
}
