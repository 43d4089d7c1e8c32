/** `KVService.Get`: reads one key, as it is or as it was. */
import type { GetRequest, GetResponse } from '../../../gen/quorate/v1/kv';
import type { KvReader } from '../../../kv/result';
import type { CallContext } from '../../../node/call';
import type { ApiLimits } from '../../limits';
import type { ReadGate } from '../../read-gate';
import { checkedKey, checkedRevision } from '../../validate';
import { foundMessage } from './messages';

/** What reading needs of a member. */
export interface ReadNeeds {
  readonly reader: Pick<KvReader, 'revision' | 'compactRevision' | 'get' | 'range' | 'keyHistory'>;
  readonly reads: ReadGate;
  readonly limits: ApiLimits;
}

export async function get(
  { reader, reads, limits }: ReadNeeds,
  request: GetRequest,
  call: CallContext,
): Promise<GetResponse> {
  const key = checkedKey(request.key, limits.maxKeyBytes);
  const revision = checkedRevision('revision', request.revision);
  await reads.admit(request, call);
  const { found, kv } = foundMessage(reader.get(key, revision));
  return { found, kv, revision: reader.revision };
}
