/** `LeaseService.GetLease`: what is known of one lease, and what is left of it. */
import { QuorateError } from '../../../base/error';
import type { GetLeaseRequest, GetLeaseResponse } from '../../../gen/quorate/v1/lease';
import type { Lessor } from '../../../kv/lessor';
import type { KvReader } from '../../../kv/result';
import type { CallContext } from '../../../node/call';
import { durationOfMilliseconds, durationOfSeconds } from '../../durations';
import type { ReadGate } from '../../read-gate';
import { checkedLeaseId } from './lease-id';

/** What looking at a lease needs of a member. */
export interface GetLeaseNeeds {
  readonly reader: Pick<KvReader, 'lease' | 'leaseKeys'>;
  readonly reads: ReadGate;
  readonly lessor: Pick<Lessor, 'remainingMs'>;
}

/** Most keys that are told. */
const maxKeys = 10_000;

export async function getLease(
  { reader, reads, lessor }: GetLeaseNeeds,
  { leaseId, keys: wantsKeys }: GetLeaseRequest,
  call: CallContext,
): Promise<GetLeaseResponse> {
  const id = checkedLeaseId(leaseId);
  await reads.linearizable(call);
  const lease = reader.lease(id);
  const remainingMs = lessor.remainingMs(id);
  if (lease === undefined || remainingMs === undefined) throw new QuorateError('not-found', 'there is no such lease');
  const keys = reader.leaseKeys(id);
  return {
    lease: { leaseId: id, ttl: durationOfSeconds(lease.ttl) },
    remaining: durationOfMilliseconds(remainingMs),
    keys: wantsKeys ? keys.slice(0, maxKeys).map((key) => Buffer.from(key).toString('utf8')) : [],
    keyCount: keys.length,
  };
}
