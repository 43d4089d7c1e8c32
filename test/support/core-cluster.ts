/** A cluster of pure cores on an in-memory network and in-memory disks: nothing but the contract of `raft/update.ts`. */
import { between, seededRng, type Rng } from '../../src/base/rng';
import { Raft, simpleConfiguration } from '../../src/raft';
import { fitting } from '../../src/raft/log';
import type { Entry, Event, Load, MemberChange, MemberId, Persist, RaftOptions, Update } from '../../src/raft';
import { drawLog, logStart, parseLog, testOptions } from './raft';
import { emptyDisk, emptySeat, link, replaceSuffix, type Observer, type Packet, type Seat } from './core-seat';
import { CoreQuestions } from './core-questions';
import { SafetyChecker } from './safety-checker';

export type { Packet, Seat } from './core-seat';

/** How a cluster starts. */
export interface ClusterSetup {
  readonly size: number;
  readonly seed?: number;
  readonly options?: Partial<RaftOptions>;
  /** What is on the disks of some members at the start. */
  readonly disks?: Readonly<Record<string, { readonly term: number; readonly log: string }>>;
  readonly observer?: Observer;
}

/** How a member comes back. */
export interface RestartOptions {
  /** How many applied entries the state machine still knows; by default all. */
  readonly applied?: number;
  /** How many entries of the log are in memory; by default all. */
  readonly inMemory?: number;
}

export class CoreCluster {
  readonly options: RaftOptions;
  readonly seats = new Map<MemberId, Seat>();
  readonly checker: SafetyChecker;
  /** Sent and not yet arrived, oldest first. */
  wire: Packet[] = [];
  readonly questions = new CoreQuestions(this);
  now = 0;
  /** Their disks do nothing by themselves: only when told to. */
  readonly slowDisks = new Set<MemberId>();
  readonly #cuts = new Set<string>();
  readonly #rng: Rng;
  readonly #observer: Observer;
  #payloads = 0;
  #requests = 0;

  constructor(setup: ClusterSetup) {
    this.options = { ...testOptions, ...setup.options };
    this.#rng = seededRng(setup.seed ?? 1);
    this.#observer = setup.observer ?? {};
    for (let id = 1n; id <= setup.size; id++) {
      const found = setup.disks?.[String(id)] ?? { term: 0, log: '' };
      const voters = Array.from({ length: setup.size }, (_, at) => BigInt(at + 1));
      const disk = emptyDisk(simpleConfiguration(voters));
      disk.hardState = { term: found.term, votedFor: undefined };
      disk.entries = parseLog(found.log);
      this.seats.set(id, emptySeat(id, disk));
    }
    this.checker = new SafetyChecker(this.seats);
    for (const id of this.ids) this.restart(id);
    this.checker.volume.restarts = 0;
  }

  get ids(): MemberId[] {
    return [...this.seats.keys()];
  }

  seat(id: MemberId): Seat {
    const seat = this.seats.get(id);
    if (seat === undefined) throw new Error(`no member ${id}`);
    return seat;
  }

  /** The core of a running member. */
  raft(id: MemberId): Raft {
    const { raft } = this.seat(id);
    if (raft === undefined) throw new Error(`member ${id} is down`);
    return raft;
  }

  isUp(id: MemberId): boolean {
    return this.seat(id).raft !== undefined;
  }

  /** The running leader of the latest term, if there is one. */
  get leader(): MemberId | undefined {
    const leaders = this.ids.filter((id) => this.seat(id).raft?.status.role === 'leader');
    return leaders.sort((a, b) => this.raft(b).status.term - this.raft(a).status.term)[0];
  }

  /** A member's log, drawn as `index:term`; of one that is down, what its disk holds. */
  drawLog(id: MemberId): string {
    const seat = this.seat(id);
    const [log, first] =
      seat.raft === undefined ? [seat.disk.entries, seat.disk.firstIndex] : [seat.log, seat.raft.status.firstIndex];
    return drawLog(log.slice(first - 1));
  }

  // Inputs.

