/** `MaintenanceService.Compact`: forgets what was before a revision. */
import { assert } from '../../../base/assert';
import type { CompactRequest, CompactResponse } from '../../../gen/quorate/v1/maintenance';
import { checkedRequestId } from '../../request-ids';
import { invalid } from '../../validate';
import { isReplayed, type Mutation, type RequestBounds } from '../mutation';

/** @throws QuorateError `invalid-argument` */
export function compactMutation(
  { revision, requestId }: CompactRequest,
  { wallClock }: Pick<RequestBounds, 'wallClock'>,
): Mutation<CompactResponse> {
  if (revision < 1) throw invalid('revision', 'is no revision', { limit: '1 or more', actual: String(revision) });
  return {
    command: { requestId: checkedRequestId(requestId, wallClock()), command: { kind: 'compact', revision } },
    answer(result) {
      assert(result.kind === 'done', 'a compaction is done or refused');
      return { revision: result.revision, replayed: isReplayed(result) };
    },
  };
}
