/** The client side of a member: all services of both APIs over its parts, and the listener that serves them. */
import { Attention } from '../../api/attention';
import { ClientServer, type ClientServerOptions, type HttpSide } from '../../api/client-server';
import { DuplexStreams } from '../../api/duplex-streams';
import { etcdDialect } from '../../api/etcd/errors';
import { etcdMetadataKeys } from '../../api/etcd/etcd-calls';
import { etcdHttp, etcdServices } from '../../api/etcd/services';
import { watchStreamLimits } from '../../api/etcd/watch-service';
import { LeaseRenewals } from '../../api/lease-renewals';
import { keepAliveLimits } from '../../api/native/lease/keep-alive';
import { nativeApi } from '../../api/native/services';
import { ProbeServer } from '../../api/probe-server';
import { recipesOf } from '../../api/recipes/recipes';
import { ServerStreams } from '../../api/server-streams';
import { servingGrpc } from '../../api/serving-grpc';
import { copyLimits } from '../../api/state-copies';
import { UnaryCalls } from '../../api/unary-calls';
import { defaultWarmUpPace, WarmUp } from '../../api/warm-up';
import type { Logger } from '../../base/logger';
import type { Result } from '../../kv/result';
import type { KvStateMachine } from '../../kv/state-machine';
import type { StoreTasks } from '../../kv/store-tasks';
import { defaultWatchHubOptions, WatchHub } from '../../kv/watch-hub';
import type { Node } from '../../node/node';
import type { Health } from '../../ops/health';
import { metricsPage } from '../../ops/metrics';
import type { ServeOptions } from '../../ops/options';
import { describeApi } from '../../ops/reflection';
import { systemScheduler } from '../../ops/system-scheduler';
import type { Storage } from '../../storage/storage';
import { programVersion } from '../version';
import type { MemberOrigin } from './origin';
import type { MemberTls } from './tls';

/** What clients are served from. */
export interface ClientListenerParts {
  readonly origin: MemberOrigin;
  readonly storage: Storage;
  readonly store: KvStateMachine;
  readonly node: Node<Result>;
  readonly tasks: StoreTasks;
  readonly health: Health;
  readonly tls: MemberTls;
  readonly logger: Logger;
  /** The member must not go on; ends the process. */
  onFatal(error: unknown): void;
}

/** What serves clients, and whoever watches over a member. */
export interface ClientListeners {
  readonly clients: ClientServer;
  readonly probes: ProbeServer | undefined;
  readonly warmUp: WarmUp;
}

/** Makes all services of a member and what serves them; it does not listen yet. */
export function clientListeners(options: ServeOptions, member: ClientListenerParts): ClientListeners {
  const { origin, storage, store, node, tasks, health, tls } = member;
  const attention = attentionOf(member);
  const calls = unaryCalls(options, member);
  const streams = new ServerStreams({ calls, scheduler: systemScheduler, ...copyLimits });
  const watchStreams = new DuplexStreams({ calls, dialect: etcdDialect, ...watchStreamLimits });
  const leaseStreams = new DuplexStreams({ calls, dialect: etcdDialect, ...keepAliveLimits });
  const parts = {
    clusterId: origin.clusterId,
    memberId: origin.self.id,
    self: origin.self,
    proposer: node,
    reader: store,
    attention,
    watches: watchHub(options, store, attention),
    lessor: tasks.lessor,
    renewals: new LeaseRenewals({ proposer: node, scheduler: systemScheduler }),
    membership: node,
    secured: { peers: tls.peers !== undefined, clients: tls.clients !== undefined },
    status: () => node.status(),
    term: () => node.term,
    scheduler: systemScheduler,
    snapshots: store,
    limits: options,
    electionTimeoutMs: options.electionTimeoutMs,
    watchProgressIntervalMs: options.watchProgressIntervalMs,
    wallClock: Date.now,
    logSizeBytes: () => storage.sizeBytes(),
    version: programVersion(),
    logger: member.logger,
  };
  const recipes = recipesOf(parts, calls);
  const native = nativeApi(parts, { calls, streams, recipes });
  const etcd = etcdServices(parts, { calls, streams, watchStreams, leaseStreams, recipes });
  const description = describeApi();
  const grpc = servingGrpc({
    count: options.frontEnds,
    metadataKeys: etcdMetadataKeys,
    tls: tls.clients,
    logger: member.logger,
    limits: options,
    maxStreamsPerConnection: options.maxStreamsPerConnection,
    services: [...native.services, ...etcd],
    additions: [health, description.reflection],
  });
  const metrics = metricsPage({
    ...{ status: parts.status, store, calls, watches: parts.watches, version: parts.version },
    nameOf: (id) => node.members().find((member) => member.id === id)?.name,
    logSizeBytes: parts.logSizeBytes,
    frontEnds: () => grpc.frontEnds,
  });
  const http = () => etcdHttp(parts, { protos: description.jsonProtos, metrics, calls });
  const lasting = [...native.lasting, watchStreams, leaseStreams, recipes.waiting, recipes.observers];
  const clients = clientServer(options, member, { calls, lasting, grpc, http: http() });
  return { clients, probes: probeServer(options, http), warmUp: warmUp(clients, calls, member.logger) };
}

type Served = Pick<ClientServerOptions, 'calls' | 'lasting' | 'grpc' | 'http'>;

function clientServer(options: ServeOptions, { tls, logger }: ClientListenerParts, served: Served): ClientServer {
  const { clientListen: address, dataDir: directory } = options;
  return new ClientServer({ address, directory, tls: tls.clients, scheduler: systemScheduler, logger, ...served });
}

function probeServer({ metricsListen: address }: ServeOptions, http: () => HttpSide): ProbeServer | undefined {
  return address === undefined ? undefined : new ProbeServer({ address, scheduler: systemScheduler, http: http() });
}

function warmUp(clients: ClientServer, calls: UnaryCalls, logger: Logger): WarmUp {
  return new WarmUp({
    path: () => clients.ownSocket,
    answered: () => [...calls.answered.values()].reduce((sum, count) => sum + count, 0),
    scheduler: systemScheduler,
    logger,
    pace: defaultWarmUpPace,
  });
}

function attentionOf({ node }: ClientListenerParts): Attention {
  return new Attention({
    scheduler: systemScheduler,
    onChange: (isWanted) => {
      node.followClosely(isWanted);
    },
  });
}

function unaryCalls(options: ServeOptions, parts: ClientListenerParts): UnaryCalls {
  return new UnaryCalls({
    clock: systemScheduler,
    requestTimeoutMs: options.requestTimeoutMs,
    maxCallsInFlight: options.maxCallsInFlight,
    leaderHint: (id) => parts.node.members().find((member) => member.id === id),
    onBug: (error) => {
      parts.onFatal(error);
    },
  });
}

/** Tells watches what the store applies. */
function watchHub(options: ServeOptions, store: KvStateMachine, attention: Attention): WatchHub {
  const { maxWatches, watchQueueBytes: maxQueuedBytes, watchMemoryBytes: maxTotalQueuedBytes } = options;
  const bounds = { ...defaultWatchHubOptions, maxWatches, maxQueuedBytes, maxTotalQueuedBytes };
  const onWatched = (isWatched: boolean): void => {
    attention.onWatched(isWatched);
  };
  const hub = new WatchHub({ reader: store, scheduler: systemScheduler, options: bounds, onWatched });
  store.addListener(hub);
  return hub;
}
