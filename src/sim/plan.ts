/** What one seed decides before anything happens: who takes part, what may go wrong, and how often. */
import { between, type Rng } from '../base/rng';
import type { StoreTaskOptions } from '../kv/store-tasks';
import { defaultWatchHubOptions, type WatchHubOptions } from '../kv/watch-hub';
import { defaultNodeOptions, type NodeOptions } from '../node/options';
import { defaultRaftOptions, type MemberId, type RaftOptions } from '../raft';
import { faultKinds } from './faults';
import { unheardFollower } from './faults/snapshots';
import { chanceFor, isLucky, pick, real } from './world/chance';
import type { DiskQuality } from './world/disk';
import type { NetworkQuality } from './world/network';
import type { ClientHabits } from './workload/client';
import type { Memory } from './model/requests';
import type { Vocabulary } from './workload/memory';
import type { OperationKind } from './workload/operation-kind';
import { basicKinds, kindGroups } from './workload/operations';
import type { OperatorHabits } from './workload/operator';
import type { WatcherHabits } from './workload/watcher';

export interface Plan {
  readonly seed: number;
  readonly members: number;
  readonly clients: number;
  readonly vocabulary: Vocabulary;
  /** What clients do. */
  readonly kinds: readonly OperationKind[];
  readonly watchers: number;
  readonly watcherHabits: WatcherHabits;
  /** What members remember of requests. */
  readonly memory: Memory;
  /** How long faults happen. */
  readonly safetyMs: number;
  /** The fault kinds of this seed, by name, with how many times their usual gap lies between two. */
  readonly faults: ReadonlyMap<string, number>;
  /** Single faults that are left out, as `kind#number`: for shrinking. */
  readonly without: ReadonlySet<string>;
  readonly network: NetworkQuality;
  readonly snapshotChunkBytes: number;
  readonly disk: DiskQuality;
  readonly habits: ClientHabits;
  /** Who changes the members; in some seeds they stay as they are. */
  readonly operator: OperatorHabits | undefined;
  readonly maxTurnMs: number;
  readonly maxDriftRate: number;
  /** Its clock is as slow as it may be, and every other as fast; in half of the seeds each has a rate of its own. */
  readonly slowest: MemberId | undefined;
  readonly maxTailBytes: number;
  readonly raftOptions: RaftOptions;
  readonly nodeOptions: NodeOptions;
  readonly taskOptions: StoreTaskOptions;
  readonly watchOptions: WatchHubOptions;
}

/** The plan of a seed. */
export function drawPlan(seed: number): Plan {
  const rng = chanceFor(seed, 'plan');
  const leaseReads = isLucky(rng, 0.35);
  const maxDriftRate = pick(rng, [0, 0.01, 0.1]);
  const plan: Plan = {
    seed,
    members: pick(rng, [3, 3, 3, 3, 5, 5, 5, 4, 2, 1]),
    clients: between(rng, 2, 8),
    vocabulary: vocabularyOf(pick(rng, [2, 5, 10])),
    safetyMs: between(rng, 20, 90) * 1000,
    faults: drawFaults(seed, rng, leaseReads),
    without: new Set(),
    network: drawNetwork(rng),
    snapshotChunkBytes: pick(rng, [2000, 8000, 100_000]),
    disk: { meanWriteMs: pick(rng, [0.5, 2, 2, 10]), meanReadMs: pick(rng, [0.2, 1, 5]) },
    habits: { ...drawHabits(rng), ...drawNaming(seed) },
    ...drawWork(chanceFor(seed, 'plan of the work')),
    operator: drawOperator(rng),
    maxTurnMs: pick(rng, [0, 0.2, 1, 5]),
    maxDriftRate,
    slowest: drawSlowest(seed),
    maxTailBytes: pick(rng, [1, 100, 100_000]),
    raftOptions: { ...drawRaftOptions(rng), leaseReads, maxClockDrift: driftBetween(maxDriftRate) },
    nodeOptions: { ...drawNodeOptions(rng), maxSharedEntryBytes: drawSharing(seed), maxGatherMs: drawGathering(seed) },
  };
  return isLucky(chanceFor(seed, 'plan of the unheard'), 0.7) ? openedWide(plan) : plan;
}

