/** The driver: one member at work. Turns input into events, and carries out each update: persist, send, apply, answer. */
import { assert } from '../base/assert';
import type { Scheduler, Timer } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { between, type Rng } from '../base/rng';
import { Raft, type Entry, type Event, type Load, type MemberId, type Persist } from '../raft';
import type { ProposeResult, RaftOptions, ReadResult, StateMachine, Update } from '../raft';
import type { Storage } from '../storage/storage';
import type { PeerMessage, Transport } from '../transport/transport';
import { Applier } from './applier';
import type { CallContext, Proposer } from './call';
import { commandProposals, ForwardDesk } from './forward-desk';
import type { NodeOptions } from './options';
import { Outbox } from './outbox';
import { Proposals } from './proposals';
import { Reads } from './reads';
import type { NodeStatus } from './status';

/** What a node is made of. */
export interface NodeParts<Result> {
  readonly id: MemberId;
  readonly raftOptions: RaftOptions;
  readonly nodeOptions: NodeOptions;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly stateMachine: StateMachine<Result>;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Check the core's invariants after every turn. */
  readonly checkInvariants: boolean;
  /** Called once, when the member must not go on: its disk failed or its own code is wrong. Nobody is answered after. */
  readonly onFatal: (error: Error) => void;
}

/** A member of the cluster, over interfaces only: the same in production and in the simulator. */
export class Node<Result> implements Proposer<Result> {
  readonly #parts: NodeParts<Result>;
  readonly #raft: Raft;
  readonly #outbox: Outbox;
  readonly #applier: Applier<Result>;
  readonly #proposals: Proposals<Result>;
  readonly #reads: Reads;
  readonly #forwards: ForwardDesk;
  #phase: 'new' | 'running' | 'stopped' | 'failed' = 'new';
  #events: Event[] = [];
  #tickIsDue = false;
  #turnIsScheduled = false;
  #tickTimer: Timer | undefined;
  #tickTimerAt = Infinity;
  #sweepTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #nextRequestId: number;

