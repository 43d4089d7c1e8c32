/** One simulated member: the real driver, core and state machine on a simulated disk, clock and network. */
import { assert, required } from '../../base/assert';
import { QuorateError } from '../../base/error';
import { silentLogger } from '../../base/logger';
import { between, type Rng } from '../../base/rng';
import { commandGroups } from '../../kv/command-groups';
import type { KvStateMachine } from '../../kv/state-machine';
import type { Result } from '../../kv/result';
import type { Watches } from '../../kv/watch';
import type { ListedMember } from '../../node/member-directory';
import type { Wish } from '../../node/membership-plan';
import { Node } from '../../node/node';
import type { Entry, LogPosition, MemberId, Persist } from '../../raft';
import { Violation } from '../checkers/checker';
import { retentionOf } from '../model/requests';
import type { ResultTexts } from '../model/result-text';
import { LogMirror, type MemberView, type Seen } from '../checkers/member-view';
import { everything, type Answer, type ReadAnswer, type Serve } from '../workload/call';
import type { Contact } from '../workload/client';
import type { WatchContact } from '../workload/watcher';
import { read } from '../workload/serve';
import type { Agenda } from './agenda';
import { besideNode, type BesideNode } from './beside-node';
import { real } from './chance';
import type { SimDisk, SimStorage } from './disk';
import { drawRate, MemberClock } from './member-clock';
import type { MemberSetup } from './member-setup';
import type { Network } from './network';
import { StateDisk } from './state-disk';
import { WatchedMachine } from './watched-machine';

/** What the world wants to know of a member. */
export interface MemberObserver {
  started(member: SimMember, appliedIndex: number): void;
  turned(member: SimMember): void;
  applied(member: SimMember, entries: readonly Entry[], results: readonly ResultTexts[]): void;
  installed(member: SimMember, last: LogPosition, hash: string): void;
  snapshotTaken(member: SimMember, last: LogPosition): void;
  /** It was told that it is no member any more. */
  removed(member: SimMember): void;
  ended(member: SimMember, why: string): void;
  /** It stopped itself, because its disk failed, or because it was asked to. */
  gaveUp(member: SimMember): void;
  /** It stopped itself, and no fault of its surroundings explains it. */
  broken(member: SimMember, error: unknown): void;
}

export interface MemberParts {
  readonly id: MemberId;
  readonly agenda: Agenda;
  readonly rng: Rng;
  readonly network: Network;
  readonly disk: SimDisk;
  readonly observer: MemberObserver;
  /** Nothing else happens in the world before this is done. */
  readonly atOnce: (work: Promise<void>) => void;
}

/** How a process ends: alone, or with the power of its machine. */
export type Ending = 'process' | 'power';

/** One life of the process. */
interface Life extends BesideNode {
  readonly number: number;
  readonly clock: MemberClock;
  readonly storage: SimStorage;
  readonly node: Node<Result>;
}

export class SimMember implements MemberView, Contact, WatchContact {
  readonly id: MemberId;
  readonly name: string;
  readonly disk: SimDisk;
  readonly log = new LogMirror();
  seen: Seen | undefined;
  before: Seen | undefined;
  /** A disk of it is damaged: it stays away, since what it forgot it may have promised. */
  isDead = false;
  /** Its operator has switched it off for good. */
  isGone = false;
  /** It was told that it is no member any more. */
  wasRemoved = false;
  lives = 0;
  readonly #parts: MemberParts;
  readonly #setup: MemberSetup;
  #life: Life | undefined;
  readonly #state: StateDisk;
  #machine: KvStateMachine | undefined;
  #isPaused = false;
  #disturbedAt = 0;
  #waitingTimers: (() => void)[] = [];
  #waitingInput: (() => void)[] = [];
  readonly #rate: number;

