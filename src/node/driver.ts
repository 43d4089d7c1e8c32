/** The engine of a node: turns input into events for the core, and carries out each update: persist, send, apply, answer. */
import { assert } from '../base/assert';
import type { Scheduler, Timer } from '../base/clock';
import type { Rng } from '../base/rng';
import { Raft, type Entry, type Event, type Load, type MemberId, type Persist, type RaftStatus } from '../raft';
import type { RaftOptions, StateMachine, Update } from '../raft';
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
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly checkInvariants: boolean;
  /** Called once, when the member must not go on. */
  readonly onFatal: (error: Error) => void;
}

/** What the rest of the node does in a turn. */
export interface TurnListener<Result> {
  /** A turn begins: what should go into the core with it is posted now. */
  beforeTurn(): void;
  /** An entry was applied; each one, in order. */
  onEntryApplied(entry: Entry, result: Result | undefined): void;
  /** The state machine stands at `appliedIndex` now. */
  onApplied(appliedIndex: number): void;
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
  #tickTimer: Timer | undefined;
  #tickTimerAt = Infinity;

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
      configuration: { index: 0, configuration: loaded.configuration, context: new Uint8Array() },
      configurationEntries: [],
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

  get appliedIndex(): number {
    return this.#applier.appliedIndex;
  }

  /** In contact with a quorum: as the leader, or through a leader heard from within an election timeout. */
  get hasQuorum(): boolean {
    return this.isRunning && this.#raft.hasQuorum(this.#parts.scheduler.now());
  }

  /** Puts an event into the next turn. */
  post(event: Event): void {
    this.#events.push(event);
    this.scheduleTurn();
  }

  /** Has a turn run at the end of this one of the event loop. */
  scheduleTurn(): void {
    if (this.#turnIsScheduled || this.#phase !== 'running') return;
    this.#turnIsScheduled = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#runTurn();
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
      const events = this.#events;
      this.#events = [];
      // Last, so that after a pause the messages that waited are heard before anybody campaigns.
      if (this.#tickIsDue) events.push({ kind: 'tick' });
      this.#tickIsDue = false;
      this.#carryOut(this.#raft.turn(events, this.#parts.scheduler.now()));
    });
  }

  /** The driver's contract with the core, in its order: persist, send, apply, answer. */
  #carryOut(update: Update): void {
    if (update.persist !== undefined) this.#persist(update.persist);
    this.#outbox.send(update.messages);
    this.#apply();
    this.#listener.onUpdate(update);
    for (const load of update.loads) this.#load(load);
    this.#armTickTimer();
  }

  #persist(persist: Persist): void {
    const hasHardState = persist.hardState !== undefined;
    if (hasHardState) this.#outbox.hold();
    this.whenDone(this.#parts.storage.persist(persist), () => {
      if (hasHardState) this.#outbox.release();
      this.post({ kind: 'persisted', sequence: persist.sequence });
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

  #load({ peer, firstIndex, lastIndex }: Load): void {
    const range = { firstIndex, lastIndex, maxBytes: this.#parts.raftOptions.maxAppendBytes };
    this.whenDone(this.#parts.storage.readEntries(range), (entries) => {
      this.post({ kind: 'loaded', peer, entries });
    });
  }

  #armTickTimer(): void {
    const { scheduler } = this.#parts;
    const due = this.#raft.nextTickAt;
    if (this.#tickTimerAt <= due || !this.isRunning) return;
    this.#tickTimer?.cancel();
    this.#tickTimerAt = due;
    this.#tickTimer = scheduler.after(Math.max(0, due - scheduler.now()), () => {
      this.#tickTimerAt = Infinity;
      this.#tickIsDue = true;
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
