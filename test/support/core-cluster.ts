/** A cluster of pure cores on an in-memory network and in-memory disks: nothing but the contract of `raft/update.ts`. */
import { between, seededRng, type Rng } from '../../src/base/rng';
import { Raft, simpleConfiguration } from '../../src/raft';
import type { Entry, Envelope, Event, HardState, Load, MemberId, Persist } from '../../src/raft';
import type { RaftOptions, Update } from '../../src/raft';
import { drawLog, logStart, parseLog, testOptions } from './raft';
import { SafetyChecker } from './safety-checker';

/** A message on the wire. */
export interface Packet extends Envelope {
  readonly from: MemberId;
}

/** What a power cut leaves. */
export interface Disk {
  hardState: HardState;
  readonly entries: Entry[];
}

/** What waits for the disk, oldest first. */
type DiskJob = { readonly kind: 'persist'; readonly persist: Persist } | { readonly kind: 'load'; readonly load: Load };

/** One member: its core while it runs, its disk for ever. */
export interface Seat {
  readonly id: MemberId;
  readonly disk: Disk;
  raft: Raft | undefined;
  /** The log as handed out in updates, durable or not. */
  log: Entry[];
  /** What the state machine was given, in order. */
  applied: Entry[];
  queue: DiskJob[];
  /** Messages that wait until the hard state of the numbered persist is durable. */
  outbox: { readonly envelope: Envelope; readonly after: number }[];
  durableSequence: number;
  hardStateSequence: number;
}

