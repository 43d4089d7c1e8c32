/** `KVService.StreamList`: all keys of a prefix or a range at one revision, as fast as the client takes them. */
import type { StreamListRequest, StreamListResponse } from '../../../gen/quorate/v1/kv';
import type { KeyRange } from '../../../kv/command';
import type { CallContext } from '../../../node/call';
import { checkedRevision } from '../../validate';
import { isEmptyRange, selectedRange } from '../selection';
import type { ReadNeeds } from './get';
import { keyValueMessage } from './messages';

/** How much one message holds: each is read in one step, between which others have their turn. */
const messageBounds = { limit: 1000, maxBytes: 256 * 1024 } as const;

export async function* streamList(
  needs: ReadNeeds,
  request: StreamListRequest,
  call: CallContext,
): AsyncGenerator<StreamListResponse, void, undefined> {
  const { reader, reads, limits } = needs;
  const selection = selectedRange(request.selection, limits.maxKeyBytes);
  const wanted = checkedRevision('revision', request.revision);
  await reads.admit(request, call);
  const revision = wanted === 0 ? reader.revision : wanted;
  const { keysOnly } = request;
  let rest: KeyRange | undefined = isEmptyRange(selection) ? undefined : selection;
  if (rest === undefined) yield { kvs: [], revision };
  while (rest !== undefined) {
    const { records, more } = reader.range({ ...rest, ...messageBounds, revision, keysOnly });
    yield { kvs: records.map((record) => keyValueMessage(record, keysOnly)), revision };
    const last = records.at(-1);
    rest = more && last !== undefined ? { start: Buffer.concat([last.key, Buffer.of(0)]), end: rest.end } : undefined;
  }
}