  constructor(parts: NodeParts<Result>) {
    const { id, storage, stateMachine, scheduler, rng, nodeOptions } = parts;
    const { loaded } = storage;
    this.#parts = parts;
    this.#raft = new Raft({
      id,
      options: parts.raftOptions,
      rng,
      hardState: loaded.hardState,
      log: loaded,
      configuration: loaded.configuration,
      configurationEntries: loaded.configurationEntries,
      appliedIndex: stateMachine.appliedIndex,
      now: scheduler.now(),
      checkInvariants: parts.checkInvariants,
    });
    this.#outbox = new Outbox(parts.transport);
    // Numbers must differ from those of earlier lives, whose entries and answers may still be on their way.
    const appliedTerm = stateMachine.appliedTerm;
    this.#proposals = new Proposals({ origin: id, firstNumber: randomStart(rng), appliedTerm, options: nodeOptions });
    this.#nextRequestId = randomStart(rng);
    this.#reads = new Reads(nodeOptions, stateMachine.appliedIndex);
    this.#forwards = new ForwardDesk(parts.transport);
    this.#applier = new Applier({
      raft: this.#raft,
      storage,
      stateMachine,
      maxBytes: nodeOptions.maxApplyBytes,
      onApplied: (entry: Entry, result: Result | undefined) => {
        this.#proposals.onApplied(entry, result);
      },
    });
  }

  /** Joins the cluster: listens to peers, and campaigns when it hears of no leader. */
  async start(): Promise<void> {
    assert(this.#phase === 'new', 'a node starts once');
    this.#phase = 'running';
    void this.#parts.storage.failed.then((error) => {
      this.#fail(error);
    });
    await this.#parts.transport.start({
      receive: (from, message) => {
        this.#receive(from, message);
      },
      unreachable: (peer) => {
        this.#post({ kind: 'unreachable', peer });
      },
    });
    this.#armTickTimer();
  }

  /** Leaves without a word to the others, tells waiting callers what is known. Storage and state machine stay open. */
  async stop(): Promise<void> {
    if (this.#phase === 'running') {
      this.#phase = 'stopped';
      this.#cancelTimers();
      this.#proposals.stop();
      this.#reads.stop();
    }
    await this.#parts.transport.stop();
  }

  propose(command: Uint8Array, call: CallContext): Promise<Result> {
    if (this.#phase !== 'running') return Promise.reject(notRunning());
    const result = this.#proposals.add(command, call);
    this.#scheduleTurn();
    this.#armSweepTimer();
    return result;
  }

  readBarrier(call: CallContext): Promise<void> {
    if (this.#phase !== 'running') return Promise.reject(notRunning());
    const confirmed = this.#reads.add(call);
    this.#scheduleTurn();
    this.#armSweepTimer();
    return confirmed;
  }

  status(): NodeStatus {
    const { role, term, leader, commitIndex, firstIndex, lastIndex, durableIndex } = this.#raft.status;
    return {
      role,
      term,
      leader,
      commitIndex,
      appliedIndex: this.#applier.appliedIndex,
      firstLogIndex: firstIndex,
      lastLogIndex: lastIndex,
      durableLogIndex: durableIndex,
      hasQuorum: this.#phase === 'running' && this.#raft.hasQuorum(this.#parts.scheduler.now()),
    };
  }

  /** One turn: everything that arrived together goes into the core together, and what comes of it is carried out. */
  #runTurn(): void {
    this.#turnIsScheduled = false;
    if (this.#phase !== 'running') return;
    this.#guard(() => {
      this.#supplyLeader();
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
    this.#answer(update);
    for (const load of update.loads) this.#load(load);
    if (update.change !== undefined) this.#announce(update.change);
    this.#armTickTimer();
  }

  #persist(persist: Persist): void {
    const hasHardState = persist.hardState !== undefined;
    if (hasHardState) this.#outbox.hold();
    this.#whenDone(this.#parts.storage.persist(persist), () => {
      if (hasHardState) this.#outbox.release();
      this.#post({ kind: 'persisted', sequence: persist.sequence });
    });
  }

  #apply(): void {
    const before = this.#applier.appliedIndex;
    const loading = this.#applier.applyNext();
    if (loading !== undefined) {
      this.#whenDone(loading, () => {
        this.#afterApply();
      });
    }
    if (this.#applier.appliedIndex > before) this.#afterApply();
  }

  #afterApply(): void {
    const { appliedIndex } = this.#applier;
    this.#events.push({ kind: 'applied', index: appliedIndex });
    this.#reads.onApplied(appliedIndex);
    if (this.#applier.hasWork || this.#proposals.hasQueued) this.#scheduleTurn();
  }

  #answer(update: Update): void {
    for (const result of update.proposed) {
      if (result.id > 0) this.#forwards.onProposed(result);
      else this.#onOwnProposed(result);
    }
    for (const result of update.reads) {
      if (result.id > 0) this.#forwards.onRead(result);
      else this.#onOwnRead(result);
    }
  }

  #announce({ role, term, leader }: NonNullable<Update['change']>): void {
    this.#parts.logger.info({ role, term, leader }, 'role, term or leader changed');
    // Whoever waits for a leader may have one now.
    this.#scheduleTurn();
  }

  #load({ peer, firstIndex, lastIndex }: Load): void {
    const range = { firstIndex, lastIndex, maxBytes: this.#parts.raftOptions.maxAppendBytes };
    this.#whenDone(this.#parts.storage.readEntries(range), (entries) => {
      this.#post({ kind: 'loaded', peer, entries });
    });
  }

  /** Hands what this member's callers want to the leader: its own core, or another member. */
  #supplyLeader(): void {
    const { leader, term } = this.#raft.status;
    if (leader === undefined || this.#retryTimer !== undefined) return;
    const isOwn = leader === this.#parts.id;
    while (this.#proposals.hasQueued) {
      const { requestId, payloads } = this.#proposals.takeBatch(this.#nextRequestId++, term);
      // Own requests go into the core under negative ids, those of other members under positive ones.
      if (isOwn) this.#events.push({ kind: 'propose', id: -requestId, term, proposals: commandProposals(payloads) });
      else if (!this.#forward(leader, { kind: 'forward-proposals', requestId, term, payloads })) return;
    }
    if (this.#reads.wantsAttempt) {
      const requestId = this.#nextRequestId++;
      this.#reads.beginAttempt(requestId, this.#parts.scheduler.now());
      if (isOwn) this.#events.push({ kind: 'read', id: -requestId });
      else this.#forward(leader, { kind: 'forward-read', requestId });
    }
  }

  /** Returns false if the message surely did not leave: then what it asked for waits for the next try. */
  #forward(leader: MemberId, message: Extract<PeerMessage, { requestId: number }>): boolean {
    const sent = this.#parts.transport.send(leader, message);
    if (!sent) this.#onRefused(message.requestId, 'not-leader');
    return sent;
  }

  #receive(from: MemberId, message: PeerMessage): void {
    switch (message.kind) {
      case 'forward-proposals':
      case 'forward-read': {
        const event = this.#forwards.admit(from, message);
        if (event !== undefined) this.#post(event);
        return;
      }
      case 'forward-read-index':
        this.#reads.onConfirmed(message.requestId, message.readIndex);
        this.#scheduleTurn();
        return;
      case 'forward-refused':
        this.#onRefused(message.requestId, message.reason);
        return;
      case 'append-entries':
      case 'append-entries-response':
      case 'request-vote':
      case 'request-vote-response':
      case 'timeout-now':
        this.#post({ kind: 'receive', from, message });
    }
  }

  #onOwnProposed(result: ProposeResult): void {
    if (result.accepted) this.#proposals.onAppended(-result.id);
    else this.#onRefused(-result.id, result.reason);
  }

  #onOwnRead(result: ReadResult): void {
    if (result.confirmed) this.#reads.onConfirmed(-result.id, result.readIndex);
    else this.#onRefused(-result.id, result.reason);
    if (this.#reads.wantsAttempt) this.#scheduleTurn();
  }

  /** What was asked of a leader was surely not done. It is asked again a little later, perhaps of another. */
  #onRefused(requestId: number, reason: 'not-leader' | 'overloaded'): void {
    if (!this.#proposals.onRefused(requestId, reason)) this.#reads.onFailed(requestId);
    this.#retryTimer ??= this.#parts.scheduler.after(this.#parts.nodeOptions.retryIntervalMs, () => {
      this.#retryTimer = undefined;
      this.#scheduleTurn();
    });
  }

  #post(event: Event): void {
    this.#events.push(event);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#turnIsScheduled || this.#phase !== 'running') return;
    this.#turnIsScheduled = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#runTurn();
    });
  }

  #armTickTimer(): void {
    const { scheduler } = this.#parts;
    const due = this.#raft.nextTickAt;
    if (this.#tickTimerAt <= due || this.#phase !== 'running') return;
    this.#tickTimer?.cancel();
    this.#tickTimerAt = due;
    this.#tickTimer = scheduler.after(Math.max(0, due - scheduler.now()), () => {
      this.#tickTimerAt = Infinity;
      this.#tickIsDue = true;
      this.#scheduleTurn();
    });
  }

  #armSweepTimer(): void {
    const { scheduler, nodeOptions } = this.#parts;
    this.#sweepTimer ??= scheduler.after(nodeOptions.sweepIntervalMs, () => {
      this.#sweepTimer = undefined;
      const { leader } = this.#raft.status;
      this.#proposals.sweep(scheduler.now(), leader);
      this.#reads.sweep(scheduler.now(), leader);
      if (this.#reads.wantsAttempt) this.#scheduleTurn();
      if (!this.#proposals.isIdle || !this.#reads.isIdle) this.#armSweepTimer();
    });
  }

  #cancelTimers(): void {
    this.#tickTimer?.cancel();
    this.#sweepTimer?.cancel();
    this.#retryTimer?.cancel();
  }

  /** Goes on when the storage has done its work, unless the node stopped meanwhile. Its failure is fatal. */
  #whenDone<T>(work: Promise<T>, goOn: (value: T) => void): void {
    work.then(
      (value) => {
        if (this.#phase === 'running') {
          this.#guard(() => {
            goOn(value);
          });
        }
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Stops at once and answers nobody: what the callers would be told could be wrong. */
  #fail(reason: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return;
    this.#phase = 'failed';
    this.#cancelTimers();
    this.#parts.onFatal(reason instanceof Error ? reason : new Error(String(reason)));
  }
}

function notRunning(): QuorateError {
  return new QuorateError('stopping', 'this member is not running');
}

/** A random number below 2^52, so that counting up from it stays a safe integer for ever. */
function randomStart(rng: Rng): number {
  return between(rng, 1, 2 ** 20 - 1) * 2 ** 32 + rng.nextUint32();
}
