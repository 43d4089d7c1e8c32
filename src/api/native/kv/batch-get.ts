/** `KVService.BatchGet`: reads several keys at one revision. */
import type { BatchGetRequest, BatchGetResponse, BatchGetResult } from '../../../gen/quorate/v1/kv';
import type { CallContext } from '../../../node/call';
import { checkedKey, checkedRevision, invalid } from '../../validate';
import type { ReadNeeds } from './get';
import { foundMessage } from './messages';

/** Most keys of one call. */
export const maxBatchKeys = 1000;

export async function batchGet(
  needs: ReadNeeds,
  request: BatchGetRequest,
  call: CallContext,
): Promise<BatchGetResponse> {
  const keys = checkedKeys(request.keys, needs.limits.maxKeyBytes);
  const revision = checkedRevision('revision', request.revision);
  await needs.reads.admit(request, call);
  const results = firstThatFit(needs, keys, { revision, keysOnly: request.keysOnly });
  return { results, revision: revision === 0 ? needs.reader.revision : revision };
}

/** All in one turn, so at one revision. Stops before the answer gets too long, but not before the first key. */
function firstThatFit(
  { reader, limits }: ReadNeeds,
  keys: readonly Uint8Array[],
  { revision, keysOnly }: { readonly revision: number; readonly keysOnly: boolean },
): BatchGetResult[] {
  const results: BatchGetResult[] = [];
  let bytes = 0;
  for (const key of keys) {
    const record = reader.get(key, revision);
    bytes += key.length + (keysOnly || record === undefined ? 0 : record.value.length);
    if (bytes > limits.maxPageBytes && results.length > 0) break;
    results.push(foundMessage(record, keysOnly));
  }
  return results;
}

function checkedKeys(keys: readonly string[], maxKeyBytes: number): Uint8Array[] {
  if (keys.length === 0 || keys.length > maxBatchKeys) {
    throw invalid('keys', 'are too few or too many', {
      limit: `1 to ${String(maxBatchKeys)} keys`,
      actual: `${String(keys.length)} keys`,
    });
  }
  return keys.map((key) => checkedKey(key, maxKeyBytes, 'keys'));
}