/** Where a follower is to get far ahead of what it is known to have, its leader sends on, and has a short log. */
function openedWide(plan: Plan): Plan {
  if (!plan.faults.has(unheardFollower.name)) return plan;
  const { maxInflightAppends, maxInflightBytes } = defaultRaftOptions;
  return {
    ...plan,
    raftOptions: { ...plan.raftOptions, maxInflightAppends, maxInflightBytes },
    nodeOptions: { ...plan.nodeOptions, compactLogEntries: 3, trailingLogEntries: 1 },
  };
}

/** Swarm testing: few kinds at once in one seed, many in another. */
function drawFaults(seed: number, rng: Rng, hasLeases: boolean): ReadonlyMap<string, number> {
  const share = pick(rng, [0.1, 0.25, 0.5, 0.8]);
  const rarity = pick(rng, [0.5, 1, 1, 2]);
  const chosen = faultKinds.filter(({ name, isLater = false, breaksLeases = false }) => {
    const isDrawn = isLucky(isLater ? chanceFor(seed, `plan of the fault ${name}`) : rng, share);
    return isDrawn && !(hasLeases && breaksLeases);
  });
  return new Map(chosen.map(({ name }) => [name, rarity]));
}

function drawNetwork(rng: Rng): NetworkQuality {
  return {
    minDelayMs: pick(rng, [0.1, 0.5, 2, 10]),
    meanJitterMs: pick(rng, [0.1, 1, 5, 20]),
    lossRate: pick(rng, [0, 0, 0.01, 0.1]),
    duplicationRate: pick(rng, [0, 0, 0.01, 0.1]),
    reorderRate: pick(rng, [0, 0, 0.02, 0.2]),
  };
}

/** From a stream of its own, so that the other plans of old seeds stay what they were. */
function drawNaming(seed: number): Pick<ClientHabits, 'namedRate' | 'confusionRate'> {
  const rng = chanceFor(seed, 'plan of the names');
  return { namedRate: pick(rng, [0, 0.3, 0.9]), confusionRate: pick(rng, [0, 0.05, 0.2]) };
}

function vocabularyOf(keys: number): Vocabulary {
  const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  return { keys: named('k', keys), leasedKeys: named('l', 4), leases: [1n, 2n, 3n, -4n] };
}

type Work = 'kinds' | 'watchers' | 'watcherHabits' | 'memory' | 'taskOptions' | 'watchOptions';

/** Small bounds, as everywhere: what is forgotten, compacted or dropped is so often. */
function drawWork(rng: Rng): Pick<Plan, Work> {
  const share = pick(rng, [0, 0.3, 0.6, 1]);
  const kinds = [...kindGroups.values()].filter(() => isLucky(rng, share)).flat();
  return {
    kinds: [...basicKinds, ...kinds],
    watchers: pick(rng, [0, 0, 1, 3]),
    watcherHabits: {
      meanPaceMs: pick(rng, [5, 100, 1000]),
      maxBytes: pick(rng, [1, 200, 100_000]),
      wanderRate: pick(rng, [0, 0.05, 0.3]),
    },
    memory: { count: pick(rng, [5, 50, 100_000]), ageMs: pick(rng, [2000, 20_000, 3_600_000]) },
    taskOptions: {
      maxExpiriesPerSecond: pick(rng, [1, 10_000]),
      retainMs: pick(rng, [0, 5000, 3_600_000]),
      retainRevisions: pick(rng, [0, 10, 1_000_000]),
    },
    watchOptions: drawWatchOptions(rng),
  };
}

/** The pace is not drawn by itself, so that the plans of old seeds stay what they were. */
function drawWatchOptions(rng: Rng): WatchHubOptions {
  const bounds = {
    maxQueuedBytes: pick(rng, [100, defaultWatchHubOptions.maxQueuedBytes]),
    maxTotalQueuedBytes: pick(rng, [300, defaultWatchHubOptions.maxTotalQueuedBytes]),
    maxCallsPerTurn: pick(rng, [1, defaultWatchHubOptions.maxCallsPerTurn]),
    catchUpChanges: pick(rng, [1, 3, defaultWatchHubOptions.catchUpChanges]),
  };
  const restAfterCalls = bounds.maxCallsPerTurn === 1 ? 2 : defaultWatchHubOptions.restAfterCalls;
  return { ...defaultWatchHubOptions, ...bounds, restAfterCalls };
}

