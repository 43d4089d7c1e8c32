/** `LeaseService.Grant`: makes a lease. */
import { assert } from '../../../base/assert';
import type { Clock } from '../../../base/clock';
import type { GrantRequest, GrantResponse } from '../../../gen/quorate/v1/lease';
import type { Result } from '../../../kv/result';
import type { CallContext, Proposer } from '../../../node/call';
import { checkedTtl, durationOfSeconds } from '../../durations';
import { leaseIdsFor } from '../../lease-ids';
import { grantedTtl } from '../../lease-renewals';
import { checkedRequestId } from '../../request-ids';
import { isReplayed, mutate, type Mutation, type RequestBounds } from '../mutation';

/** What granting needs of a member. */
export interface GrantNeeds extends RequestBounds {
  readonly proposer: Proposer<Result>;
  readonly scheduler: Clock;
}

export function grant(needs: GrantNeeds, request: GrantRequest, call: CallContext): Promise<GrantResponse> {
  return mutate(needs, grantMutation(request, needs), call);
}

/** @throws QuorateError `invalid-argument` */
function grantMutation(request: GrantRequest, { scheduler, wallClock }: GrantNeeds): Mutation<GrantResponse> {
  const requestId = checkedRequestId(request.requestId, wallClock());
  const ttl = checkedTtl(request.ttl);
  const id = request.leaseId === 0n ? leaseIdsFor(requestId)() : request.leaseId;
  const begunAt = scheduler.now();
  return {
    command: { requestId, command: { kind: 'lease-grant', id, ttl } },
    answer(result) {
      assert(result.kind === 'lease', 'the result of a grant is that of a grant');
      const replayed = isReplayed(result);
      // Of a lease that was granted by an earlier call nothing is promised: its time began then.
      const promised = replayed ? ttl : grantedTtl(result, scheduler.now() - begunAt);
      return { leaseId: id, ttl: durationOfSeconds(promised), replayed };
    },
  };
}
