/** `KVService.DeleteRange`: removes all keys of a prefix or a range. */
import { assert } from '../../../base/assert';
import type { DeleteRangeRequest, DeleteRangeResponse } from '../../../gen/quorate/v1/kv';
import type { DeleteOperation } from '../../../kv/command';
import { checkedRequestId } from '../../request-ids';
import { isReplayed, type Mutation, type RequestBounds } from '../mutation';
import { selectedForRemoval, type Selection } from '../selection';

/** @throws QuorateError `invalid-argument` */
export function deleteRangeMutation(
  request: DeleteRangeRequest,
  { limits, wallClock }: RequestBounds,
): Mutation<DeleteRangeResponse> {
  const requestId = checkedRequestId(request.requestId, wallClock());
  return {
    command: { requestId, command: deleteRangeOperation(request.selection, limits.maxKeyBytes) },
    answer(result) {
      assert(result.kind === 'delete', 'the result of a delete is that of a delete');
      return { deleted: result.deleted, revision: result.revision, replayed: isReplayed(result) };
    },
  };
}

/** The operation, in a call of its own or in a transaction. */
export function deleteRangeOperation(selection: Selection, maxKeyBytes: number): DeleteOperation {
  return { kind: 'delete', range: selectedForRemoval(selection, maxKeyBytes), returnPrevious: false };
}
