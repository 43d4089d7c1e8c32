/** This member's own callers: their commands, reads and changes are handed to the leader, wherever it is, until answered. */
import type { Scheduler, Timer } from '../base/clock';
import { between, type Rng } from '../base/rng';
import type { Entry, LogPosition, MemberId, ProposeResult, ReadResult, StateMachine } from '../raft';
import type { PeerMessage, Transport } from '../transport/transport';
import type { CallContext } from './call';
import type { CommandGroups } from './command-groups';
import type { Driver } from './driver';
import { commandProposals } from './forward-desk';
import { Gathering } from './gathering';
import type { Membership } from './membership';
import type { NodeOptions } from './options';
import { Proposals } from './proposals';
import { Reads } from './reads';

/** What the callers are served with. */
export interface CallersParts<Result> {
  readonly id: MemberId;
  readonly options: NodeOptions;
  readonly transport: Transport;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly stateMachine: Pick<StateMachine<Result>, 'appliedIndex' | 'appliedTerm'>;
  readonly driver: Pick<Driver<Result>, 'post' | 'scheduleTurn' | 'status' | 'supplyAtOnce'>;
  readonly membership: Pick<Membership, 'supplyLeader' | 'onNotTaken' | 'sweep' | 'isIdle'>;
  readonly groups: CommandGroups<Result> | undefined;
}

/** Gathers what waits, hands it to the leader, tries again what was surely not taken, watches deadlines. */
export class Callers<Result> {
  readonly #parts: CallersParts<Result>;
  readonly #proposals: Proposals<Result>;
  readonly #reads: Reads;
  readonly #gathering: Gathering;
  #sweepTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #nextRequestId: number;

