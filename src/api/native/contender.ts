/** A contender for a lock or an election, as the native API describes it. */
import type { Duration } from '../../gen/google/protobuf/duration';
import { noLease, type RequestId } from '../../kv/command';
import { checkedTtl } from '../durations';
import { leaseIdsFor } from '../lease-ids';
import { recipeLimits } from '../recipes/dependencies';
import type { ContenderLease } from '../recipes/queues';
import { checkedKey, invalid } from '../validate';

/** What ends a hold, as requests say it. */
export type Hold =
  | { readonly $case: 'ttl'; readonly value: Duration }
  | { readonly $case: 'leaseId'; readonly value: bigint }
  | undefined;

/** The name of a lock or an election. @throws QuorateError `invalid-argument` */
export function checkedQueueName(name: string, maxKeyBytes: number): Uint8Array {
  return checkedKey(name, maxKeyBytes - recipeLimits.keyOverheadBytes, 'name');
}

/**
 * The lease that a contender brings, or the one that is made for it. A repetition of its call, by the request id, finds it
 * again under the same lease.
 *
 * @throws QuorateError `invalid-argument`
 */
export function leaseOfHold(hold: Hold, requestId: RequestId | undefined): ContenderLease {
  switch (hold?.$case) {
    case 'ttl':
      return { id: leaseIdsFor(requestId)(), ttl: checkedTtl(hold.value) };
    case 'leaseId':
      if (hold.value === noLease) throw invalid('lease_id', 'is no lease', { limit: 'any but 0', actual: '0' });
      return { id: hold.value, ttl: 0 };
    case undefined:
      throw invalid('hold', 'is missing', { limit: 'ttl or lease_id', actual: 'neither' });
  }
}

/** The token in a request that may leave it out. @throws QuorateError `invalid-argument` */
export function checkedToken(fencingToken: number): number | undefined {
  if (fencingToken >= 0) return fencingToken === 0 ? undefined : fencingToken;
  throw invalid('fencing_token', 'is negative', { limit: '0 or more', actual: String(fencingToken) });
}
