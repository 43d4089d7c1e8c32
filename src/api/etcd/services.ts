/** The etcd API of one member: its services, for a listener. */
import { AuthService } from '../../gen/etcd/etcdserverpb/auth';
import { ClusterService } from '../../gen/etcd/etcdserverpb/cluster';
import { LeaseService } from '../../gen/etcd/etcdserverpb/lease';
import { MaintenanceService } from '../../gen/etcd/etcdserverpb/maintenance';
import { WatchService } from '../../gen/etcd/etcdserverpb/watch';
import { ElectionService } from '../../gen/etcd/v3electionpb/election';
import { LockService } from '../../gen/etcd/v3lockpb/lock';
import type { Scheduler } from '../../base/clock';
import type { Lessor } from '../../kv/lessor';
import type { KvReader, Result } from '../../kv/result';
import type { Watches } from '../../kv/watch';
import type { MembershipAuthority, Proposer } from '../../node/call';
import type { NodeStatus } from '../../node/status';
import type { MemberId } from '../../raft';
import type { Attention } from '../attention';
import type { DuplexStreams } from '../duplex-streams';
import { withEncodedResponses } from '../encoded-responses';
import type { LeaseRenewals } from '../lease-renewals';
import type { ApiLimits } from '../limits';
import type { Recipes } from '../recipes/recipes';
import type { ServerStreams } from '../server-streams';
import type { SnapshotSource } from '../state-copies';
import type { ApiService } from '../strict-service';
import type { UnaryCalls } from '../unary-calls';
import { authServiceHandlers } from './auth-service';
import { clusterServiceHandlers } from './cluster-service';
import { electionServiceHandlers } from './election-service';
import { EtcdCalls } from './etcd-calls';
import { kvServiceWithGivenEnds } from './given-ends';
import { HttpApi, type HttpApiOptions } from './http/http-api';
import { kvServiceHandlers } from './kv-service';
import { leaseServiceHandlers } from './lease-service';
import { lockServiceHandlers } from './lock-service';
import { maintenanceServiceHandlers } from './maintenance-service';
import type { Secured } from './member-messages';
import { watchServiceHandlers } from './watch-service';

/** What the services need of a member. */
export interface EtcdDependencies {
  readonly clusterId: bigint;
  /** This member. */
  readonly memberId: MemberId;
  readonly proposer: Proposer<Result>;
  readonly reader: KvReader;
  readonly attention: Pick<Attention, 'onStaleRead'>;
  readonly membership: MembershipAuthority;
  /** Who is reached with TLS. */
  readonly secured: Secured;
  status(): NodeStatus;
  /** That of `status`, without the rest. */
  term(): number;
  readonly scheduler: Scheduler;
  readonly snapshots: SnapshotSource;
  readonly watches: Watches;
  readonly lessor: Lessor;
  readonly renewals: LeaseRenewals;
  readonly limits: Pick<ApiLimits, 'requestTimeoutMs'>;
  /** Milliseconds. */
  readonly electionTimeoutMs: number;
  /** How often silent watches that want to know are told how far they are; milliseconds. */
  readonly watchProgressIntervalMs: number;
}

/** The funnels that all APIs of a member share. */
export interface SharedFunnels {
  readonly calls: UnaryCalls;
  /** For copies of the state. */
  readonly streams: ServerStreams;
  /** For watches. */
  readonly watchStreams: DuplexStreams;
  /** For keep-alives. */
  readonly leaseStreams: DuplexStreams;
  readonly recipes: Recipes;
}

/** Who is in no configuration yet receives the log, and does not vote: a learner. */
function isLearnerNow({ memberId, membership }: EtcdDependencies): boolean {
  return (membership.members().find(({ id }) => id === memberId)?.standing ?? 'learner') === 'learner';
}

/** What the same member tells without gRPC. */
export function etcdHttp(member: EtcdDependencies, around: Omit<HttpApiOptions, 'probes'>): HttpApi {
  return new HttpApi({ ...around, probes: { ...member, isLearner: () => isLearnerNow(member) } });
}

export function etcdServices(member: EtcdDependencies, funnels: SharedFunnels): readonly ApiService[] {
  const { clusterId, memberId } = member;
  const isLearner = () => isLearnerNow(member);
  const leader = () => member.status().leader;
  const needs = { ...member, facts: { clusterId, memberId, term: () => member.term() }, isLearner };
  const calls = new EtcdCalls(funnels.calls, { leader, isLearner });
  const watchNeeds = { ...needs, hasLeader: () => leader() !== undefined };
  return [
    {
      definition: withEncodedResponses(kvServiceWithGivenEnds, 'range', 'put'),
      handlers: kvServiceHandlers(needs, calls),
    },
    { definition: ClusterService, handlers: clusterServiceHandlers(needs, calls) },
    { definition: MaintenanceService, handlers: maintenanceServiceHandlers(needs, calls, funnels.streams) },
    {
      definition: withEncodedResponses(WatchService, 'watch'),
      handlers: watchServiceHandlers(watchNeeds, calls, funnels.watchStreams),
    },
    { definition: LeaseService, handlers: leaseServiceHandlers(needs, calls, funnels.leaseStreams) },
    { definition: LockService, handlers: lockServiceHandlers(needs, calls, funnels.recipes) },
    { definition: ElectionService, handlers: electionServiceHandlers(needs, calls, funnels.recipes) },
    { definition: AuthService, handlers: authServiceHandlers(needs, calls) },
  ];
}
