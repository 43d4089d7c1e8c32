/** Puts a member together: options -> storage -> state machine -> transport -> node -> client listener; and apart again. */
import { randomBytes } from 'node:crypto';
import { QuorateError } from '../../base/error';
import type { Logger } from '../../base/logger';
import { seededRng } from '../../base/rng';
import { commandGroups } from '../../kv/command-groups';
import type { EarlyIndex, EarlyIndexReading } from '../../kv/early-index';
import { StateUpkeep } from '../../kv/state-upkeep';
import { type KvStateMachine, openKvStateMachine } from '../../kv/state-machine';
import type { Result } from '../../kv/result';
import { StoreTasks } from '../../kv/store-tasks';
import { Node } from '../../node/node';
import { defaultNodeOptions } from '../../node/options';
import { Health } from '../../ops/health';
import type { ServeOptions } from '../../ops/options';
import { systemScheduler } from '../../ops/system-scheduler';
import { openSqliteStorage } from '../../storage/sqlite-storage';
import type { Storage } from '../../storage/storage';
import { GrpcTransport } from '../../transport/grpc-transport';
import {
  defaultGrpcTransportTuning,
  keepaliveFor,
  type GrpcTransportTuning,
} from '../../transport/grpc-transport-options';
import { clientListeners, type ClientListenerParts } from './client-listener';
import { forceNewCluster } from './force-new-cluster';
import { memberOrigin, type MemberOrigin, refuseOtherName } from './origin';
import { statePathOf } from './state-path';
import { memberTls } from './tls';

/** A member at work. */
export interface Member {
  readonly origin: MemberOrigin;
  /** Stops in reverse order of the start, after the calls in flight were answered or their time was up. */
  stop(): Promise<void>;
}

/** What the process gives to its member. */
export interface MemberSurroundings {
  readonly logger: Logger;
  /** Of the index of the state, begun already. */
  readonly reading: EarlyIndexReading;
  /** The member must not go on; ends the process. */
  onFatal(error: unknown): void;
  /** The member was removed from the cluster, and should stop in order. */
  onRemoved(): void;
}

/** How often health looks at the member, milliseconds. */
const healthIntervalMs = 100;

/** What stands beside key and value in a log entry: command and proposal headers, generously. */
const entryOverheadBytes = 1024;

type Undo = () => Promise<void> | void;

/**
 * Starts a member and returns when both listeners are open.
 *
 * @throws QuorateError `refused-to-start` or `damaged`; everything begun has been undone
 */
