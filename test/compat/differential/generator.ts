/** An endless stream of steps from a seed. What comes next depends on the seed and on what was answered before. */
import { between, seededRng } from '../../../src/base/rng';
import type { ResponseHeader } from '../../../src/gen/etcd/etcdserverpb/header';
import { CompactionRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import {
  LeaseGrantRequest,
  LeaseLeasesRequest,
  LeaseRevokeRequest,
  LeaseTimeToLiveRequest,
} from '../../../src/gen/etcd/etcdserverpb/lease';
import { HashKVRequest } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import { WatchCreateRequest } from '../../../src/gen/etcd/etcdserverpb/watch';
import { chance, pick, several, someExtreme, someLease, weighted, type World } from './chance';
import { aliasOf } from './leases';
import { AlarmEpisode, someAlarmList, statusCall } from './alarm-episode';
import { someMistake } from './mistakes';
import { oversizedRange, someLargeRevision, someOversized } from './oversized';
import { none, someDelete, somePut, someRange, someRangeRead } from './requests';
import { someShortLease } from './short-leases';
import { type Call, type Outcome, request, type Step } from './step';
import { someTxn } from './transactions';
import { someUnknownEnum } from './unknown-enums';

/** Reads with nothing in between may be answered in any order: so many are sent at once, at most. */
const mostReads = 8;
/** Watch sessions that are open at once, at most. */
const mostSessions = 3;
/** A session is closed after so many batches, at most. */
const longestSession = 80;
/** Leases that are there at once, at most. */
const mostLeases = 12;
/** Seconds; long enough that no lease runs out while the stream runs, but those that are waited for (short-leases.ts). */
const shortestTtl = 100_000;

export class Generator {
  readonly #world: { -readonly [F in keyof World]: World[F] };
  readonly #sessions = new Map<number, number>();
  /** Revisions made by a put alone; what compactions go up to (see the tombstones of differences.ts). */
  #putRevisions: number[] = [];
  #sessionsSoFar = 0;
  #batches = 0;
  #leasesSoFar = 0;
  #drawnSoFar = 0;
  /** Alarms that stand: until they are cleared, some of what a session needs at its end is refused. */
  #alarms: AlarmEpisode | undefined;
  /** What has to come before anything else. */
  readonly #next: Step[] = [];

  constructor(seed: number) {
    this.#world = { rng: seededRng(seed), revision: 1, compactRevision: 0, leases: [] };
  }

  get sessions(): number {
    return this.#sessionsSoFar;
  }

  /** Steps that may be done at the same time. */
  batch(): readonly Step[] {
    this.#batches++;
    if (this.#alarms !== undefined) return this.#batchIn(this.#alarms);
    const due = [...this.#sessions].find(([, until]) => until <= this.#batches);
    if (due !== undefined) return [this.#close(due[0])];
    const next = this.#next.shift();
    if (next !== undefined) return [next];
    const world = this.#world;
    return weighted<() => readonly Step[]>(world, [
      [300, () => several(world, 1, mostReads, () => this.#read())],
      [300, () => [{ kind: 'call', method: 'put', request: somePut(world) }]],
      [70, () => [{ kind: 'call', method: 'deleteRange', request: someDelete(world) }]],
      [200, () => [{ kind: 'call', method: 'txn', request: someTxn(world) }]],
      [50, () => [this.#leaseChange()]],
      [50, () => [someMistake(world)]],
      [20, () => [someUnknownEnum(world)]],
      [3, () => this.#inSequence(someOversized(world))],
      [3, () => [pick(world, [statusCall, someAlarmList(world)])]],
      [4, () => this.#beginAlarms()],
      [1, () => this.#inSequence(someShortLease(world, this.#newLeaseId()))],
      [this.#sessions.size < mostSessions ? 3 : 0, () => this.#watchLargeRevision()],
      [this.#sessions.size > 0 ? 10 : 0, () => [this.#askProgress()]],
      [this.#sessions.size < mostSessions ? 30 : 0, () => [this.#open()]],
      [3, () => this.#compact()],
    ])();
  }

  /** Ends what is under way: clears alarms, closes sessions. */
  end(): readonly Step[] {
    const steps: Step[] = [];
    for (; this.#alarms !== undefined && !this.#alarms.isOver;) steps.push(this.#alarms.clearOne());
    this.#alarms = undefined;
    return [...steps, ...this.#closeAll()];
  }

  #closeAll(): Step[] {
    return [...this.#sessions.keys()].map((session) => this.#close(session));
  }

  /** Nothing comes between. */
  #inSequence([first, ...others]: readonly Step[]): readonly Step[] {
    this.#next.push(...others);
    return first === undefined ? [] : [first];
  }

  #beginAlarms(): readonly Step[] {
    const [episode, first] = AlarmEpisode.begin(this.#world);
    this.#alarms = episode;
    return [first];
  }

  #batchIn(alarms: AlarmEpisode): readonly Step[] {
    const world = this.#world;
    const step = alarms.next();
    if (alarms.isOver) this.#alarms = undefined;
    if (step !== undefined) return [step];
    return weighted<() => readonly Step[]>(world, [
      [20, () => several(world, 1, mostReads, () => this.#read())],
      [30, () => [{ kind: 'call', method: 'put', request: somePut(world) }]],
      [10, () => [{ kind: 'call', method: 'deleteRange', request: someDelete(world) }]],
      // Not nested: etcd overlooks what is put by a transaction within another, and lets it through.
      [20, () => [{ kind: 'call', method: 'txn', request: someTxn(world, 0) }]],
      [10, () => [this.#leaseChange()]],
    ])();
  }

  /** A session that sees revisions which are larger than a message may be, and what they consist of. */
  #watchLargeRevision(): readonly Step[] {
    const world = this.#world;
    const session = ++this.#sessionsSoFar;
    const watch = (fields: Partial<WatchCreateRequest>): WatchCreateRequest =>
      request(WatchCreateRequest, { ...oversizedRange, prevKv: true, fragment: true, ...fields });
    const creates = [watch({}), watch({ fragment: false }), watch({ filters: [0] }), watch({ prevKv: false })];
    const open: Step = { kind: 'open', session, creates: several(world, 1, 3, () => pick(world, creates)) };
    return this.#inSequence([open, ...someLargeRevision(world), { kind: 'close', session, way: 'cancel' }]);
  }

  #askProgress(): Step {
    return { kind: 'progress', session: pick(this.#world, [...this.#sessions.keys()]) };
  }

  /** Tells what a step came to. */
  observe(step: Step, outcome: Outcome): void {
    if (!('reply' in outcome)) return;
    const reply = outcome.reply as { readonly header?: ResponseHeader; readonly ID?: bigint } | undefined;
    this.#world.revision = Math.max(this.#world.revision, Number(reply?.header?.revision ?? 0n));
    if (step.kind !== 'call') return;
    if (step.method === 'put') this.#putRevisions.push(this.#world.revision);
    if (step.method === 'compact') this.#compacted(Number(step.request.revision));
    const { leases } = this.#world;
    if (step.method === 'leaseGrant' && step.request.ID !== 0n) this.#world.leases = [...leases, step.request.ID];
    if (step.method === 'leaseRevoke') this.#world.leases = leases.filter((id) => id !== step.request.ID);
  }

  #compacted(revision: number): void {
    this.#world.compactRevision = revision;
    this.#putRevisions = this.#putRevisions.filter((of) => of > revision);
  }

  #read(): Call {
    const world = this.#world;
    return weighted<() => Call>(world, [
      [88, () => ({ kind: 'call', method: 'range', request: someRangeRead(world) })],
      [6, () => this.#timeToLive()],
      [3, () => ({ kind: 'call', method: 'leaseLeases', request: request(LeaseLeasesRequest, {}) })],
      [
        3,
        () => ({ kind: 'call', method: 'hashKv', request: request(HashKVRequest, { revision: this.#hashRevision() }) }),
      ],
    ])();
  }

  #timeToLive(): Call {
    const ID = this.#anyLease();
    const fields = { ID, keys: chance(this.#world, 60) };
    return { kind: 'call', method: 'leaseTimeToLive', request: request(LeaseTimeToLiveRequest, fields) };
  }

  #hashRevision(): bigint {
    const { rng, revision, compactRevision } = this.#world;
    return chance(this.#world, 60)
      ? 0n
      : BigInt(between(rng, compactRevision + 1, Math.max(revision, compactRevision + 1)));
  }

  /** Of a lease of the client's choice, or of the server's. */
  #anyLease(): bigint {
    const { rng } = this.#world;
    if (this.#drawnSoFar > 0 && chance(this.#world, 20)) return aliasOf(between(rng, 0, this.#drawnSoFar - 1));
    return someLease(this.#world);
  }

  #leaseChange(): Step {
    const world = this.#world;
    if (world.leases.length < 2 || (world.leases.length < mostLeases && chance(world, 45))) return this.#grant();
    if (chance(world, 50)) return { kind: 'keep-alive', id: this.#anyLease() };
    return { kind: 'call', method: 'leaseRevoke', request: request(LeaseRevokeRequest, { ID: this.#anyLease() }) };
  }

  #grant(): Call {
    const isDrawn = chance(this.#world, 10);
    if (isDrawn) this.#drawnSoFar++;
    const sign = chance(this.#world, 10) ? -1n : 1n;
    const ID = isDrawn ? 0n : chance(this.#world, 5) ? someExtreme(this.#world) : sign * this.#newLeaseId();
    const TTL = BigInt(shortestTtl + between(this.#world.rng, 0, 1000) * 100);
    return { kind: 'call', method: 'leaseGrant', request: request(LeaseGrantRequest, { ID, TTL }) };
  }

  #newLeaseId(): bigint {
    return BigInt(1000 + ++this.#leasesSoFar);
  }

  #open(): Step {
    const session = ++this.#sessionsSoFar;
    this.#sessions.set(session, this.#batches + between(this.#world.rng, 1, longestSession));
    const creates = several(this.#world, 1, 4, () => this.#watch());
    return { kind: 'open', session, creates };
  }

  #watch(): WatchCreateRequest {
    const world = this.#world;
    const { rng, revision, compactRevision } = world;
    const startRevision = weighted<() => number | bigint>(world, [
      [25, () => 0],
      [50, () => between(rng, Math.max(1, compactRevision), revision)],
      [8, () => Math.max(1, compactRevision)],
      [6, () => between(rng, 1, Math.max(1, compactRevision))],
      [8, () => revision + between(rng, 1, 8)],
      [2, () => pick(world, [2n ** 53n, 2n ** 63n - 1n])],
      // Not below 0: etcd 3.4 then loses events, also those of other watches. Later versions refuse it, and so does quorate.
    ])();
    const filters = weighted(world, [
      [70, []],
      [12, [0]],
      [12, [1]],
      [3, [0, 1]],
      [3, [1, 1]],
      // To etcd, and so here, a filter that is not known lets everything through.
      [4, [7]],
      [2, [0, -1]],
    ]) as WatchCreateRequest['filters'];
    return request(WatchCreateRequest, {
      ...(chance(world, 5) ? { key: none, rangeEnd: none } : someRange(world)),
      // A watch that is told nothing does not show when it is past the revisions that may be compacted.
      startRevision: new Set(filters).size === 2 ? 0n : BigInt(startRevision),
      filters,
      prevKv: chance(world, 40),
      watchId: chance(world, 15) ? BigInt(between(rng, 1, 3)) : 0n,
      fragment: chance(world, 20),
      progressNotify: chance(world, 10),
    });
  }

  #close(session: number): Step {
    this.#sessions.delete(session);
    return { kind: 'close', session, way: pick(this.#world, ['cancel', 'leave']) };
  }

  /** With every session closed first: whether a watch has got past a revision when it is compacted is a matter of luck. */
  #compact(): readonly Step[] {
    const [first, ...closing] = this.#closeAll();
    const upTo = this.#putRevisions[between(this.#world.rng, 0, Math.max(0, this.#putRevisions.length - 1))];
    if (upTo === undefined) return [];
    const physical = chance(this.#world, 30);
    const fields = { revision: BigInt(upTo), physical };
    const compact: Call = { kind: 'call', method: 'compact', request: request(CompactionRequest, fields) };
    if (first === undefined) return [compact];
    this.#next.push(...closing, compact);
    return [first];
  }
}
