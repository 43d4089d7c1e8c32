/** One member at work: the driver with its callers, and with what other members ask of it. */
import type { Scheduler, Timer } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { between, type Rng } from '../base/rng';
import type { MemberId, ProposeResult, RaftOptions, ReadResult, StateMachine, Update } from '../raft';
import type { Storage } from '../storage/storage';
import type { PeerMessage, Transport } from '../transport/transport';
import type { CallContext, Proposer } from './call';
import { Driver, type TurnListener } from './driver';
import { commandProposals, ForwardDesk } from './forward-desk';
import type { NodeOptions } from './options';
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
  readonly #driver: Driver<Result>;
  readonly #proposals: Proposals<Result>;
  readonly #reads: Reads;
  readonly #forwards: ForwardDesk;
  #sweepTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #nextRequestId: number;

  constructor(parts: NodeParts<Result>) {
    const { id, stateMachine, rng, nodeOptions } = parts;
    this.#parts = parts;
    const onFatal = (error: Error): void => {
      this.#cancelTimers();
      parts.onFatal(error);
    };
    const listener: TurnListener<Result> = {
      beforeTurn: () => {
        this.#supplyLeader();
      },
      onEntryApplied: (entry, result) => {
        this.#proposals.onApplied(entry, result);
      },
      onApplied: (appliedIndex) => {
        this.#reads.onApplied(appliedIndex);
        if (this.#proposals.hasQueued) this.#driver.scheduleTurn();
      },
      onUpdate: (update) => {
        this.#answer(update);
      },
    };
    this.#driver = new Driver({ ...parts, maxApplyBytes: nodeOptions.maxApplyBytes, onFatal }, listener);
    // Numbers must differ from those of earlier lives, whose entries and answers may still be on their way.
    const appliedTerm = stateMachine.appliedTerm;
    this.#proposals = new Proposals({ origin: id, firstNumber: randomStart(rng), appliedTerm, options: nodeOptions });
    this.#nextRequestId = randomStart(rng);
    this.#reads = new Reads(nodeOptions, stateMachine.appliedIndex);
    this.#forwards = new ForwardDesk(parts.transport);
  }

  /** Joins the cluster: listens to peers, and campaigns when it hears of no leader. */
  async start(): Promise<void> {
    this.#driver.start();
    await this.#parts.transport.start({
      receive: (from, message) => {
        this.#receive(from, message);
      },
      unreachable: (peer) => {
        this.#driver.post({ kind: 'unreachable', peer });
      },
      acceptSnapshot: () => Promise.reject(new QuorateError('overloaded', 'this member takes no snapshots')),
    });
  }

  /** Leaves without a word to the others, tells waiting callers what is known. Storage and state machine stay open. */
  async stop(): Promise<void> {
    if (this.#driver.stop()) {
      this.#cancelTimers();
      this.#proposals.stop();
      this.#reads.stop();
    }
    await this.#parts.transport.stop();
  }

  propose(command: Uint8Array, call: CallContext): Promise<Result> {
    if (!this.#driver.isRunning) return Promise.reject(notRunning());
    const result = this.#proposals.add(command, call);
    this.#driver.scheduleTurn();
    this.#armSweepTimer();
    return result;
  }

  readBarrier(call: CallContext): Promise<void> {
    if (!this.#driver.isRunning) return Promise.reject(notRunning());
    const confirmed = this.#reads.add(call);
    this.#driver.scheduleTurn();
    this.#armSweepTimer();
    return confirmed;
  }

  status(): NodeStatus {
    const { role, term, leader, commitIndex, firstIndex, lastIndex, durableIndex } = this.#driver.status;
    return {
      role,
      term,
      leader,
      commitIndex,
      appliedIndex: this.#driver.appliedIndex,
      firstLogIndex: firstIndex,
      lastLogIndex: lastIndex,
      durableLogIndex: durableIndex,
      hasQuorum: this.#driver.hasQuorum,
      peers: [],
    };
  }

  /** Hands what this member's callers want to the leader: its own core, or another member. */
  #supplyLeader(): void {
    const { leader, term } = this.#driver.status;
    if (leader === undefined || this.#retryTimer !== undefined) return;
    const isOwn = leader === this.#parts.id;
    while (this.#proposals.hasQueued) {
      const { requestId, payloads } = this.#proposals.takeBatch(this.#nextRequestId++, term);
      // Own requests go into the core under negative ids, those of other members under positive ones.
      if (isOwn) this.#driver.post({ kind: 'propose', id: -requestId, term, proposals: commandProposals(payloads) });
      else if (!this.#forward(leader, { kind: 'forward-proposals', requestId, term, payloads })) return;
    }
    if (this.#reads.wantsAttempt) {
      const requestId = this.#nextRequestId++;
      this.#reads.beginAttempt(requestId, this.#parts.scheduler.now());
      if (isOwn) this.#driver.post({ kind: 'read', id: -requestId });
      else this.#forward(leader, { kind: 'forward-read', requestId });
    }
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
    if (update.change !== undefined) this.#announce(update.change);
  }

  #announce({ role, term, leader }: NonNullable<Update['change']>): void {
    this.#parts.logger.info({ role, term, leader }, 'role, term or leader changed');
    // Whoever waits for a leader may have one now.
    this.#driver.scheduleTurn();
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
        if (event !== undefined) this.#driver.post(event);
        return;
      }
      case 'forward-read-index':
        this.#reads.onConfirmed(message.requestId, message.readIndex);
        this.#driver.scheduleTurn();
        return;
      case 'forward-refused':
        this.#onRefused(message.requestId, message.reason);
        return;
      case 'forward-change':
      case 'forward-change-result':
        return; // No member of this version asks for a change.
      case 'append-entries':
      case 'append-entries-response':
      case 'request-vote':
      case 'request-vote-response':
      case 'timeout-now':
      case 'install-snapshot':
      case 'install-snapshot-response':
        this.#driver.post({ kind: 'receive', from, message });
    }
  }

  #onOwnProposed(result: ProposeResult): void {
    if (result.accepted) this.#proposals.onAppended(-result.id);
    else this.#onRefused(-result.id, result.reason);
  }

  #onOwnRead(result: ReadResult): void {
    if (result.confirmed) this.#reads.onConfirmed(-result.id, result.readIndex);
    else this.#onRefused(-result.id, result.reason);
    if (this.#reads.wantsAttempt) this.#driver.scheduleTurn();
  }

  /** What was asked of a leader was surely not done. It is asked again a little later, perhaps of another. */
  #onRefused(requestId: number, reason: 'not-leader' | 'overloaded'): void {
    if (!this.#proposals.onRefused(requestId, reason)) this.#reads.onFailed(requestId);
    this.#retryTimer ??= this.#parts.scheduler.after(this.#parts.nodeOptions.retryIntervalMs, () => {
      this.#retryTimer = undefined;
      this.#driver.scheduleTurn();
    });
  }

  #armSweepTimer(): void {
    const { scheduler, nodeOptions } = this.#parts;
    this.#sweepTimer ??= scheduler.after(nodeOptions.sweepIntervalMs, () => {
      this.#sweepTimer = undefined;
      const { leader } = this.#driver.status;
      this.#proposals.sweep(scheduler.now(), leader);
      this.#reads.sweep(scheduler.now(), leader);
      if (this.#reads.wantsAttempt) this.#driver.scheduleTurn();
      if (!this.#proposals.isIdle || !this.#reads.isIdle) this.#armSweepTimer();
    });
  }

  #cancelTimers(): void {
    this.#sweepTimer?.cancel();
    this.#retryTimer?.cancel();
  }
}

function notRunning(): QuorateError {
  return new QuorateError('stopping', 'this member is not running');
}

/** A random number below 2^52, so that counting up from it stays a safe integer for ever. */
function randomStart(rng: Rng): number {
  return between(rng, 1, 2 ** 20 - 1) * 2 ** 32 + rng.nextUint32();
}