/** What a test may want to tell about. */
export interface Observer {
  delivered?(packet: Packet): void;
  lost?(packet: Packet): void;
  updated?(seat: Seat, update: Update): void;
  written?(seat: Seat, persist: Persist): void;
}

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
  now = 0;
  /** Their disks do nothing by themselves: only when told to. */
  readonly slowDisks = new Set<MemberId>();
  readonly #cuts = new Set<string>();
  readonly #rng: Rng;
  readonly #observer: Observer;
  #payloads = 0;

  constructor(setup: ClusterSetup) {
    this.options = { ...testOptions, ...setup.options };
    this.#rng = seededRng(setup.seed ?? 1);
    this.#observer = setup.observer ?? {};
    for (let id = 1n; id <= setup.size; id++) {
      const found = setup.disks?.[String(id)] ?? { term: 0, log: '' };
      const disk = { hardState: { term: found.term, votedFor: undefined }, entries: parseLog(found.log) };
      this.seats.set(id, emptySeat(id, disk));
    }
    this.checker = new SafetyChecker(this.seats, { now: () => this.now, ...this.options });
    for (const id of this.ids) this.restart(id);
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
    return drawLog(seat.raft === undefined ? seat.disk.entries : seat.log);
  }

  // Inputs.

  step(id: MemberId, event: Event): Update {
    const seat = this.seat(id);
    if (event.kind === 'receive') this.checker.beforeReceive(seat, event.from, event.message);
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

  /** One packet arrives: the oldest, or the one at a position. With `again` it stays on the wire, to arrive once more. */
  deliver(position = 0, again = false): void {
    const packet = this.wire[position];
    if (packet === undefined) return;
    if (!again) this.wire.splice(position, 1);
    if (!this.isUp(packet.to) || this.#cuts.has(link(packet.from, packet.to))) {
      this.#observer.lost?.(packet);
      return;
    }
    this.#observer.delivered?.(packet);
    this.step(packet.to, { kind: 'receive', from: packet.from, message: packet.message });
  }

  /** Loses packets: all, or those that match. */
  drop(matches: (packet: Packet) => boolean = () => true): void {
    const lost = this.wire.filter(matches);
    this.wire = this.wire.filter((packet) => !matches(packet));
    for (const packet of lost) this.#observer.lost?.(packet);
  }

  // Disks.

  /** The disk finishes up to `count` of its oldest jobs; the persists among them are reported together. */
  finishDisk(id: MemberId, count = Infinity): void {
    const seat = this.seat(id);
    const jobs = seat.queue.splice(0, Math.min(count, seat.queue.length));
    const loads: Event[] = [];
    for (const job of jobs) {
      if (job.kind === 'persist') this.#write(seat, job.persist);
      else loads.push({ kind: 'loaded', peer: job.load.peer, entries: this.#readEntries(seat, job.load) });
    }
    const persists = jobs.flatMap((job) => (job.kind === 'persist' ? [job.persist] : []));
    const last = persists.at(-1);
    if (last !== undefined) {
      seat.durableSequence = last.sequence;
      this.#flush(seat);
      this.step(id, { kind: 'persisted', sequence: last.sequence });
    }
    for (const event of loads) this.step(id, event);
  }

  /** A member loses its memory. The first `written` of its waiting persists reach the disk without anyone learning it. */
  crash(id: MemberId, written = 0): void {
    const seat = this.seat(id);
    const persists = seat.queue.flatMap((job) => (job.kind === 'persist' ? [job.persist] : []));
    for (const persist of persists.slice(0, written)) this.#write(seat, persist);
    seat.raft = undefined;
    seat.queue = [];
    seat.outbox = [];
  }

  restart(id: MemberId, { applied, inMemory }: RestartOptions = {}): void {
    const seat = this.seat(id);
    if (seat.raft !== undefined) throw new Error(`member ${id} is up`);
    seat.log = [...seat.disk.entries];
    seat.applied = seat.applied.slice(0, applied);
    seat.durableSequence = 0;
    seat.hardStateSequence = 0;
    seat.raft = new Raft({
      id,
      options: this.options,
      rng: seededRng(between(this.#rng, 0, 2 ** 32)),
      hardState: seat.disk.hardState,
      log: logStart(seat.log, Math.min(inMemory ?? Infinity, seat.log.length)),
      configuration: simpleConfiguration(this.ids),
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

  #carryOut(seat: Seat, update: Update): void {
    const { persist, messages, loads } = update;
    if (persist !== undefined) {
      this.checker.beforePersist(seat, persist);
      seat.queue.push({ kind: 'persist', persist });
      replaceSuffix(seat.log, persist.entries);
      if (persist.hardState !== undefined) seat.hardStateSequence = persist.sequence;
    }
    for (const envelope of messages) seat.outbox.push({ envelope, after: seat.hardStateSequence });
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
      const packet = { from: seat.id, ...first.envelope };
      this.checker.beforeSend(seat, packet.to, packet.message);
      if (this.#cuts.has(link(packet.from, packet.to))) this.#observer.lost?.(packet);
      else this.wire.push(packet);
    }
  }

  #apply(seat: Seat): void {
    const { commitIndex, durableIndex } = this.raft(seat.id).status;
    const before = seat.applied.length;
    const target = Math.min(commitIndex, durableIndex);
    if (target <= before) return;
    const inMemory = this.raft(seat.id).entries(before + 1, target, Infinity);
    seat.applied.push(...(inMemory ?? seat.disk.entries.slice(before, target)));
    this.checker.afterApply(seat, before);
    this.step(seat.id, { kind: 'applied', index: target });
  }

  #write(seat: Seat, persist: Persist): void {
    if (persist.hardState !== undefined) seat.disk.hardState = persist.hardState;
    replaceSuffix(seat.disk.entries, persist.entries);
    this.checker.afterWrite(seat, persist);
    this.#observer.written?.(seat, persist);
  }

  #readEntries(seat: Seat, load: Load): readonly Entry[] {
    const wanted = seat.disk.entries.slice(load.firstIndex - 1, load.lastIndex);
    let bytes = 0;
    const fits = wanted.filter(
      ({ payload }, at) => (bytes += payload.length) <= this.options.maxAppendBytes || at === 0,
    );
    return wanted.slice(0, fits.length);
  }
}

function replaceSuffix(log: Entry[], entries: readonly Entry[]): void {
  const [first] = entries;
  if (first === undefined) return;
  if (first.index > log.length + 1) throw new Error('a persist leaves no gap in the log');
  log.splice(first.index - 1, Infinity, ...entries);
}

function emptySeat(id: MemberId, disk: Disk): Seat {
  const volatile = { raft: undefined, log: [], applied: [], queue: [], outbox: [] };
  return { id, disk, ...volatile, durableSequence: 0, hardStateSequence: 0 };
}

function link(from: MemberId, to: MemberId): string {
  return `${from}>${to}`;
}
