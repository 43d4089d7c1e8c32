/** `KVService.Delete`: removes one key, on a condition if one is given. */
import { assert } from '../../../base/assert';
import type { DeleteRequest, DeleteResponse } from '../../../gen/quorate/v1/kv';
import type { DeleteOperation } from '../../../kv/command';
import { rangeOfKey } from '../../../kv/key-range';
import type { DeleteResult } from '../../../kv/result';
import { checkedRequestId } from '../../request-ids';
import { checkedKey, checkedRevision } from '../../validate';
import { type Condition, onCondition, resultOnCondition } from '../condition';
import { isReplayed, type Mutation, type RequestBounds } from '../mutation';
import { previousMessage } from './messages';

/** @throws QuorateError `invalid-argument` */
export function deleteMutation(request: DeleteRequest, bounds: RequestBounds): Mutation<DeleteResponse> {
  const requestId = checkedRequestId(request.requestId, bounds.wallClock());
  const key = checkedKey(request.key, bounds.limits.maxKeyBytes);
  const operation: DeleteOperation = {
    kind: 'delete',
    range: rangeOfKey(key),
    returnPrevious: request.returnPrevious,
  };
  const condition = conditionOf(request);
  return {
    command: { requestId, command: onCondition(condition, key, operation) },
    answer(result) {
      const ended = resultOnCondition(condition, result);
      assert(ended.kind === 'delete', 'the result of a delete is that of a delete');
      const { deleted, previous } = deleteFacts(ended);
      return { deleted, previous, revision: ended.revision, replayed: isReplayed(result) };
    },
  };
}

/** What the store tells of the removal of one key, but for its revision. */
export function deleteFacts({ deleted, previous }: DeleteResult) {
  assert(deleted <= 1, 'one key is removed at most once');
  return { deleted: deleted > 0, previous: previousMessage(previous[0]) };
}

function conditionOf({ ifRevision }: DeleteRequest): Condition | undefined {
  const modRevision = checkedRevision('if_revision', ifRevision);
  return modRevision === 0 ? undefined : { modRevision };
}
