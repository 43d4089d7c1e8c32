/** `LeaseService.Revoke`: ends a lease now, with its keys. */
import type { RevokeRequest, RevokeResponse } from '../../../gen/quorate/v1/lease';
import { checkedRequestId } from '../../request-ids';
import { isReplayed, type Mutation, type RequestBounds } from '../mutation';
import { checkedLeaseId } from './lease-id';

/** @throws QuorateError `invalid-argument` */
export function revokeMutation(
  { leaseId, requestId }: RevokeRequest,
  { wallClock }: Pick<RequestBounds, 'wallClock'>,
): Mutation<RevokeResponse> {
  const id = checkedLeaseId(leaseId);
  return {
    command: { requestId: checkedRequestId(requestId, wallClock()), command: { kind: 'lease-revoke', id } },
    answer: (result) => ({ revision: result.revision, replayed: isReplayed(result) }),
  };
}
