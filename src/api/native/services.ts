/** The native API of one member: its services, for a listener. */
import type { Scheduler } from '../../base/clock';
import { ClusterServiceService } from '../../gen/quorate/v1/cluster';
import { ElectionServiceService } from '../../gen/quorate/v1/election';
import { KVServiceService } from '../../gen/quorate/v1/kv';
import { LeaseServiceService } from '../../gen/quorate/v1/lease';
import { LockServiceService } from '../../gen/quorate/v1/lock';
import { MaintenanceServiceService } from '../../gen/quorate/v1/maintenance';
import type { Result } from '../../kv/result';
import type { Watches } from '../../kv/watch';
import type { Proposer } from '../../node/call';
import type { Attention } from '../attention';
import type { LastingCalls } from '../call-ends';
import { DuplexStreams } from '../duplex-streams';
import { withEncodedResponses } from '../encoded-responses';
import { nativeErrors } from '../error-dialect';
import type { LeaseRenewals } from '../lease-renewals';
import type { ApiLimits } from '../limits';
import type { WallClock } from '../refusals';
import { ReadGate } from '../read-gate';
import type { Recipes } from '../recipes/recipes';
import { ServerStreams } from '../server-streams';
import type { SnapshotSource } from '../state-copies';
import type { ApiService } from '../strict-service';
import type { UnaryCalls } from '../unary-calls';
import { type ClusterServiceDependencies, clusterServiceHandlers } from './cluster-service';
import { electionServiceHandlers } from './election-service';
import { type KvServiceDependencies, kvServiceHandlers, streamListLimits } from './kv-service';
import { watchLimits } from './kv/watch';
import { beginMutations } from './kv/write';
import { WriteStreams, writeStreamLimits } from './kv/write-streams';
import { keepAliveLimits } from './lease/keep-alive';
import { type LeaseServiceDependencies, leaseServiceHandlers } from './lease-service';
import { lockServiceHandlers } from './lock-service';
import { type MaintenanceServiceDependencies, maintenanceServiceHandlers } from './maintenance-service';

/** What the services need of a member. */
export interface NativeDependencies extends ClusterServiceDependencies {
  readonly proposer: Proposer<Result>;
  readonly reader: ClusterServiceDependencies['reader'] &
    KvServiceDependencies['reader'] &
    LeaseServiceDependencies['reader'] &
    MaintenanceServiceDependencies['reader'];
  readonly attention: Pick<Attention, 'onStaleRead'>;
  readonly watches: Watches;
  readonly lessor: LeaseServiceDependencies['lessor'];
  readonly renewals: LeaseRenewals;
  readonly scheduler: Scheduler;
  readonly snapshots: SnapshotSource;
  readonly limits: ApiLimits;
  readonly wallClock: WallClock;
}

/** The funnels that all APIs of a member share. */
export interface SharedFunnels {
  readonly calls: UnaryCalls;
  /** For copies of the state. */
  readonly streams: ServerStreams;
  readonly recipes: Recipes;
}

/** The services, and those of their calls that the listener ends when the member stops. */
export interface NativeApi {
  readonly services: readonly ApiService[];
  readonly lasting: readonly LastingCalls[];
}

export function nativeApi(member: NativeDependencies, { calls, streams, recipes }: SharedFunnels): NativeApi {
  const { proposer, reader, attention, scheduler, self } = member;
  const reads = new ReadGate({ proposer, reader, attention, clock: scheduler });
  const needs = { ...member, selfId: self.id, reads };
  const lists = new ServerStreams({ calls, scheduler, ...streamListLimits });
  const watches = new ServerStreams({ calls, scheduler, ...watchLimits });
  const keepAlives = new DuplexStreams({ calls, dialect: nativeErrors, ...keepAliveLimits });
  const writes = new WriteStreams({
    calls,
    scheduler,
    begin: (mutations) => beginMutations(needs, calls, mutations),
    ...writeStreamLimits,
  });
  return {
    services: [
      {
        definition: withEncodedResponses(KVServiceService, 'watch'),
        handlers: kvServiceHandlers(needs, { calls, lists, writes, watches }),
      },
      { definition: LeaseServiceService, handlers: leaseServiceHandlers(needs, { calls, keepAlives }) },
      { definition: ClusterServiceService, handlers: clusterServiceHandlers(needs, calls) },
      {
        definition: MaintenanceServiceService,
        handlers: maintenanceServiceHandlers(needs, { calls, copies: streams }),
      },
      { definition: LockServiceService, handlers: lockServiceHandlers(needs, calls, recipes) },
      { definition: ElectionServiceService, handlers: electionServiceHandlers(needs, calls, recipes) },
    ],
    lasting: [lists, writes, watches, keepAlives],
  };
}