function drawHabits(rng: Rng): Omit<ClientHabits, 'namedRate' | 'confusionRate'> {
  return {
    meanThinkMs: pick(rng, [100, 300, 1000, 2000]),
    minDeadlineMs: 100,
    maxDeadlineMs: pick(rng, [500, 3000, 10_000]),
    meanTravelMs: pick(rng, [0.2, 1, 10]),
    lossRate: pick(rng, [0, 0.01, 0.05]),
    wanderRate: real(rng, 0, 0.5),
    retryRate: pick(rng, [0, 0.5, 0.9]),
  };
}

/** From a stream of its own, too. */
function drawSlowest(seed: number): MemberId | undefined {
  const rng = chanceFor(seed, 'plan of the clocks');
  return isLucky(rng, 0.5) ? BigInt(between(rng, 1, 3)) : undefined;
}

/** By how much the slowest clock may be slow against the fastest: what leases must allow for. */
function driftBetween(rate: number): number {
  return (2 * rate) / (1 + rate);
}

function drawOperator(rng: Rng): OperatorHabits | undefined {
  if (isLucky(rng, 0.4)) return undefined;
  return {
    meanThinkMs: pick(rng, [500, 2000, 8000]),
    maxDeadlineMs: pick(rng, [1000, 5000]),
    tidiness: pick(rng, [0, 0.5, 1]),
  };
}

/** Small bounds make what is rare in production common here. */
function drawRaftOptions(rng: Rng): RaftOptions {
  return {
    ...defaultRaftOptions,
    electionTimeoutMs: pick(rng, [1000, 1000, 500]),
    maxAppendBytes: pick(rng, [defaultRaftOptions.maxAppendBytes, 200, 60]),
    maxInflightAppends: pick(rng, [64, 4, 1]),
    maxInflightBytes: pick(rng, [defaultRaftOptions.maxInflightBytes, 300]),
    maxUncommittedBytes: pick(rng, [defaultRaftOptions.maxUncommittedBytes, 1000]),
    maxCachedBytes: pick(rng, [defaultRaftOptions.maxCachedBytes, 1000, 50]),
    maxPromotionLag: pick(rng, [2, 20, defaultRaftOptions.maxPromotionLag]),
    maxPendingReads: pick(rng, [defaultRaftOptions.maxPendingReads, 3]),
  };
}

/** From a stream of its own, too. In some seeds every command has an entry of its own. */
function drawSharing(seed: number): number {
  return pick(chanceFor(seed, 'plan of shared entries'), [0, 100, defaultNodeOptions.maxSharedEntryBytes]);
}

/** From another one. In some seeds nobody waits for company, in some everybody does for a long time. */
function drawGathering(seed: number): number {
  return pick(chanceFor(seed, 'plan of gathering'), [defaultNodeOptions.maxGatherMs, 0, 20]);
}

function drawNodeOptions(rng: Rng): NodeOptions {
  return {
    ...defaultNodeOptions,
    maxWaitingProposals: pick(rng, [defaultNodeOptions.maxWaitingProposals, 5]),
    maxApplyBytes: pick(rng, [defaultNodeOptions.maxApplyBytes, 100]),
    maxForwardBytes: pick(rng, [defaultNodeOptions.maxForwardBytes, 100]),
    compactLogEntries: pick(rng, [3, 10, 30, defaultNodeOptions.compactLogEntries]),
    compactLogBytes: pick(rng, [200, defaultNodeOptions.compactLogBytes]),
    trailingLogEntries: pick(rng, [1, 5, 20]),
    trailingLogBytes: pick(rng, [100, 1000, defaultNodeOptions.trailingLogBytes]),
    snapshotRetryMs: pick(rng, [100, 1000]),
  };
}
