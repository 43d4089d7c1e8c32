/** The commands of this member's callers, from the call to the answer, wherever the leader is. */
import { assert, required } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import { RenewingMap } from '../base/renewing-map';
import type { Entry, MemberId } from '../raft';
import type { CallContext } from './call';
import type { CommandGroups } from './command-groups';
import type { Gathered } from './gathering';
import type { NodeOptions } from './options';
import { decodeProposalId, encodeProposal, proposalOverheadBytes } from './proposal-codec';

interface Proposal<Result> {
  readonly number: number;
  readonly command: Uint8Array;
  readonly deadline: number;
  readonly answer: Deferred<Result>;
  /** The entry it was handed to a leader in. `undefined`: surely in no log that counts, and queued. */
  sent: SentEntry<Result> | undefined;
}

/** An entry as it was handed to a leader, under the number of the first of its proposals. */
interface SentEntry<Result> {
  /**
   * The leader's, which appends the entry in that term or never. Entries of a term stand before those of every later
   * one, so once an entry of a later term is applied and this one was not, it never will be.
   */
  readonly term: number;
  readonly number: number;
  readonly proposals: readonly Proposal<Result>[];
  /** Those of them that wait for this entry. */
  waiting: number;
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
  readonly #groups: CommandGroups<Result> | undefined;
  #nextNumber: number;
  /** Everything not yet answered, by number. */
  readonly #waiting = new RenewingMap<number, Proposal<Result>>();
  /** Entries that somebody waits for, by number. */
  readonly #entries = new RenewingMap<number, SentEntry<Result>>();
  #waitingBytes = 0;
  #queue: Proposal<Result>[] = [];
  /** Batches that may still be refused. */
  readonly #sent = new RenewingMap<number, SentBatch<Result>>();
  /** Term of the last entry applied. */
  #appliedTerm: number;