  constructor(parts: CallersParts<Result>) {
    const { id, options, rng, scheduler, driver, stateMachine, groups } = parts;
    const { appliedIndex, appliedTerm } = stateMachine;
    this.#parts = parts;
    // Numbers must differ from those of earlier lives, whose entries and answers may still be on their way.
    this.#proposals = new Proposals({ origin: id, firstNumber: randomStart(rng), appliedTerm, options, groups });
    this.#nextRequestId = randomStart(rng);
    this.#reads = new Reads(options, appliedIndex);
    this.#gathering = new Gathering({
      scheduler,
      maxMs: options.maxGatherMs,
      scheduleTurn: () => {
        driver.scheduleTurn();
      },
    });
  }

  /** See `Proposer.propose`. */
  propose(command: Uint8Array, call: CallContext): Promise<Result> {
    const result = this.#proposals.add(command, call);
    this.wake();
    if (this.#gathering.isEnough(this.#proposals)) this.#parts.driver.supplyAtOnce();
    return result;
  }

  /** See `Proposer.readBarrier`. */
  readBarrier(call: CallContext): Promise<void> {
    const confirmed = this.#reads.add(call);
    this.wake();
    return confirmed;
  }

  /** Something waits: it is handed over in the next turn, and its deadline is watched. */
  wake(): void {
    this.#parts.driver.scheduleTurn();
    this.#armSweepTimer();
  }

  /** Hands what waits to the leader: this member's own core, or another member. Before each turn. */
  supplyLeader(): void {
    const { driver, membership } = this.#parts;
    const leader = this.#leaderToAsk;
    if (leader === undefined) return;
    if (this.#proposals.hasQueued && this.#gathering.isDue(this.#proposals.gathered)) {
      if (!this.#supplyProposals(leader, driver.status.term)) return;
    }
    membership.supplyLeader(leader, () => this.#nextRequestId++);
    this.#supplyReads(leader);
  }

  /** After each turn. */
  onTurnEnded(): void {
    if (this.#gathering.takesTurn()) this.#parts.driver.scheduleTurn();
  }

  onEntryApplied(entry: Entry, result: Result | undefined): void {
    this.#proposals.onApplied(entry, result);
  }

  onApplied(appliedIndex: number): void {
    this.#reads.onApplied(appliedIndex);
    if (this.#proposals.hasQueued) this.#parts.driver.scheduleTurn();
  }

  onInstalled({ term }: LogPosition): void {
    this.#proposals.onInstalled(term);
  }

  /** The own core answers a batch; `id` as it was posted. */
  onProposed(result: ProposeResult): void {
    if (result.accepted) this.#proposals.onAppended(-result.id);
    else this.onRefused(-result.id, result.reason);
  }

  /** The own core answers a read. */
  onRead(result: ReadResult): void {
    if (result.confirmed) this.onReadConfirmed(-result.id, result.readIndex);
    else this.onRefused(-result.id, result.reason);
  }

  /**
   * The leader confirmed a read. Another member is asked at once for those that came meanwhile: the question would leave a whole turn
   * of the event loop later. The leader itself gathers until the turn ends: a round of heartbeats is dearer (ADR 22).
   */
  onReadConfirmed(requestId: number, readIndex: number): void {
    this.#reads.onConfirmed(requestId, readIndex);
    if (!this.#reads.wantsAttempt) return;
    const { driver, id } = this.#parts;
    const leader = this.#leaderToAsk;
    if (leader === undefined || leader === id) driver.scheduleTurn();
    else this.#supplyReads(leader);
  }

  /** What was asked of a leader was surely not done. It is asked again a little later, perhaps of another. */
  onRefused(requestId: number, reason: 'not-leader' | 'overloaded'): void {
    const isKnown = this.#proposals.onRefused(requestId, reason) || this.#parts.membership.onNotTaken(requestId);
    if (!isKnown) this.#reads.onFailed(requestId);
    this.retryLater();
  }

  /** Nothing is handed to a leader for a moment. */
  retryLater(): void {
    const { scheduler, options, driver } = this.#parts;
    this.#retryTimer ??= scheduler.after(options.retryIntervalMs, () => {
      this.#retryTimer = undefined;
      driver.scheduleTurn();
    });
  }

  /** Tells waiting callers what is known. */
  stop(): void {
    this.halt();
    this.#proposals.stop();
    this.#reads.stop();
  }

  /** Answers nobody any more. */
  halt(): void {
    this.#sweepTimer?.cancel();
    this.#retryTimer?.cancel();
    this.#gathering.stop();
  }

  /** The leader, unless nothing is handed to one for a moment. */
  get #leaderToAsk(): MemberId | undefined {
    return this.#retryTimer === undefined ? this.#parts.driver.status.leader : undefined;
  }

  /** Hands over all of them; returns false if some surely did not leave. */
  #supplyProposals(leader: MemberId, term: number): boolean {
    const { driver, id } = this.#parts;
    while (this.#proposals.hasQueued) {
      const { requestId, payloads } = this.#proposals.takeBatch(this.#nextRequestId++, term);
      // Own requests go into the core under negative ids, those of other members under positive ones.
      if (leader === id) driver.post({ kind: 'propose', id: -requestId, term, proposals: commandProposals(payloads) });
      else if (!this.#forward(leader, { kind: 'forward-proposals', requestId, term, payloads })) return false;
    }
    return true;
  }

  /** One question for all that wait, after the answer to the one before. */
  #supplyReads(leader: MemberId): void {
    if (!this.#reads.wantsAttempt) return;
    const { driver, id, scheduler } = this.#parts;
    const requestId = this.#nextRequestId++;
    this.#reads.beginAttempt(requestId, scheduler.now());
    if (leader === id) driver.post({ kind: 'read', id: -requestId });
    else this.#forward(leader, { kind: 'forward-read', requestId });
  }

  /** Returns false if the message surely did not leave: then what it asked for waits for the next try. */
  #forward(leader: MemberId, message: Extract<PeerMessage, { requestId: number }>): boolean {
    const sent = this.#parts.transport.send(leader, message);
    if (!sent) this.onRefused(message.requestId, 'not-leader');
    return sent;
  }

  #armSweepTimer(): void {
    const { scheduler, options, driver, membership } = this.#parts;
    this.#sweepTimer ??= scheduler.after(options.sweepIntervalMs, () => {
      this.#sweepTimer = undefined;
      const { leader } = driver.status;
      for (const waiting of [this.#proposals, this.#reads, membership]) waiting.sweep(scheduler.now(), leader);
      if (this.#reads.wantsAttempt) driver.scheduleTurn();
      if (!this.#proposals.isIdle || !this.#reads.isIdle || !membership.isIdle) this.#armSweepTimer();
    });
  }
}

/** A random number below 2^52, so that counting up from it stays a safe integer for ever. */
function randomStart(rng: Rng): number {
  return between(rng, 1, 2 ** 20 - 1) * 2 ** 32 + rng.nextUint32();
}