export async function startMember(options: ServeOptions, around: MemberSurroundings): Promise<Member> {
  const undo: Undo[] = [() => around.reading.stop()];
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const tls = memberTls(options, around.logger);
    undo.push(() => {
      tls.stop();
    });
    if (options.forceNewCluster) await beginAlone(options, around);
    const origin = await memberOrigin(options, tls);
    const storage = await openLog(options, origin, around.logger);
    undo.push(() => storage.close());
    refuseOtherName(options.name, origin.self.id, storage.loaded);
    const store = openStore(options, { ...around, origin, storage }, await earlyIndex(around));
    undo.push(() => store.close());
    refuseGap(storage, store);
    const { node, tasks } = await startNode(options, { ...around, origin, storage, store, tls });
    undo.push(() => node.stop());
    undo.push(() => {
      tasks.stop();
    });
    const upkeep = stateUpkeep(store, around);
    undo.push(() => {
      upkeep.stop();
    });
    const health = new Health({
      scheduler: systemScheduler,
      hasQuorum: () => node.status().hasQuorum,
      intervalMs: healthIntervalMs,
    });
    const { clients, probes, warmUp } = clientListeners(options, {
      ...around,
      origin,
      storage,
      store,
      node,
      tasks,
      health,
      tls,
    });
    undo.push(() => probes?.close());
    undo.push(() => clients.drain(options.drainTimeoutMs));
    // Before the calls in flight are awaited: they go to the next leader.
    undo.push(() => node.resign());
    await clients.listen();
    await probes?.listen();
    health.start();
    warmUp.start();
    upkeep.start();
    undo.push(() => {
      warmUp.stop();
      health.stop();
    });
    return { origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function beginAlone(options: ServeOptions, { reading, logger }: MemberSurroundings): Promise<void> {
  // Of a state that is about to change.
  await reading.stop();
  await forceNewCluster(options, logger);
}

function stateUpkeep(machine: KvStateMachine, around: MemberSurroundings): StateUpkeep {
  return new StateUpkeep({
    scheduler: systemScheduler,
    machine,
    logger: around.logger,
    onFailure: (error) => {
      around.onFatal(error);
    },
  });
}

type Parts = Omit<ClientListenerParts, 'node' | 'tasks' | 'health'> & MemberSurroundings;

/** The log is opened first: it makes and locks the directory, and refuses one that is not ours. */
function openLog(options: ServeOptions, { clusterId, self, initial }: MemberOrigin, logger: Logger): Promise<Storage> {
  return openSqliteStorage({
    directory: options.dataDir,
    identity: { clusterId, memberId: self.id },
    initialConfiguration: initial,
    maxTailBytes: options.maxCachedBytes,
    logger,
    ...unsafeSynchronous(),
  });
}

/** The opening of the state tells what is wrong with it, should anything be. */
async function earlyIndex({ reading, logger }: MemberSurroundings): Promise<EarlyIndex | undefined> {
  const outcome = await reading.outcome;
  if (outcome.kind === 'failed')
    logger.warn({ reason: outcome.reason }, 'the index was not read early; it is read now');
  if (outcome.kind !== 'read') return undefined;
  const { early, useless } = outcome;
  if (useless !== undefined) logger.warn({ reason: useless }, 'the saved index was of no use; all rows were read');
  if (early.sum !== undefined) logger.info({}, 'the saved index was read; its rows will be checked');
  return early;
}

/** Only for the test that proves that a power cut is noticed: loses acknowledged writes. Not an option, and loudly logged. */
function unsafeSynchronous(): { readonly unsafeSynchronous?: 'NORMAL' } {
  return process.env.QUORATE_UNSAFE_SYNCHRONOUS === 'NORMAL' ? { unsafeSynchronous: 'NORMAL' } : {};
}

function openStore(
  options: ServeOptions,
  parts: Pick<Parts, 'origin' | 'storage' | 'onFatal'>,
  early: EarlyIndex | undefined,
): KvStateMachine {
  const { firstIndex, termBeforeFirst } = parts.storage.loaded;
  return openKvStateMachine({
    path: statePathOf(options),
    early,
    clusterId: parts.origin.clusterId,
    logStart: { index: firstIndex - 1, term: termBeforeFirst },
    onFailure: (error) => {
      parts.onFatal(error);
    },
  });
}

/** The log must reach to the state (that it begins no later, the store has checked): otherwise a file came from elsewhere. */
function refuseGap({ loaded }: Storage, { appliedIndex }: KvStateMachine): void {
  const fix = 'one of the two was lost, or is an older copy; put back the files as they were when the member stopped';
  if (appliedIndex > loaded.lastIndex) {
    const message = `state.db has applied entry ${String(appliedIndex)}, but the log ends at ${String(loaded.lastIndex)}`;
    throw new QuorateError('refused-to-start', `${message}; ${fix}`);
  }
}

/** The node, and the tasks of its store, which are told of every entry that is applied. */
interface Engine {
  readonly node: Node<Result>;
  readonly tasks: StoreTasks;
}

async function startNode(options: ServeOptions, parts: Parts): Promise<Engine> {
  const { self, clusterId } = parts.origin;
  const transport = new GrpcTransport({
    clusterId,
    selfId: self.id,
    incarnation: parts.storage.loaded.incarnation,
    listenAddress: options.peerListen,
    logger: parts.logger,
    tuning: tuningOf(options),
    ...(parts.tls.peers === undefined ? {} : { tls: parts.tls.peers }),
    ...(options.peerAllowedNames === undefined ? {} : { allowedNames: options.peerAllowedNames }),
  });
  const node = new Node<Result>({
    id: self.id,
    raftOptions: options,
    nodeOptions: { ...defaultNodeOptions, ...options },
    storage: parts.storage,
    transport,
    stateMachine: parts.store,
    groups: commandGroups,
    scheduler: systemScheduler,
    rng: seededRng(randomBytes(6).readUIntBE(0, 6)),
    logger: parts.logger,
    checkInvariants: false,
    onFatal: (error) => {
      parts.onFatal(error);
    },
    onRemoved: () => {
      parts.onRemoved();
    },
  });
  const tasks = storeTasks(options, parts, node);
  try {
    await node.start();
  } catch (error) {
    await node.stop();
    throw error;
  }
  tasks.start();
  return { node, tasks };
}

function storeTasks(options: ServeOptions, parts: Parts, node: Node<Result>): StoreTasks {
  const { store, logger } = parts;
  const tasks = new StoreTasks({
    scheduler: systemScheduler,
    machine: store,
    options,
    proposer: node,
    logger,
    status: () => node.status(),
    onBug: (error) => {
      parts.onFatal(error);
    },
  });
  store.addListener(tasks.lessor);
  return tasks;
}

function tuningOf(options: ServeOptions): GrpcTransportTuning {
  const standard = defaultGrpcTransportTuning;
  return {
    ...standard,
    ...keepaliveFor(options),
    maxAppendBytes: options.maxAppendBytes,
    maxEntryBytes: Math.max(standard.maxEntryBytes, options.maxKeyBytes + options.maxValueBytes + entryOverheadBytes),
    maxQueuedBytes: Math.max(standard.maxQueuedBytes, 2 * options.maxInflightBytes),
    callTimeoutMs: Math.min(standard.callTimeoutMs, 2 * options.electionTimeoutMs),
  };
}
