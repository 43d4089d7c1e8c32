/** The commands of this member's callers, from the call to the answer, wherever the leader is. */
import { assert, required } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { Entry, MemberId } from '../raft';
import type { CallContext } from './call';
import type { NodeOptions } from './options';
import { decodeProposalId, encodeProposal } from './proposal-codec';

interface Proposal<Result> {
  readonly number: number;
  readonly payload: Uint8Array;
  readonly deadline: number;
  readonly answer: Deferred<Result>;
  /**
   * `undefined`: surely in no log that counts, and queued. Otherwise the term of the leader it was handed to, which
   * appends it in that term or never. Entries of a term stand before those of every later one, so once an entry of a
   * later term is applied and this one was not, it never will be.
   */
  sentInTerm: number | undefined;
}

/** What was handed to the leader of `term` together. */
interface SentBatch<Result> {
  readonly term: number;
  readonly proposals: readonly Proposal<Result>[];
}

/** A batch on its way to a leader. */
export interface OutgoingBatch {
  readonly requestId: number;
  /** The leader's term. */
  readonly term: number;
  readonly payloads: readonly Uint8Array[];
}

/** Keeps every proposal until its caller has an answer. Makes no decision of its own about time: the node calls `sweep`. */
export class Proposals<Result> {
  readonly #origin: MemberId;
  readonly #options: NodeOptions;
  #nextNumber: number;
  /** Everything not yet answered, by number. */
  readonly #waiting = new Map<number, Proposal<Result>>();
  #waitingBytes = 0;
  #queue: Proposal<Result>[] = [];
  /** Batches that may still be refused. */
  readonly #sent = new Map<number, SentBatch<Result>>();
  /** Term of the last entry applied. */
  #appliedTerm: number;

  constructor(start: {
    readonly origin: MemberId;
    readonly firstNumber: number;
    readonly appliedTerm: number;
    readonly options: NodeOptions;
  }) {
    this.#origin = start.origin;
    this.#nextNumber = start.firstNumber;
    this.#appliedTerm = start.appliedTerm;
    this.#options = start.options;
  }

