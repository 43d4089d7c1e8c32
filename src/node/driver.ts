/** The engine of a node: turns input into events for the core, and carries out each update: persist, send, apply, answer. */
import { assert } from '../base/assert';
import type { Timer, TurnScheduler } from '../base/clock';
import type { Rng } from '../base/rng';
import { QuorateError } from '../base/error';
import {
  commitNewsMs,
  Raft,
  type ConfigurationAt,
  type Entry,
  type Event,
  type Load,
  type LogPosition,
  type MemberId,
} from '../raft';
import type { PeerStatus, Persist, RaftOptions, RaftStatus, SnapshotDescription, StateMachine } from '../raft';
import type { Update } from '../raft';
import type { Storage } from '../storage/storage';
import type { Transport } from '../transport/transport';
import { Applier } from './applier';
import { Outbox } from './outbox';

/** What a driver is made of. */
export interface DriverParts<Result> {
  readonly id: MemberId;
  readonly raftOptions: RaftOptions;
  /** Most payload bytes applied in one turn. */
  readonly maxApplyBytes: number;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly stateMachine: StateMachine<Result>;
  readonly scheduler: TurnScheduler;
  readonly rng: Rng;
  readonly checkInvariants: boolean;
  /** Called once, when the member must not go on. */
  readonly onFatal: (error: Error) => void;
}

/** What the rest of the node does in a turn. */
export interface TurnListener<Result> {
  /**
   * A turn begins that what callers and operators want goes into: it is posted now. One at the end of each turn of the event loop in
   * which one was asked for, and when told to (`supplyAtOnce`).
   */
  beforeTurn(): void;
  /** An entry was applied; each one, in order. */
  onEntryApplied(entry: Entry, result: Result | undefined): void;
  /** The state machine stands at `appliedIndex` now. */
  onApplied(appliedIndex: number): void;
  /** A snapshot took the place of the state, which stands at `last` now; `onApplied` follows. */
  onInstalled(last: LogPosition): void;
  /** The core's turn is done, and what it wanted persisted, sent and applied is on its way: the answers. */
  onUpdate(update: Update): void;
}

/**
 * The only place that orders effects (architecture §1.2). One turn takes everything that arrived together into the core
 * together. A failure of the storage, or of an assertion, ends it: nobody is answered after.
 */
export class Driver<Result> {
  readonly #parts: DriverParts<Result>;
  readonly #listener: TurnListener<Result>;
  readonly #raft: Raft;
  readonly #outbox: Outbox;
  readonly #applier: Applier<Result>;
  #phase: 'new' | 'running' | 'stopped' | 'failed' = 'new';
  #events: Event[] = [];
  #tickIsDue = false;
  #turnIsScheduled = false;
  #earlyTurnIsScheduled = false;
  #suppliesEarly = false;
  #tickTimer: Timer | undefined;
  #tickTimerAt = Infinity;
  /** The core is told of no tick sooner. */
  #ticksFrom = -Infinity;
  readonly #writesBegunAt: number[] = [];
  #lastTurnAt = -Infinity;
  /** When the last turn began that came late: nobody was there to hear of a write that had ended. */
  #awakeSince = -Infinity;

