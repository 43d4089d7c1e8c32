/** `KVService.List`: the keys of a prefix or a range, page by page, all pages at the revision of the first. */
import { assert } from '../../../base/assert';
import type { ListRequest, ListResponse } from '../../../gen/quorate/v1/kv';
import type { KeyRange } from '../../../kv/command';
import type { CallContext } from '../../../node/call';
import { type PagePosition, pageTokenAfter, positionOf } from '../../page-token';
import { checkedPageBytes, checkedPageSize, checkedRevision, invalid } from '../../validate';
import { isEmptyRange, selectedRange } from '../selection';
import type { ReadNeeds } from './get';
import { keyValueMessage } from './messages';

export async function list(needs: ReadNeeds, request: ListRequest, call: CallContext): Promise<ListResponse> {
  const { reader, limits } = needs;
  const limit = checkedPageSize(request.pageSize);
  const maxBytes = checkedPageBytes(request.pageBytes, limits.maxPageBytes);
  const selection = selectedRange(request.selection, limits.maxKeyBytes);
  const { range, revision } = await pageStart(needs, request, { selection, call });
  const { keysOnly } = request;
  if (isEmptyRange(range)) return { kvs: [], nextPageToken: '', revision };
  const page = reader.range({ ...range, revision, limit, maxBytes, keysOnly });
  const last = page.records.at(-1);
  assert(!page.more || last !== undefined, 'a page that is not the last holds a record');
  const nextPageToken = page.more && last !== undefined ? pageTokenAfter(selection, last.key, revision) : '';
  return { kvs: page.records.map((record) => keyValueMessage(record, keysOnly)), nextPageToken, revision };
}

/** Where the page begins, and at which revision; returns once this member can read that. */
async function pageStart(
  { reader, reads }: ReadNeeds,
  request: ListRequest,
  { selection, call }: { readonly selection: KeyRange; readonly call: CallContext },
): Promise<PagePosition> {
  const position = positionOf(selection, request.pageToken);
  const revision = checkedRevision('revision', request.revision);
  if (position === undefined) {
    await reads.admit(request, call);
    return { range: selection, revision: revision === 0 ? reader.revision : revision };
  }
  if (revision !== 0 && revision !== position.revision) throw otherRevision(position.revision, revision);
  await reads.reached(position.revision, call);
  return position;
}

function otherRevision(limit: number, actual: number) {
  return invalid('revision', 'is not that of the page_token', {
    limit: `0 or ${String(limit)}`,
    actual: String(actual),
  });
}
