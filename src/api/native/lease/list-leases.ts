/** `LeaseService.ListLeases`: the leases by id, page by page. */
import { required } from '../../../base/assert';
import type { ListLeasesRequest, ListLeasesResponse } from '../../../gen/quorate/v1/lease';
import type { KvReader, LeaseInfo } from '../../../kv/result';
import type { CallContext } from '../../../node/call';
import { durationOfSeconds } from '../../durations';
import type { ReadGate } from '../../read-gate';
import { checkedPageSize, invalid } from '../../validate';

/** What listing leases needs of a member. */
export interface ListLeasesNeeds {
  readonly reader: Pick<KvReader, 'leases'>;
  readonly reads: ReadGate;
}

export async function listLeases(
  { reader, reads }: ListLeasesNeeds,
  { consistency, pageSize, pageToken }: ListLeasesRequest,
  call: CallContext,
): Promise<ListLeasesResponse> {
  const size = checkedPageSize(pageSize);
  const after = idOf(pageToken);
  await reads.admit({ consistency, maxStaleness: undefined, minRevision: 0 }, call);
  const found = firstAfter(after, reader.leases(), size + 1);
  const page = found.slice(0, size);
  return {
    leases: page.map(({ id, ttl }) => ({ leaseId: id, ttl: durationOfSeconds(ttl) })),
    nextPageToken: found.length > size ? tokenOf(required(page.at(-1), 'a full page has a last lease').id) : '',
  };
}

/** The `count` leases with the lowest ids above `after`, ascending: without sorting all the others. */
function firstAfter(after: bigint | undefined, leases: Iterable<LeaseInfo>, count: number): readonly LeaseInfo[] {
  let lowest: LeaseInfo[] = [];
  let most: bigint | undefined;
  for (const lease of leases) {
    if ((after !== undefined && lease.id <= after) || (most !== undefined && lease.id > most)) continue;
    lowest.push(lease);
    if (lowest.length < 2 * count) continue;
    lowest = lowest.sort(byId).slice(0, count);
    most = lowest.at(-1)?.id;
  }
  return lowest.sort(byId).slice(0, count);
}

function byId(a: LeaseInfo, b: LeaseInfo): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const tokenBytes = 8;

/** The id after which a page begins. */
function tokenOf(id: bigint): string {
  const bytes = Buffer.alloc(tokenBytes);
  bytes.writeBigInt64BE(id);
  return bytes.toString('base64url');
}

/** @throws QuorateError `invalid-argument` */
function idOf(token: string): bigint | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length === tokenBytes && bytes.toString('base64url') === token) return bytes.readBigInt64BE();
  const actual = 'something else';
  throw invalid('page_token', 'does not belong here', { limit: 'the next_page_token of a listing of leases', actual });
}