  constructor(parts: DriverParts<Result>, listener: TurnListener<Result>) {
    const { storage, stateMachine, scheduler } = parts;
    const { loaded } = storage;
    this.#parts = parts;
    this.#listener = listener;
    this.#raft = new Raft({
      id: parts.id,
      options: parts.raftOptions,
      rng: parts.rng,
      hardState: loaded.hardState,
      log: loaded,
      configuration: loaded.configuration,
      configurationEntries: loaded.configurationEntries,
      appliedIndex: stateMachine.appliedIndex,
      now: scheduler.now(),
      checkInvariants: parts.checkInvariants,
    });
    this.#outbox = new Outbox(parts.transport);
    this.#applier = new Applier({
      raft: this.#raft,
      storage,
      stateMachine,
      maxBytes: parts.maxApplyBytes,
      onApplied: (entry, result) => {
        listener.onEntryApplied(entry, result);
      },
      tellAll: (told) => {
        this.#afterNews(() => {
          this.#afterNews(() => {
            told();
            this.scheduleTurn();
          });
        });
      },
    });
  }

  /** Takes input from now on, and campaigns when it hears of no leader. */
  start(): void {
    assert(this.#phase === 'new', 'a node starts once');
    this.#phase = 'running';
    void this.#parts.storage.failed.then((error) => {
      this.fail(error);
    });
    this.#armTickTimer();
  }

  /** Ends; returns false if it was not running. */
  stop(): boolean {
    if (this.#phase !== 'running') return false;
    this.#phase = 'stopped';
    this.#tickTimer?.cancel();
    return true;
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  get status(): RaftStatus {
    return this.#raft.status;
  }

  /** The configuration in force; the same object until it changes. */
  get configuration(): ConfigurationAt {
    return this.#raft.configuration;
  }

  /** Every peer, while this member leads. */
  get peers(): readonly PeerStatus[] {
    return this.#raft.peers(this.#parts.scheduler.now());
  }

  /** Describes a copy of the state that stands at `index`, which the log reaches back to. */
  snapshotAt(index: number): SnapshotDescription {
    return this.#raft.snapshotAt(index);
  }

  /**
   * How long the oldest write of this member's own disk has taken so far, ms; 0 when none is under way. What passed while
   * this process stood still is not the disk's.
   */
  get diskDelayMs(): number {
    const [oldest] = this.#writesBegunAt;
    return oldest === undefined ? 0 : this.#parts.scheduler.now() - Math.max(oldest, this.#awakeSince);
  }

  get appliedIndex(): number {
    return this.#applier.appliedIndex;
  }

  /** In contact with a quorum: as the leader, or through a leader heard from within an election timeout. */
  get hasQuorum(): boolean {
    return this.isRunning && this.#raft.hasQuorum(this.#parts.scheduler.now());
  }

  /** Leads, and answers linearizable reads without asking anybody (see `Raft.holdsReadLease`). */
  get holdsReadLease(): boolean {
    return this.isRunning && this.#raft.holdsReadLease(this.#parts.scheduler.now());
  }

  /** Puts an event into the next turn, which comes at once if others wait for what this member makes of it. */
  post(event: Event): void {
    this.#events.push(event);
    if (isWaitedFor(event)) this.#scheduleEarlyTurn();
    else this.scheduleTurn();
  }

  /** Has a turn run at the end of this one of the event loop. */
  scheduleTurn(): void {
    if (this.#turnIsScheduled || this.#phase !== 'running') return;
    this.#turnIsScheduled = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#runTurn();
    });
  }

  /** Has a turn run before more input is heard, and what waits for one go into it. */
  supplyAtOnce(): void {
    this.#suppliesEarly = true;
    this.#scheduleEarlyTurn();
  }

  /**
   * Has a turn run before more input is heard. What it sends leaves when this turn of the event loop ends, where what is sent at
   * that end leaves a whole turn of the event loop later (ADR 22). It is for what is here already: what callers want is left to
   * gather, and time is not looked at, since somebody who is heard next may change what it means.
   */
  #scheduleEarlyTurn(): void {
    if (this.#earlyTurnIsScheduled || this.#phase !== 'running') return;
    this.#earlyTurnIsScheduled = true;
    this.#parts.scheduler.atOnce(() => {
      this.#runEarlyTurn();
    });
  }

  /** Goes on when some work is done, unless the node stopped meanwhile. A failure of it is fatal. */
  whenDone<T>(work: Promise<T>, goOn: (value: T) => void): void {
    work.then(
      (value) => {
        if (this.isRunning) {
          this.#guard(() => {
            goOn(value);
          });
        }
      },
      (error: unknown) => {
        this.fail(error);
      },
    );
  }

  /** Stops at once and answers nobody: what the callers would be told could be wrong. */
  fail(reason: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return;
    this.#phase = 'failed';
    this.#tickTimer?.cancel();
    this.#parts.onFatal(reason instanceof Error ? reason : new Error(String(reason)));
  }

  #runTurn(): void {
    if (!this.isRunning) return;
    this.#guard(() => {
      this.#listener.beforeTurn();
      // Only now: what `beforeTurn` posts is part of this turn.
      this.#turnIsScheduled = false;
      const events = this.#takeEvents();
      // Last, so that after a pause the messages that waited are heard before anybody campaigns.
      if (this.#tickIsDue) events.push({ kind: 'tick' });
      this.#tickIsDue = false;
      this.#turn(events);
    });
  }

  #runEarlyTurn(): void {
    if (!this.isRunning) return;
    this.#guard(() => {
      this.#earlyTurnIsScheduled = false;
      if (this.#suppliesEarly) this.#listener.beforeTurn();
      this.#suppliesEarly = false;
      // A turn that came meanwhile may have taken them.
      if (this.#events.length > 0) this.#turn(this.#takeEvents());
    });
  }

  #takeEvents(): Event[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #turn(events: readonly Event[]): void {
    const now = this.#parts.scheduler.now();
    if (now - this.#lastTurnAt > this.#standstillMs) this.#awakeSince = now;
    this.#lastTurnAt = now;
    this.#carryOut(this.#raft.turn(events, now));
    this.#listenAfter(this.#parts.scheduler.now() - now);
    this.#armTickTimer();
  }

  /** A leader has a turn at every heartbeat, at least; whoever has none for two of them stands still. */
  get #standstillMs(): number {
    return 2 * this.#parts.raftOptions.heartbeatIntervalMs;
  }

  /**
   * A turn that took long, for what it applied, hears nobody meanwhile, and the others may be at the same. That is no
   * silence of theirs: they have as long, or an election timeout, to be heard before anybody is given up.
   */
  #listenAfter(turnMs: number): void {
    if (turnMs <= this.#standstillMs) return;
    this.#tickTimer?.cancel();
    this.#tickTimerAt = Infinity;
    this.#ticksFrom = this.#parts.scheduler.now() + Math.min(turnMs, this.#parts.raftOptions.electionTimeoutMs);
    // Those who wait for a heartbeat get it now.
    this.scheduleTurn();
  }

  /** The driver's contract with the core, in its order: persist, send, apply, answer. */
  #carryOut(update: Update): void {
    if (update.persist !== undefined) this.#persist(update.persist, update.install);
    this.#outbox.send(update.messages);
    this.#apply();
    this.#listener.onUpdate(update);
    for (const load of update.loads) this.#load(load);
  }

  #persist(persist: Persist, install: SnapshotDescription | undefined): void {
    const hasHardState = persist.hardState !== undefined;
    if (hasHardState) this.#outbox.hold();
    if (install !== undefined) this.#applier.pause();
    this.#writesBegunAt.push(this.#parts.scheduler.now());
    this.whenDone(this.#parts.storage.persist(persist), () => {
      this.#writesBegunAt.shift();
      if (hasHardState) this.#outbox.release();
      this.post({ kind: 'persisted', sequence: persist.sequence });
      if (install !== undefined) this.#install(install.last);
    });
  }

  /** The log begins after the snapshot, durably: from here on only its state goes with it (invariant N2). */
  #install(last: LogPosition): void {
    this.whenDone(this.#parts.stateMachine.install(last), () => {
      this.#applier.resumeAt(last.index);
      this.#listener.onInstalled(last);
      this.#afterApply();
      this.scheduleTurn();
    });
  }

  #apply(): void {
    const before = this.#applier.appliedIndex;
    const loading = this.#applier.applyNext();
    if (loading !== undefined) {
      this.whenDone(loading, () => {
        this.#afterApply();
      });
    }
    if (this.#applier.appliedIndex > before) this.#afterApply();
  }

  #afterApply(): void {
    const { appliedIndex } = this.#applier;
    this.#events.push({ kind: 'applied', index: appliedIndex });
    this.#listener.onApplied(appliedIndex);
    if (this.#applier.hasWork) this.scheduleTurn();
  }

  /**
   * When the core has told all peers of what is committed now. What it tells leaves when its turn is over; and on a busy
   * member this may be that very turn, so whoever wants it to have left waits twice.
   */
  #afterNews(then: () => void): void {
    this.#parts.scheduler.after(commitNewsMs(this.#parts.raftOptions), then);
  }

  #load({ peer, firstIndex, lastIndex }: Load): void {
    const range = { firstIndex, lastIndex, maxBytes: this.#parts.raftOptions.maxAppendBytes };
    const loading = this.#parts.storage.readEntries(range).catch((error: unknown) => {
      // The log was cut or replaced meanwhile, which the core knows.
      if (error instanceof QuorateError && error.code === 'superseded') return [];
      throw error;
    });
    this.whenDone(loading, (entries) => {
      this.post({ kind: 'loaded', peer, entries });
    });
  }

  #armTickTimer(): void {
    const { scheduler, raftOptions } = this.#parts;
    // Until ticks are heard again, turns come at heartbeats: a leader sends its own.
    const soonest = Math.min(this.#ticksFrom, scheduler.now() + raftOptions.heartbeatIntervalMs);
    const due = Math.max(this.#raft.nextTickAt, soonest);
    if (this.#tickTimerAt <= due || !this.isRunning) return;
    this.#tickTimer?.cancel();
    this.#tickTimerAt = due;
    this.#tickTimer = scheduler.after(Math.max(0, due - scheduler.now()), () => {
      this.#tickTimerAt = Infinity;
      this.#tickIsDue = scheduler.now() >= this.#ticksFrom;
      this.scheduleTurn();
    });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }
}

/** Another member, or a caller behind an entry, waits for what follows from it. What callers here want is left to gather. */
function isWaitedFor(event: Event): boolean {
  const { kind } = event;
  return kind === 'receive' || kind === 'persisted' || (kind === 'read' && event.askedBy !== undefined);
}