  step(id: MemberId, event: Event): Update {
    const seat = this.seat(id);
    const update = this.raft(id).step(event, this.now);
    this.#carryOut(seat, update);
    return update;
  }

  /** Proposes a command with a payload of its own, in the member's current term. */
  propose(id: MemberId, size = 0): Update {
    const text = `command ${++this.#payloads}`.padEnd(size, '.');
    const proposals = [{ kind: 'command' as const, payload: new TextEncoder().encode(text) }];
    return this.step(id, { kind: 'propose', id: this.#payloads, term: this.raft(id).status.term, proposals });
  }

  read(id: MemberId): Update {
    return this.step(id, { kind: 'read', id: this.checker.beginRead() });
  }

  /** Asks a leader for another configuration. */
  change(id: MemberId, changes: readonly MemberChange[], force = false): Update {
    const request = { id: ++this.#requests, changes, context: new Uint8Array(), force };
    return this.step(id, { kind: 'change-configuration', ...request });
  }

  /** Asks a leader to hand over, to whom it likes if nobody is named. */
  transfer(id: MemberId, to?: MemberId): Update {
    return this.step(id, { kind: 'transfer-leadership', id: ++this.#requests, to });
  }

  /** A machine that has never been a member begins to listen, knowing nobody. */
  join(id: MemberId): void {
    this.seats.set(id, emptySeat(id, emptyDisk(simpleConfiguration([]))));
    this.restart(id);
  }

  /** A member's log is shortened from the front, save for the newest `keep` of the entries that were applied. */
  compact(id: MemberId, keep: number): void {
    const seat = this.seat(id);
    const index = seat.applied.length - keep;
    if (seat.installing !== undefined || index < seat.disk.firstIndex) return;
    seat.disk.configuration = this.raft(id).snapshotAt(index).configuration;
    seat.disk.firstIndex = index + 1;
    this.checker.changes.compactions++;
    this.step(id, { kind: 'prefix-removed', index });
  }

  // Time.

  /** Time passes; whoever has a timeout acts on it. */
  advance(ms: number): void {
    this.now += ms;
    for (const [id, { raft }] of this.seats) {
      if (raft !== undefined && raft.nextTickAt <= this.now) this.step(id, { kind: 'tick' });
    }
  }

  /** Time passes until this member's next timeout; only this member acts. */
  timeOut(id: MemberId): Update {
    this.now = Math.max(this.now, this.raft(id).nextTickAt);
    return this.step(id, { kind: 'tick' });
  }

  // Network.

  /** Messages from `from` to `to` are lost from now on. */
  cut(from: MemberId, to: MemberId): void {
    this.#cuts.add(link(from, to));
  }

  /** Members in different groups hear nothing of each other; who is in no group is alone. */
  partition(...groups: readonly (readonly MemberId[])[]): void {
    this.heal();
    const together = (a: MemberId, b: MemberId): boolean =>
      groups.some((group) => group.includes(a) && group.includes(b));
    for (const a of this.ids) for (const b of this.ids) if (a !== b && !together(a, b)) this.cut(a, b);
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** What one says arrives at the other. */
  reaches(from: MemberId, to: MemberId): boolean {
    return this.isUp(to) && !this.#cuts.has(link(from, to));
  }

  /** One packet arrives: the oldest, or the one at a position. With `again` it stays on the wire, to arrive once more. */
  deliver(position = 0, again = false): void {
    const packet = this.wire[position];
    if (packet === undefined) return;
    if (!again) this.wire.splice(position, 1);
    if (!this.reaches(packet.from, packet.to)) {
      this.#lose(packet);
      return;
    }
    this.#observer.delivered?.(packet);
    const { from, to, message, state = [] } = packet;
    const update = this.raft(to).step({ kind: 'receive', from, message }, this.now);
    this.#carryOut(this.seat(to), update, state);
    if (!again) this.#reportSnapshot(packet, true);
  }

  /** Loses packets: all, or those that match. */
  drop(matches: (packet: Packet) => boolean = () => true): void {
    const lost = this.wire.filter(matches);
    this.wire = this.wire.filter((packet) => !matches(packet));
    for (const packet of lost) this.#lose(packet);
  }

  // Disks.

  /** The disk finishes up to `count` of its oldest jobs; the persists among them are reported together. */
  finishDisk(id: MemberId, count = Infinity): void {
    const seat = this.seat(id);
    const jobs = seat.queue.splice(0, Math.min(count, seat.queue.length));
    const others: Event[] = [];
    for (const job of jobs) {
      if (job.kind === 'persist') this.#write(seat, job.persist, job.state);
      else if (job.kind === 'load') {
        others.push({ kind: 'loaded', peer: job.load.peer, entries: this.#readEntries(seat, job.load) });
      } else {
        seat.sending.delete(job.peer);
        others.push(job);
      }
    }
    const persists = jobs.flatMap((job) => (job.kind === 'persist' ? [job.persist] : []));
    const last = persists.at(-1);
    if (last !== undefined) {
      seat.durableSequence = last.sequence;
      this.#flush(seat);
      this.step(id, { kind: 'persisted', sequence: last.sequence });
      this.#finishInstall(seat);
    }
    for (const event of others) this.step(id, event);
  }

  /** A member loses its memory. The first `written` of its waiting persists reach the disk without anyone learning it. */
  crash(id: MemberId, written = 0): void {
    const seat = this.seat(id);
    const persists = seat.queue.filter((job) => job.kind === 'persist');
    for (const { persist, state } of persists.slice(0, written)) this.#write(seat, persist, state);
    seat.raft = undefined;
    seat.queue = [];
    seat.outbox = [];
    seat.installing = undefined;
    seat.sending.clear();
  }

  restart(id: MemberId, { applied, inMemory }: RestartOptions = {}): void {
    const seat = this.seat(id);
    if (seat.raft !== undefined) throw new Error(`member ${id} is up`);
    seat.log = [...seat.disk.entries];
    const { hardState, firstIndex, configuration } = seat.disk;
    const kept = seat.log.slice(firstIndex - 1);
    // The log begins after what the state is sure to stand for.
    seat.applied = seat.applied.slice(0, Math.max(applied ?? Infinity, firstIndex - 1));
    seat.durableSequence = 0;
    seat.hardStateSequence = 0;
    seat.raft = new Raft({
      id,
      options: this.options,
      rng: seededRng(between(this.#rng, 0, 2 ** 32)),
      hardState,
      log: {
        ...logStart(kept, Math.min(inMemory ?? Infinity, kept.length)),
        firstIndex,
        lastIndex: seat.log.length,
        termBeforeFirst: seat.log[firstIndex - 2]?.term ?? 0,
      },
      configuration,
      configurationEntries: kept.filter(({ kind }) => kind === 'configuration'),
      appliedIndex: seat.applied.length,
      now: this.now,
      checkInvariants: true,
    });
    this.checker.afterRestart(seat);
  }

  // Long stretches.

  /** Everything that is on its way arrives, network and disks (save the slow ones) without delay, until nothing moves. */
  settle(): void {
    const hasWork = (id: MemberId): boolean => this.seat(id).queue.length > 0 && !this.slowDisks.has(id);
    for (let round = 0; round < 10_000; round++) {
      for (const id of this.ids) if (hasWork(id)) this.finishDisk(id);
      this.questions.arrive();
      if (this.wire.length === 0 && !this.ids.some(hasWork)) return;
      this.deliver();
    }
    throw new Error('the cluster does not come to rest');
  }

  /** A while without faults. */
  run(ms: number, stepMs = 5): void {
    for (const end = this.now + ms; this.now < end;) {
      this.advance(stepMs);
      this.settle();
    }
  }

  // The driver's duty: persist, send, apply, answer.

  #carryOut(seat: Seat, update: Update, state: readonly Entry[] = []): void {
    const { persist, messages, loads } = update;
    if (persist !== undefined) this.#persist(seat, persist, state);
    for (const parcel of messages) seat.outbox.push({ parcel, after: seat.hardStateSequence });
    for (const peer of update.snapshots) this.#sendSnapshot(seat, peer);
    this.#observer.updated?.(seat, update);
    this.checker.afterUpdate(seat, update);
    this.#flush(seat);
    for (const load of loads) seat.queue.push({ kind: 'load', load });
    this.#apply(seat);
  }

  #flush(seat: Seat): void {
    for (let first = seat.outbox[0]; first !== undefined; first = seat.outbox[0]) {
      if (first.after > seat.durableSequence) return;
      seat.outbox.shift();
      const packet = { from: seat.id, ...first.parcel };
      this.checker.beforeSend(seat, packet.to, packet.message);
      if (this.#cuts.has(link(packet.from, packet.to))) this.#lose(packet);
      else this.wire.push(packet);
    }
  }

  #persist(seat: Seat, persist: Persist, state: readonly Entry[]): void {
    this.checker.beforePersist(seat, persist);
    seat.queue.push({ kind: 'persist', persist, state });
    if (persist.snapshot !== undefined) {
      seat.log = [...state];
      seat.installing = persist.sequence;
    }
    replaceSuffix(seat.log, persist.entries);
    if (persist.hardState !== undefined) seat.hardStateSequence = persist.sequence;
  }

  /** A copy of the state as it is now, which one packet carries. */
  #sendSnapshot(seat: Seat, peer: MemberId): void {
    if (seat.sending.has(peer)) return;
    seat.sending.add(peer);
    const raft = this.raft(seat.id);
    const snapshot = raft.snapshotAt(seat.applied.length);
    const message = { kind: 'install-snapshot' as const, term: raft.status.term, snapshot };
    seat.outbox.push({ parcel: { to: peer, message, state: [...seat.applied] }, after: seat.hardStateSequence });
  }

  #lose(packet: Packet): void {
    this.#observer.lost?.(packet);
    this.#reportSnapshot(packet, false);
  }

  /** Whoever sent a snapshot learns what became of it. */
  #reportSnapshot({ from, to, message }: Packet, delivered: boolean): void {
    if (message.kind !== 'install-snapshot' || !this.isUp(from)) return;
    const { index: lastIndex } = message.snapshot.last;
    this.seat(from).queue.push({ kind: 'snapshot-sent', peer: to, lastIndex, delivered });
  }

  /** The new state is in its place, and durable. */
  #finishInstall(seat: Seat): void {
    if (seat.installing === undefined || seat.installing > seat.durableSequence) return;
    seat.installing = undefined;
    this.checker.afterInstall(seat);
    this.step(seat.id, { kind: 'applied', index: seat.applied.length });
  }

  #apply(seat: Seat): void {
    if (seat.installing !== undefined) return;
    const { commitIndex, durableIndex } = this.raft(seat.id).status;
    const before = seat.applied.length;
    const target = Math.min(commitIndex, durableIndex);
    if (target <= before) return;
    const inMemory = this.raft(seat.id).entries(before + 1, target, Infinity);
    seat.applied.push(...(inMemory ?? seat.disk.entries.slice(before, target)));
    this.checker.afterApply(seat, before);
    this.step(seat.id, { kind: 'applied', index: target });
  }

  #write(seat: Seat, persist: Persist, state: readonly Entry[]): void {
    this.checker.beforeWrite(seat, persist);
    if (persist.hardState !== undefined) seat.disk.hardState = persist.hardState;
    if (persist.snapshot !== undefined) {
      // State and log in one step (invariant N2).
      seat.applied = [...state];
      seat.disk.entries = [...state];
      seat.disk.firstIndex = persist.snapshot.last.index + 1;
      seat.disk.configuration = persist.snapshot.configuration;
    }
    replaceSuffix(seat.disk.entries, persist.entries);
    this.#observer.written?.(seat, persist);
  }

  #readEntries(seat: Seat, load: Load): readonly Entry[] {
    if (load.firstIndex < seat.disk.firstIndex) return [];
    const wanted = seat.disk.entries.slice(load.firstIndex - 1, load.lastIndex);
    return fitting(wanted, this.options.maxAppendBytes);
  }
}
