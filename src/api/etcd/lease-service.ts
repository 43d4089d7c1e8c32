/** `etcdserverpb.Lease`: check, call, map, reply. */
import { assert } from '../../base/assert';
import type { Clock } from '../../base/clock';
import type {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  LeaseServer,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
} from '../../gen/etcd/etcdserverpb/lease';
import type { Lessor } from '../../kv/lessor';
import type { KvReader, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import type { DuplexStreams } from '../duplex-streams';
import { leaseIdsFor } from '../lease-ids';
import { grantedTtl, type LeaseRenewals } from '../lease-renewals';
import type { ApiLimits } from '../limits';
import { EtcdError } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';
import { bufferOf } from './kv-messages';
import { propose } from './proposals';

/** What the service needs of a member. */
export interface LeaseServiceDependencies {
  readonly facts: HeaderFacts;
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'revision' | 'lease' | 'leaseKeys'>;
  readonly lessor: Pick<Lessor, 'remainingMs' | 'byRemaining'>;
  readonly renewals: LeaseRenewals;
  readonly scheduler: Clock;
  readonly electionTimeoutMs: number;
  readonly limits: Pick<ApiLimits, 'requestTimeoutMs'>;
}

/** Longest time to live that etcd grants, seconds. */
const maxTtl = 9_000_000_000n;

/** Most keep-alives of one stream that are not answered yet: a client may keep all its leases on one. */
const maxUnanswered = 1000;
/** Of a keep-alive, about. */
const responseBytes = 64;

/** The gRPC handlers of the service. */
export function leaseServiceHandlers(
  needs: LeaseServiceDependencies,
  calls: EtcdCalls,
  keepAlives: DuplexStreams,
): LeaseServer {
  const { scheduler: clock, limits } = needs;
  const { requestTimeoutMs } = limits;
  const pipeline = { clock, requestTimeoutMs, maxUnanswered, responseBytes: () => responseBytes };
  return {
    leaseGrant: calls.unary((request: LeaseGrantRequest, call) => grant(needs, request, call)),
    leaseRevoke: calls.unary((request: LeaseRevokeRequest, call) => revoke(needs, request, call)),
    leaseKeepAlive: keepAlives.handler(
      calls.pipelined((request: LeaseKeepAliveRequest, call) => keepAlive(needs, request, call), pipeline),
    ),
    leaseTimeToLive: calls.unary((request: LeaseTimeToLiveRequest, call) => timeToLive(needs, request, call)),
    leaseLeases: calls.unary(() => Promise.resolve(leases(needs))),
  };
}

async function grant(
  needs: LeaseServiceDependencies,
  { ID, TTL }: LeaseGrantRequest,
  call: CallContext,
): Promise<LeaseGrantResponse> {
  if (TTL > maxTtl) throw new EtcdError('lease-ttl-too-large');
  const ttl = Math.max(Number(TTL), minTtl(needs));
  const id = ID === 0n ? leaseIdsFor(undefined)() : ID;
  const begunAt = needs.scheduler.now();
  const result = await propose(needs.proposer, { kind: 'lease-grant', id, ttl }, call);
  assert(result.kind === 'lease', 'the result of a grant is that of a grant');
  const promised = grantedTtl(result, needs.scheduler.now() - begunAt);
  return { header: headerOf(needs.facts, result.revision), ID: id, TTL: BigInt(promised), error: '' };
}

/** etcd grants no less, and says nothing of it: one and a half election timeouts, in whole seconds. */
function minTtl({ electionTimeoutMs }: LeaseServiceDependencies): number {
  return Math.ceil((1.5 * electionTimeoutMs) / 1000);
}

async function revoke(
  needs: LeaseServiceDependencies,
  { ID: id }: LeaseRevokeRequest,
  call: CallContext,
): Promise<LeaseRevokeResponse> {
  const result = await propose(needs.proposer, { kind: 'lease-revoke', id }, call);
  return { header: headerOf(needs.facts, result.revision) };
}

/** A lease that is not there is no error: its time to live is 0. */
async function keepAlive(
  needs: LeaseServiceDependencies,
  { ID }: LeaseKeepAliveRequest,
  call: CallContext,
): Promise<LeaseKeepAliveResponse> {
  const { ttl, revision } = await needs.renewals.renew(ID, call);
  return { header: headerOf(needs.facts, revision), ID, TTL: BigInt(ttl ?? 0) };
}

async function timeToLive(
  needs: LeaseServiceDependencies,
  { ID, keys }: LeaseTimeToLiveRequest,
  call: CallContext,
): Promise<LeaseTimeToLiveResponse> {
  const { proposer, reader, lessor, facts } = needs;
  await proposer.readBarrier(call);
  const header = headerOf(facts, reader.revision);
  const lease = reader.lease(ID);
  const remainingMs = lessor.remainingMs(ID);
  if (lease === undefined || remainingMs === undefined) return { header, ID, TTL: -1n, grantedTTL: 0n, keys: [] };
  return {
    ...{ header, ID, TTL: BigInt(Math.floor(remainingMs / 1000)), grantedTTL: BigInt(lease.ttl) },
    keys: keys ? reader.leaseKeys(ID).map(bufferOf) : [],
  };
}

/** As etcd, of what this member knows: the one with the least time left first. */
function leases({ facts, reader, lessor }: LeaseServiceDependencies): LeaseLeasesResponse {
  return { header: headerOf(facts, reader.revision), leases: lessor.byRemaining().map((ID) => ({ ID })) };
}
