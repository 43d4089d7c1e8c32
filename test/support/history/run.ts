/** A history of a cluster of real processes under faults: many clients, watches beside them, and what came of it all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { required } from '../../../src/base/assert';
import { seededRng, between, type Rng } from '../../../src/base/rng';
import { latin1 } from '../../../src/sim/model/result-text';
import { EtcdCaller } from '../etcd-caller';
import type { LinkedCluster } from '../linked-cluster';
import { eventually } from '../process-cluster';
import { etcdSurface } from './etcd-surface';
import { FaultLoop } from './faults';
import { leasesPerGroup } from './judge';
import { nativeSurface, streamSurface } from './native-surface';
import { Recorder } from './recorder';
import type { RecordedCall } from './recorded-call';
import type { Surface } from './surface';
import { etcdWatch, nativeWatch, toldUpTo, type WatchLog } from './watch-log';
import { compaction, draw, type DrawnFrom } from './workload';

export interface RunOptions {
  readonly operations: number;
  readonly seed: number;
  /** Where the history is written, as JSON lines. */
  readonly path: string;
}

/** What there is to judge. */
export interface Run {
  readonly watches: readonly WatchLog[];
  readonly faults: FaultLoop;
}

/** Clients that wait for each answer before the next call, for each member and API. */
const clientsPerMember = 6;
const streamSlotsPerMember = 24;
/** All clients work on so few groups of keys at a time, and on others after so many calls: the checkers stay fast. */
const groupsAtATime = 6;
const callsPerEpoch = 3000;
/** Within it a call is answered, or its outcome is unknown. */
const timeoutMs = 2500;
/** History is compacted up to so many revisions before what the slowest watch has seen. */
const keptRevisions = 500;
const compactEveryMs = 1000;
/** How long a client waits after a failure, at most. */
const pauseMs = 60;

/** What the clients of a run know of a group. */
interface Known {
  readonly leases: bigint[];
  seen: DrawnFrom['seen'];
}

export async function run(cluster: LinkedCluster, options: RunOptions): Promise<Run> {
  const recorder = new Recorder(options.path);
  const watches = await watchAll(cluster);
  const faults = new FaultLoop(cluster, recorder, seededRng(options.seed));
  const crowd = new Crowd(recorder, options, faults);
  const { surfaces, close } = surfacesOf(cluster);
  // Failures are answers here; where they were made is of no interest, and takes most of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const compacting = crowd.compact(nativeSurface(cluster.client(), 'all', true), watches);
    await Promise.all([compacting, ...surfaces.map((surface, client) => crowd.work(surface, client))]);
    await faults.stop();
    await crowd.end(cluster, watches);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    for (const watch of watches) watch.stop();
    close();
    await recorder.close();
  }
  return { watches, faults };
}

/** A watch of each member, one that roams, and one of etcd's API. */
async function watchAll(cluster: LinkedCluster): Promise<readonly WatchLog[]> {
  const ofMembers = cluster.members.map((member) => nativeWatch(`watch of ${member.name}`, cluster.client([member])));
  const [first] = cluster.members;
  const etcd = etcdWatch('etcd watch', required(first, 'there are members').clientAddress);
  return [...(await Promise.all([...ofMembers, nativeWatch('roaming watch', cluster.client())])), etcd];
}

/** One for each client. */
function surfacesOf(cluster: LinkedCluster): {
  readonly surfaces: readonly Surface[];
  readonly close: () => void;
} {
  const times = (count: number, surface: Surface): readonly Surface[] => Array.from({ length: count }, () => surface);
  const callers: EtcdCaller[] = [];
  const surfaces = cluster.members.flatMap((member) => {
    const etcd = new EtcdCaller(member.clientAddress, timeoutMs);
    callers.push(etcd);
    const streaming = cluster.client([member], timeoutMs);
    const stream = streaming.writeStream({ timeoutMs });
    return [
      ...times(clientsPerMember, nativeSurface(cluster.client([member], timeoutMs), member.name, false)),
      ...times(clientsPerMember, etcdSurface(etcd, member.name)),
      ...times(clientsPerMember, nativeSurface(cluster.client(cluster.members, timeoutMs), 'all', true)),
      ...times(streamSlotsPerMember, streamSurface(streaming, stream, member.name)),
    ];
  });
  return {
    surfaces,
    close: () => {
      for (const caller of callers) caller.close();
    },
  };
}

