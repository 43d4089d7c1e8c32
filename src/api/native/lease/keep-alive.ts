/** `LeaseService.KeepAlive`: renews leases for as long as the stream lasts, message by message. */
import { required } from '../../../base/assert';
import type { Clock } from '../../../base/clock';
import type { KeepAliveRequest, KeepAliveResponse, RenewedLease } from '../../../gen/quorate/v1/lease';
import type { CallContext } from '../../../node/call';
import { durationOfSeconds } from '../../durations';
import type { DuplexPort, DuplexSession } from '../../duplex-streams';
import type { LeaseRenewals } from '../../lease-renewals';
import type { ApiLimits } from '../../limits';
import { pipelined } from '../../pipelined-session';
import { invalid } from '../../validate';
import { checkedLeaseId } from './lease-id';

/** What renewing needs of a member. */
export interface KeepAliveNeeds {
  readonly renewals: LeaseRenewals;
  readonly scheduler: Clock;
  readonly limits: ApiLimits;
}

/** Bounds of the streams, and of what they carry. */
export const keepAliveLimits = {
  maxStreams: 20_000,
  /** Response bytes on their way to one client, from which on it is waited for. */
  maxBytesInFlight: 64 * 1024,
  /** Of one message. */
  maxLeases: 1000,
  /** Messages of one stream that are not answered yet. */
  maxUnanswered: 64,
} as const;

/** What a lease takes in a response, about. */
const leaseBytes = 24;

/** Makes the session of one stream. */
export function keepAliveSession(
  needs: KeepAliveNeeds,
): (port: DuplexPort<KeepAliveResponse>) => DuplexSession<KeepAliveRequest> {
  return pipelined((request: KeepAliveRequest, call) => keepAlive(needs, request, call), {
    clock: needs.scheduler,
    requestTimeoutMs: needs.limits.requestTimeoutMs,
    maxUnanswered: keepAliveLimits.maxUnanswered,
    responseBytes: ({ leases }) => leases.length * leaseBytes,
  });
}

async function keepAlive(
  { renewals }: KeepAliveNeeds,
  { leaseIds }: KeepAliveRequest,
  call: CallContext,
): Promise<KeepAliveResponse> {
  const { maxLeases } = keepAliveLimits;
  if (leaseIds.length === 0 || leaseIds.length > maxLeases) {
    const bounds = { limit: `1 to ${String(maxLeases)} ids`, actual: `${String(leaseIds.length)} ids` };
    throw invalid('lease_ids', 'has the wrong length', bounds);
  }
  const ids = leaseIds.map((id) => checkedLeaseId(id, 'lease_ids'));
  const renewed = await renewals.renewAll(ids, call);
  return { leases: renewed.map(({ ttl }, at) => messageOf(required(ids[at], 'a renewal for each lease'), ttl)) };
}

function messageOf(leaseId: bigint, ttl: number | undefined): RenewedLease {
  return { leaseId, found: ttl !== undefined, ttl: ttl === undefined ? undefined : durationOfSeconds(ttl) };
}
