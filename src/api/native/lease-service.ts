/** `quorate.v1.LeaseService`: the handlers of its calls; each call has a file of its own in `lease/`. */
import type {
  GetLeaseRequest,
  GrantRequest,
  LeaseServiceServer,
  ListLeasesRequest,
  RevokeRequest,
} from '../../gen/quorate/v1/lease';
import type { DuplexStreams } from '../duplex-streams';
import type { UnaryCalls } from '../unary-calls';
import { getLease, type GetLeaseNeeds } from './lease/get-lease';
import { grant, type GrantNeeds } from './lease/grant';
import { keepAliveSession, type KeepAliveNeeds } from './lease/keep-alive';
import { listLeases, type ListLeasesNeeds } from './lease/list-leases';
import { revokeMutation } from './lease/revoke';
import { mutate } from './mutation';

/** What the service needs of a member. */
export interface LeaseServiceDependencies extends GrantNeeds, GetLeaseNeeds, ListLeasesNeeds, KeepAliveNeeds {
  readonly reader: GetLeaseNeeds['reader'] & ListLeasesNeeds['reader'];
}

/** What carries the calls. */
export interface LeaseServiceCarriers {
  readonly calls: UnaryCalls;
  /** For `KeepAlive`. */
  readonly keepAlives: DuplexStreams;
}

/** The gRPC handlers of the service. */
export function leaseServiceHandlers(
  needs: LeaseServiceDependencies,
  { calls, keepAlives }: LeaseServiceCarriers,
): LeaseServiceServer {
  return {
    grant: calls.handler((request: GrantRequest, call) => grant(needs, request, call)),
    revoke: calls.handler((request: RevokeRequest, call) => mutate(needs, revokeMutation(request, needs), call)),
    keepAlive: keepAlives.handler(keepAliveSession(needs)),
    getLease: calls.handler((request: GetLeaseRequest, call) => getLease(needs, request, call)),
    listLeases: calls.handler((request: ListLeasesRequest, call) => listLeases(needs, request, call)),
  };
}