/** All clients together: what they share is what they know of the keys. */
class Crowd {
  readonly #recorder: Recorder;
  readonly #operations: number;
  readonly #faults: FaultLoop;
  readonly #rng: Rng;
  readonly #known = new Map<number, Known>();
  #made = 0;
  #compacted = 1;

  constructor(recorder: Recorder, { operations, seed }: RunOptions, faults: FaultLoop) {
    this.#recorder = recorder;
    this.#faults = faults;
    this.#operations = operations;
    this.#rng = seededRng(seed + 1);
  }

  get #isDone(): boolean {
    return this.#made >= this.#operations && this.#faults.hasDoneARound;
  }

  /** One client: a call after the other, until all have made enough together. */
  async work(surface: Surface, client: number): Promise<void> {
    while (!this.#isDone) {
      const epoch = Math.floor(this.#made / callsPerEpoch);
      const group = 1 + epoch * groupsAtATime + between(this.#rng, 0, groupsAtATime - 1);
      this.#made++;
      const known = this.#of(group);
      const call = await this.#recorder.make(draw(surface.api, this.#from(group, known)), { surface, client });
      learn(known, call);
      if (call.outcome !== 'ok' && call.error !== 'precondition-failed') await sleep(between(this.#rng, 1, pauseMs));
    }
  }

  async compact(surface: Surface, watches: readonly WatchLog[]): Promise<void> {
    while (!this.#isDone) {
      await sleep(compactEveryMs);
      const revision = Math.min(...watches.map((watch) => watch.revision())) - keptRevisions;
      if (revision <= this.#compacted) continue;
      const { outcome } = await this.#recorder.make(compaction(revision), { surface, client: -1 });
      if (outcome === 'ok') this.#compacted = revision;
    }
  }

  /** All leases are over, all members have everything, and all watches have been told of it. */
  async end(cluster: LinkedCluster, watches: readonly WatchLog[]): Promise<void> {
    await cluster.leader();
    await cluster.converged();
    const client = cluster.client(cluster.members, 10_000);
    await eventually(30_000, 'the end of all leases with keys', async () => {
      const { kvs } = await client.listPage({ selection: { kind: 'prefix', prefix: 'l' } });
      return kvs.length === 0 ? true : undefined;
    });
    const { revision } = await client.get('k1/a');
    for (const watch of watches) await toldUpTo(watch, revision);
    await cluster.converged();
  }

  #of(group: number): Known {
    let known = this.#known.get(group);
    if (known === undefined) this.#known.set(group, (known = { leases: [], seen: undefined }));
    return known;
  }

  #from(group: number, { leases, seen }: Known): DrawnFrom {
    return {
      ...{ rng: this.#rng, group: String(group), fresh: `v${String(this.#made)}`, leases: leases.slice(-4), seen },
      ...{ revision: this.#recorder.newestRevision, compacted: this.#compacted },
      freshLease: BigInt(group) * leasesPerGroup + BigInt(this.#made),
    };
  }
}

function learn(known: Known, { operation, answer, lease, outcome }: RecordedCall): void {
  if (outcome !== 'ok') return;
  if (operation.kind === 'mutation' && operation.command.kind === 'lease-grant' && lease !== undefined) {
    known.leases.push(lease.id);
  }
  if (answer?.kind === 'put' && operation.kind === 'mutation' && operation.command.kind === 'put') {
    const key = latin1(operation.command.key);
    if (key.startsWith('k')) known.seen = { key, modRevision: answer.revision };
  }
  if (answer?.kind === 'read' && operation.kind === 'get' && operation.revision === 0) {
    const [record] = answer.found;
    if (record !== undefined) known.seen = { key: operation.key, modRevision: record.modRevision };
  }
}