  constructor(start: {
    readonly origin: MemberId;
    readonly firstNumber: number;
    readonly appliedTerm: number;
    readonly options: NodeOptions;
    readonly groups: CommandGroups<Result> | undefined;
  }) {
    this.#origin = start.origin;
    this.#nextNumber = start.firstNumber;
    this.#appliedTerm = start.appliedTerm;
    this.#options = start.options;
    this.#groups = start.groups;
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
    const answer = deferred<Result>();
    const { deadline } = call;
    const proposal: Proposal<Result> = { number, command, deadline, answer, sent: undefined };
    this.#waiting.set(number, proposal);
    this.#waitingBytes += command.length;
    this.#queue.push(proposal);
    return answer.promise;
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Handed over, and not answered yet. */
  get underWay(): number {
    return this.#waiting.size - this.#queue.length;
  }

  /** What is queued, and what was handed over and waits for its answer. */
  get gathered(): Gathered {
    const { queued, underWay } = this;
    return { queued, isFull: this.#company(this.#queue, 0) < queued, underWay };
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  /** Takes queued proposals, at most `maxForwardBytes` of them (at least one), as a batch for the leader of `term`. */
  takeBatch(requestId: number, term: number): OutgoingBatch {
    assert(this.hasQueued, 'a batch holds at least one proposal');
    let bytes = 0;
    let count = 0;
    for (const { command } of this.#queue) {
      bytes += proposalOverheadBytes + command.length;
      if (bytes > this.#options.maxForwardBytes && count > 0) break;
      count++;
    }
    const proposals = this.#queue.splice(0, count);
    this.#sent.set(requestId, { term, proposals });
    const payloads: Uint8Array[] = [];
    for (let at = 0; at < count;) {
      const together = proposals.slice(at, at + this.#sharing(proposals, at));
      payloads.push(this.#enter(together, term));
      at += together.length;
    }
    return { requestId, term, payloads };
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
    const open = batch.proposals.filter((it) => this.#isIn(batch, it));
    if (reason === 'not-leader') this.#requeue(open);
    else for (const proposal of open) this.#reject(proposal, overloaded('the uncommitted bytes of the leader'));
    return true;
  }

  /** An entry was applied here. `result` is what the state machine gave for it, if it is a command. */
  onApplied(entry: Entry, result: Result | undefined): void {
    if (this.#waiting.size > 0 && entry.kind === 'command') {
      const id = decodeProposalId(entry.payload);
      const applied = id.origin === this.#origin ? this.#entries.get(id.number) : undefined;
      if (applied !== undefined) this.#answer(applied, required(result, 'a command has a result'));
    }
    if (entry.term === this.#appliedTerm) return;
    this.#appliedTerm = entry.term;
    this.#requeueLost();
  }

  /** Answers whose deadline has passed. */
  sweep(now: number, leader: MemberId | undefined): void {
    for (const proposal of this.#waiting.values()) {
      if (proposal.deadline > now) continue;
      this.#reject(proposal, proposal.sent === undefined ? notProposed(leader) : outcomeUnknown('in time'));
    }
    this.#queue = this.#queue.filter((it) => this.#waiting.has(it.number));
    this.#sent.forEach((batch, requestId) => {
      if (!batch.proposals.some((it) => this.#isIn(batch, it))) this.#sent.delete(requestId);
    });
  }

  /** The state was replaced by a later one: whether it includes what leaders were handed, nobody here can say. */
  onInstalled(lastTerm: number): void {
    for (const proposal of this.#waiting.values()) {
      if (proposal.sent !== undefined) this.#reject(proposal, outcomeUnknown('before a snapshot replaced the log'));
    }
    this.#sent.clear();
    this.#appliedTerm = lastTerm;
  }

  /** This member stops: whoever still waits is told what is known. */
  stop(): void {
    for (const proposal of this.#waiting.values()) {
      const queued = new QuorateError('stopping', 'this member is shutting down; nothing was written');
      this.#reject(proposal, proposal.sent === undefined ? queued : outcomeUnknown('before this member shut down'));
    }
    this.#queue = [];
    this.#sent.clear();
  }

  /** It still waits for what the batch was handed in for. */
  #isIn({ term }: SentBatch<Result>, { number, sent }: Proposal<Result>): boolean {
    return this.#waiting.has(number) && sent?.term === term;
  }

  /** How many of the proposals from `at` on share an entry: one, unless all of them can be taken apart again. */
  #sharing(proposals: readonly Proposal<Result>[], at: number): number {
    return Math.max(1, this.#company(proposals, at));
  }

  /** How many of the proposals from `at` on have room in an entry for several; none if the first is one for itself. */
  #company(proposals: readonly Proposal<Result>[], at: number): number {
    if (this.#groups === undefined) return 0;
    let bytes = 0;
    let end = at;
    for (; end < proposals.length; end++) {
      const { command } = required(proposals[end], 'it is one of them');
      bytes += command.length;
      if (bytes > this.#options.maxSharedEntryBytes || !this.#groups.mayShare(command)) break;
    }
    return end - at;
  }

  /** Makes the entry that these proposals share. */
  #enter(proposals: readonly Proposal<Result>[], term: number): Uint8Array {
    const first = required(proposals[0], 'an entry holds a proposal');
    const { number } = first;
    const sent: SentEntry<Result> = { term, number, proposals, waiting: proposals.length };
    this.#entries.set(number, sent);
    for (const proposal of proposals) proposal.sent = sent;
    const command =
      this.#groups === undefined || proposals.length === 1
        ? first.command
        : this.#groups.join(proposals.map((it) => it.command));
    return encodeProposal({ origin: this.#origin, number }, command);
  }

  #answer({ proposals }: SentEntry<Result>, result: Result): void {
    const results = this.#groups === undefined || proposals.length === 1 ? [result] : this.#groups.split(result);
    assert(results.length === proposals.length, 'every command of an entry has a result');
    proposals.forEach((proposal, at) => {
      if (!this.#waiting.has(proposal.number)) return;
      this.#forget(proposal);
      proposal.answer.resolve(required(results[at], 'every command of an entry has a result'));
    });
  }

  /** What was handed to leaders of earlier terms and was not applied before this term began is lost for good. */
  #requeueLost(): void {
    this.#requeue(this.#waiting.values().filter(({ sent }) => sent !== undefined && sent.term < this.#appliedTerm));
  }

  /** Surely in no log that counts: it may be proposed again within its deadline, without a risk of being done twice. */
  #requeue(proposals: readonly Proposal<Result>[]): void {
    for (const proposal of proposals) this.#leaveEntry(proposal);
    this.#queue.unshift(...proposals);
  }

  #reject(proposal: Proposal<Result>, error: QuorateError): void {
    this.#forget(proposal);
    proposal.answer.reject(error);
  }

  #forget(proposal: Proposal<Result>): void {
    this.#waiting.delete(proposal.number);
    this.#waitingBytes -= proposal.command.length;
    this.#leaveEntry(proposal);
  }

  /** It does not wait for its entry any more. */
  #leaveEntry(proposal: Proposal<Result>): void {
    const { sent } = proposal;
    if (sent === undefined) return;
    proposal.sent = undefined;
    sent.waiting--;
    if (sent.waiting === 0) this.#entries.delete(sent.number);
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