  /** Takes a command; see `Proposer.propose`. */
  add(command: Uint8Array, call: CallContext): Promise<Result> {
    const { maxWaitingProposals, maxWaitingBytes } = this.#options;
    if (this.#waiting.size >= maxWaitingProposals) {
      return Promise.reject(overloaded(`${maxWaitingProposals} proposals`, this.#waiting.size));
    }
    if (this.#waitingBytes > 0 && this.#waitingBytes + command.length > maxWaitingBytes) {
      return Promise.reject(overloaded(`${maxWaitingBytes} bytes of proposals`, this.#waitingBytes + command.length));
    }
    const number = this.#nextNumber++;
    const payload = encodeProposal({ origin: this.#origin, number }, command);
    const answer = deferred<Result>();
    const { deadline } = call;
    const proposal: Proposal<Result> = { number, payload, deadline, answer, sentInTerm: undefined };
    this.#waiting.set(number, proposal);
    this.#waitingBytes += payload.length;
    this.#queue.push(proposal);
    return answer.promise;
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0;
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  /** Takes queued proposals, at most `maxBytes` of them (at least one), as a batch for the leader of `term`. */
  takeBatch(requestId: number, term: number): OutgoingBatch {
    assert(this.hasQueued, 'a batch holds at least one proposal');
    let bytes = 0;
    let count = 0;
    for (const { payload } of this.#queue) {
      bytes += payload.length;
      if (bytes > this.#options.maxForwardBytes && count > 0) break;
      count++;
    }
    const batch = this.#queue.splice(0, count);
    for (const proposal of batch) proposal.sentInTerm = term;
    this.#sent.set(requestId, { term, proposals: batch });
    return { requestId, term, payloads: batch.map(({ payload }) => payload) };
  }

  /** The batch is in the leader's log. */
  onAppended(requestId: number): void {
    this.#sent.delete(requestId);
  }

  /** The batch surely is in no log. Returns false if there is no such batch. */
  onRefused(requestId: number, reason: 'not-leader' | 'overloaded'): boolean {
    const batch = this.#sent.get(requestId);
    if (batch === undefined) return false;
    this.#sent.delete(requestId);
    // A late answer says nothing of proposals that have meanwhile been handed to a later leader.
    const open = batch.proposals.filter((it) => this.#waiting.has(it.number) && it.sentInTerm === batch.term);
    if (reason === 'not-leader') this.#requeue(open);
    else for (const proposal of open) this.#reject(proposal, overloaded('the uncommitted bytes of the leader'));
    return true;
  }

  /** An entry was applied here. `result` is what the state machine gave for it, if it is a command. */
  onApplied(entry: Entry, result: Result | undefined): void {
    if (this.#waiting.size > 0 && entry.kind === 'command') {
      const id = decodeProposalId(entry.payload);
      const applied = id.origin === this.#origin ? this.#waiting.get(id.number) : undefined;
      if (applied !== undefined) {
        this.#forget(applied);
        applied.answer.resolve(required(result, 'a command has a result'));
      }
    }
    if (entry.term === this.#appliedTerm) return;
    this.#appliedTerm = entry.term;
    this.#requeueLost();
  }

  /** Answers whose deadline has passed. */
  sweep(now: number, leader: MemberId | undefined): void {
    for (const proposal of this.#waiting.values()) {
      if (proposal.deadline > now) continue;
      this.#reject(proposal, proposal.sentInTerm === undefined ? notProposed(leader) : outcomeUnknown('in time'));
    }
    this.#queue = this.#queue.filter(({ number }) => this.#waiting.has(number));
    for (const [requestId, batch] of this.#sent) {
      const isOpen = batch.proposals.some((it) => this.#waiting.has(it.number) && it.sentInTerm === batch.term);
      if (!isOpen) this.#sent.delete(requestId);
    }
  }

  /** The state was replaced by a later one: whether it includes what leaders were handed, nobody here can say. */
  onInstalled(lastTerm: number): void {
    for (const proposal of this.#waiting.values()) {
      if (proposal.sentInTerm !== undefined)
        this.#reject(proposal, outcomeUnknown('before a snapshot replaced the log'));
    }
    this.#sent.clear();
    this.#appliedTerm = lastTerm;
  }

  /** This member stops: whoever still waits is told what is known. */
  stop(): void {
    for (const proposal of this.#waiting.values()) {
      const queued = new QuorateError('stopping', 'this member is shutting down; nothing was written');
      this.#reject(
        proposal,
        proposal.sentInTerm === undefined ? queued : outcomeUnknown('before this member shut down'),
      );
    }
    this.#queue = [];
    this.#sent.clear();
  }

  /** What was handed to leaders of earlier terms and was not applied before this term began is lost for good. */
  #requeueLost(): void {
    const lost = [...this.#waiting.values()].filter(
      ({ sentInTerm }) => sentInTerm !== undefined && sentInTerm < this.#appliedTerm,
    );
    this.#requeue(lost);
  }

  /** Surely in no log that counts: it may be proposed again within its deadline, without a risk of being done twice. */
  #requeue(proposals: readonly Proposal<Result>[]): void {
    for (const proposal of proposals) proposal.sentInTerm = undefined;
    this.#queue.unshift(...proposals);
  }

  #reject(proposal: Proposal<Result>, error: QuorateError): void {
    this.#forget(proposal);
    proposal.answer.reject(error);
  }

  #forget(proposal: Proposal<Result>): void {
    this.#waiting.delete(proposal.number);
    this.#waitingBytes -= proposal.payload.length;
  }
}

function overloaded(limit: string, actual?: number): QuorateError {
  const details = actual === undefined ? { limit } : { limit, actual: String(actual) };
  return new QuorateError('overloaded', `too much is in flight: the limit is ${limit}; nothing was written`, {
    details: { ...details, retryAfterMs: 100 },
  });
}

function notProposed(leader: MemberId | undefined): QuorateError {
  const why = leader === undefined ? 'no leader was found' : 'the leader could not be reached';
  return new QuorateError('no-leader', `${why} within the deadline; nothing was written`, {
    details: leader === undefined ? { retryAfterMs: 500 } : { leaderId: leader, retryAfterMs: 500 },
  });
}

function outcomeUnknown(when: string): QuorateError {
  const message = `the mutation was handed to a leader but was not confirmed ${when}; it may or may not take effect`;
  return new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
}