  constructor(parts: MemberParts, setup: MemberSetup) {
    this.id = parts.id;
    this.name = `m${parts.id}`;
    this.disk = parts.disk;
    this.#parts = parts;
    this.#setup = setup;
    this.#state = new StateDisk(retentionOf(setup.memory));
    this.#rate = drawRate(parts.rng, parts.id, setup);
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get life(): string {
    return `${this.name}, life ${this.lives}`;
  }

  /** Its clock is set forward. */
  jump(ms: number): void {
    this.#disturbedAt = this.#parts.agenda.now;
    this.#life?.clock.jump(ms);
  }

  now(): number {
    return this.#life?.clock.now() ?? 0;
  }

  steadyMs(): number {
    return this.#parts.agenda.now - this.#disturbedAt;
  }

  get appliedIndex(): number {
    return this.#machine?.appliedIndex ?? 0;
  }

  get durableStateIndex(): number {
    return this.#state.durableIndex;
  }

  get hasQuorum(): boolean {
    return this.#life?.node.status().hasQuorum ?? false;
  }

  get holdsReadLease(): boolean {
    return this.#life?.node.status().holdsReadLease ?? false;
  }

  /** SHA-256 over the whole state. */
  hash(): string {
    return required(this.#machine, 'the member has a state').hash();
  }

  /** Its whole store. */
  read(): ReadAnswer {
    return read(everything, { machine: required(this.#machine, 'the member has a state') });
  }

  /** Starts the process on what its disk holds. Returns false if it refuses, which is for good. */
  start(): boolean {
    assert(this.#life === undefined, 'a member runs once at a time');
    const { disk, observer } = this.#parts;
    try {
      const storage = disk.open(this.#setup.configuration, this.#setup.maxTailBytes);
      const { firstIndex, termBeforeFirst: term } = storage.loaded;
      this.#machine = this.#state.open({ index: firstIndex - 1, term });
      this.#begin(storage, this.#machine);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      if (error.code !== 'damaged' || disk.rotten.size === 0) observer.broken(this, new Violation('N2', error.message));
      this.isDead = true;
      return false;
    }
    return true;
  }

  /** Ends the process without a word. `survivors` of the pending writes, oldest first, have reached the disk. */
  kill(ending: Ending, why: string): void {
    const life = this.#life;
    if (life === undefined) return;
    const { rng, network, observer } = this.#parts;
    life.clock.halt();
    network.unplug(this.id, ending === 'process');
    life.storage.crash(between(rng, 0, life.storage.pendingWrites));
    this.#closeState(ending);
    this.#life = undefined;
    this.seen = undefined;
    this.#isPaused = false;
    this.#waitingTimers = [];
    this.#waitingInput = [];
    observer.ended(this, why);
  }

  /** The disk refuses a write: the member must stop by itself. */
  failDisk(): void {
    const storage = this.#life?.storage;
    storage?.fail(between(this.#parts.rng, 0, storage.pendingWrites));
  }

  /** The process stands still; what comes for it waits. */
  pause(): void {
    this.#isPaused = true;
  }

  /** It goes on: timers first, then everything that waited, as the event loop of Node does. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#disturbedAt = this.#parts.agenda.now;
    const waiting = [...this.#waitingTimers.splice(0), ...this.#waitingInput.splice(0)];
    for (const run of waiting) run();
  }

  /** Runs something that is due on this member's process, now or when it goes on; never if it has ended. */
  admit(kind: 'timer' | 'input' | 'turn', run: () => void): void {
    const number = this.#life?.number;
    if (number === undefined) return;
    const still = (): void => {
      if (this.#life?.number === number) run();
    };
    if (!this.#isPaused) still();
    else (kind === 'timer' ? this.#waitingTimers : this.#waitingInput).push(still);
  }

  serve(doIt: Serve, deadlineMs: number, answered: (answer: Promise<Answer>) => void): boolean {
    const life = this.#life;
    if (life === undefined) return false;
    this.admit('input', () => {
      const machine = required(this.#machine, 'who lives has a state');
      const { node, clock, renewals, tasks } = life;
      const serving = { node, clock, machine, renewals, lessor: tasks.lessor };
      answered(doIt(serving, { deadline: clock.now() + deadlineMs }));
    });
    return true;
  }

  /** Does something with its watches when it is awake; returns false if nobody listens. */
  withWatches(use: (watches: Watches) => void): boolean {
    const life = this.#life;
    if (life === undefined) return false;
    this.admit('input', () => use(life.watches));
    return true;
  }

  /** The members as this one knows them; nobody while it is down. */
  listed(): readonly ListedMember[] {
    return this.#life?.node.members() ?? [];
  }

  /** Hands a wish to it when it is awake; returns false if nobody listens. */
  change(wish: Wish, deadlineMs: number, answered: (answer: Promise<number>) => void): boolean {
    const life = this.#life;
    if (life === undefined) return false;
    this.admit('input', () => {
      answered(life.node.changeMembers(wish, { deadline: life.clock.now() + deadlineMs }));
    });
    return true;
  }

  /** SIGTERM: hands over leadership, tells its callers what is known, and ends. */
  stop(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.admit('input', () => {
      void life.node.resign().then(async () => {
        await life.node.stop();
        this.#parts.agenda.after(0, () => {
          if (this.#life !== life) return;
          this.kill('process', 'stopped');
          this.#parts.observer.gaveUp(this);
        });
      });
    });
  }

  /** The disk is lost with everything on it, and the member with the disk (invariant M7). */
  wipe(): void {
    this.kill('power', 'its disk is lost');
    this.disk.wipe();
    this.#state.wipe();
    this.isDead = true;
  }

  /** Tells the checkers how the core stands. */
  observe(): void {
    const node = this.#life?.node;
    if (node === undefined) return;
    const { role, term, leader, commitIndex, appliedIndex, lastLogIndex } = node.status();
    this.before = this.seen;
    this.seen = { role, term, leader, commitIndex, appliedIndex, lastIndex: lastLogIndex };
    this.#parts.observer.turned(this);
  }

  given(persist: Persist): void {
    this.log.take(persist);
  }

  #begin(storage: SimStorage, machine: KvStateMachine): void {
    const { agenda, rng, network, observer } = this.#parts;
    const { raftOptions, nodeOptions, maxTurnMs } = this.#setup;
    this.log.reload(this.disk);
    this.seen = undefined;
    this.before = undefined;
    const number = ++this.lives;
    const clock = new MemberClock(agenda, {
      rate: this.#rate,
      offsetMs: between(rng, 0, 1_000_000),
      turnMs: () => (maxTurnMs === 0 ? 0 : real(rng, 0, maxTurnMs)),
      admit: (kind, run) => {
        this.#admitOwn(kind, run);
      },
    });
    const node = new Node<Result>({
      id: this.id,
      raftOptions,
      nodeOptions,
      storage,
      transport: network.transport(this.id, (tell) => this.#notify(number, tell)),
      stateMachine: this.#watched(number, machine),
      groups: commandGroups,
      scheduler: clock,
      rng,
      logger: silentLogger,
      checkInvariants: true,
      onFatal: (error) => this.#onFatal(number, error),
      onRemoved: () => observer.removed(this),
    });
    const beside = besideNode({
      ...{ machine, node, clock, setup: this.#setup },
      onBug: (error) => {
        // What an ended life still has on its mind is no bug.
        if (this.#life?.number === number) observer.broken(this, error);
      },
    });
    this.#life = { number, clock, storage, node, ...beside };
    observer.started(this, machine.appliedIndex);
    void node.start();
    beside.start();
  }

  #watched(life: number, inner: KvStateMachine): WatchedMachine {
    const { observer, atOnce } = this.#parts;
    return new WatchedMachine({
      inner,
      disk: this.#state,
      observer: {
        beforeApply: () => this.observe(),
        applied: (entries, results) => observer.applied(this, entries, results),
        installed: (last, hash) => observer.installed(this, last, hash),
        snapshotTaken: (last) => observer.snapshotTaken(this, last),
      },
      whenDiskIsReady: (work) => {
        this.disk.later(() => {
          if (this.#life?.number === life) work();
        });
      },
      notify: (tell) => this.#notify(life, tell),
      atOnce,
      isFull: () => this.disk.isFull,
    });
  }

  /** Tells one life something, when it is awake; nothing if it has ended. */
  #notify(life: number, tell: () => void): void {
    if (this.#life?.number === life) this.admit('input', tell);
  }

  #admitOwn(kind: 'timer' | 'turn', run: () => void): void {
    this.admit(kind, () => {
      run();
      if (kind === 'turn') this.observe();
    });
  }

  #closeState(ending: Ending): void {
    if (this.#machine === undefined) return;
    this.#state.close(this.#machine);
    this.#machine = undefined;
    if (ending === 'power') this.#state.cutPower(this.disk, this.#parts.rng);
  }

  #onFatal(life: number, error: unknown): void {
    const { agenda, observer } = this.#parts;
    const isOfDisk = error instanceof QuorateError && error.code === 'damaged' && this.disk.hasFailed;
    if (!isOfDisk) observer.broken(this, error);
    agenda.after(0, () => {
      if (this.#life?.number !== life) return;
      this.kill('process', 'its disk failed');
      observer.gaveUp(this);
    });
  }

  /** Ends the run. */
  close(): void {
    this.#closeState('process');
  }
}
