/** A member without Raft, for tests of what clients see: the real state machine and services on a real listener. */
import { ClientServer } from '../../src/api/client-server';
import type { ApiLimits } from '../../src/api/limits';
import { servingGrpc } from '../../src/api/serving-grpc';
import { copyLimits } from '../../src/api/state-copies';
import { LeaseRenewals } from '../../src/api/lease-renewals';
import { nativeApi } from '../../src/api/native/services';
import { recipesOf } from '../../src/api/recipes/recipes';
import { ServerStreams } from '../../src/api/server-streams';
import { UnaryCalls } from '../../src/api/unary-calls';
import type { Scheduler } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { defaultStoreTaskOptions, StoreTasks } from '../../src/kv/store-tasks';
import { defaultWatchHubOptions, WatchHub } from '../../src/kv/watch-hub';
import type { NodeStatus } from '../../src/node/status';
import * as descriptors from '../../src/ops/descriptors';
import { Health } from '../../src/ops/health';
import { describeApi } from '../../src/ops/reflection';
import { FakeMembership } from './fake-membership';
import { FakeSnapshots } from './fake-snapshots';
import { InstantStore } from './instant-store';

export const testLimits: ApiLimits = {
  maxKeyBytes: 100,
  maxValueBytes: 1000,
  maxPageBytes: 4096,
  requestTimeoutMs: 1000,
  maxCallsInFlight: 8,
};

/** Real time, as the program has it. */
const realScheduler: Scheduler = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  atEndOfTurn: (callback) => void setImmediate(callback),
};

/** A listener on an ephemeral loopback port, with everything a test may turn. */
export interface FakeMember {
  readonly store: InstantStore;
  readonly membership: FakeMembership;
  readonly snapshots: FakeSnapshots;
  readonly server: ClientServer;
  readonly calls: UnaryCalls;
  readonly bugs: unknown[];
  readonly address: string;
  readonly health: Health;
  quorum: boolean;
}

const fakeLeader = { id: 7n, name: 'm7', peerAddress: 'h:2', clientAddress: 'h:1' };
const fakeSelf = { id: 2n ** 63n, name: 'm1', peerAddress: 'a:2', clientAddress: 'a:1' };

export const fakeStatus: NodeStatus = {
  role: 'follower',
  term: 5,
  leader: 7n,
  commitIndex: 11,
  appliedIndex: 10,
  firstLogIndex: 1,
  lastLogIndex: 12,
  durableLogIndex: 12,
  hasQuorum: true,
  holdsReadLease: false,
  peers: [],
};

/** As the program is told: so that these tests run with front ends too. */
const frontEndCount = Number(process.env['QUORATE_FRONT_ENDS'] ?? 0);

/** How long the fake member waits for a client that takes nothing of a stream. */
const maxStallMs = 2000;

export async function startFakeMember(limits: Partial<ApiLimits> = {}): Promise<FakeMember> {
  const store = new InstantStore();
  const watches = new WatchHub({ reader: store.reader, scheduler: realScheduler, options: defaultWatchHubOptions });
  store.reader.addListener(watches);
  const membership = new FakeMembership([fakeLeader, fakeSelf], fakeLeader.id);
  const snapshots = new FakeSnapshots();
  const bugs: unknown[] = [];
  const all = { ...testLimits, ...limits };
  const calls = new UnaryCalls({
    clock: realScheduler,
    requestTimeoutMs: all.requestTimeoutMs,
    maxCallsInFlight: all.maxCallsInFlight,
    leaderHint: (id) => (id === fakeLeader.id ? fakeLeader : undefined),
    onBug: (error) => bugs.push(error),
  });
  const state = { quorum: true };
  const health = new Health({ scheduler: realScheduler, hasQuorum: () => state.quorum, intervalMs: 10 });
  const streams = new ServerStreams({ calls, scheduler: realScheduler, ...copyLimits, maxStallMs });
  const renewals = new LeaseRenewals({ proposer: store, scheduler: realScheduler });
  const tasks = new StoreTasks({
    scheduler: realScheduler,
    machine: store.reader,
    options: defaultStoreTaskOptions,
    proposer: store,
    logger: silentLogger,
    // It measures what leases have left, and ends none.
    status: () => ({ role: 'follower', term: 1 }),
    onBug: (error) => bugs.push(error),
  });
  const { lessor } = tasks;
  store.reader.addListener(lessor);
  const recipes = recipesOf(
    {
      proposer: store,
      reader: store.reader,
      watches,
      scheduler: realScheduler,
      logger: silentLogger,
      renewals,
      wallClock: Date.now,
    },
    calls,
  );
  const native = nativeApi(
    {
      clusterId: 2n ** 64n - 1n,
      self: fakeSelf,
      proposer: store,
      reader: store.reader,
      attention: { onStaleRead: () => undefined },
      watches,
      lessor,
      renewals,
      membership,
      status: () => ({ ...fakeStatus, leader: membership.leader }),
      scheduler: realScheduler,
      snapshots,
      limits: all,
      wallClock: Date.now,
      logSizeBytes: () => 8192,
      version: '1.2.3',
    },
    { calls, streams, recipes },
  );
  const server = new ClientServer({
    address: '127.0.0.1:0',
    tls: undefined,
    scheduler: realScheduler,
    // It has no HTTP, and so no socket of its own.
    directory: '',
    logger: silentLogger,
    calls,
    lasting: [...native.lasting, recipes.waiting, recipes.observers],
    grpc: servingGrpc({
      count: frontEndCount,
      metadataKeys: [],
      tls: undefined,
      logger: silentLogger,
      limits: all,
      maxStreamsPerConnection: 100,
      services: native.services,
      additions: [health, describeApi(() => Promise.resolve(descriptors)).reflection],
    }),
    http: undefined,
  });
  const port = await server.listen();
  const member = { store, membership, snapshots, server, calls, bugs, health, address: `127.0.0.1:${String(port)}` };
  return Object.defineProperty(member, 'quorum', {
    get: () => state.quorum,
    set: (value: boolean) => {
      state.quorum = value;
    },
  }) as FakeMember;
}
