/** `KVService.GetHistory`: the versions of one key that are not compacted, newest first. */
import type { GetHistoryRequest, GetHistoryResponse } from '../../../gen/quorate/v1/kv';
import type { CallContext } from '../../../node/call';
import { checkedKey, checkedPageSize, checkedRevision } from '../../validate';
import type { ReadNeeds } from './get';
import { eventMessage } from './messages';

export async function getHistory(
  { reader, reads, limits }: ReadNeeds,
  request: GetHistoryRequest,
  call: CallContext,
): Promise<GetHistoryResponse> {
  const key = checkedKey(request.key, limits.maxKeyBytes);
  const limit = checkedPageSize(request.limit, 'limit');
  const beforeRevision = checkedRevision('before_revision', request.beforeRevision);
  const { keysOnly } = request;
  await reads.admit(request, call);
  const page = reader.keyHistory(key, { beforeRevision, limit, maxBytes: limits.maxPageBytes, keysOnly });
  return {
    events: page.changes.map((change) => eventMessage(change, keysOnly)),
    more: page.more,
    revision: reader.revision,
    compactRevision: reader.compactRevision,
  };
}
