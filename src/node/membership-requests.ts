/** What this member's callers wish about the members, from the call to the answer, wherever the leader is. */
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import type { CallContext } from './call';
import type { DeskAnswer } from './membership-desk';
import type { Wish } from './membership-plan';
import type { NodeOptions } from './options';

interface Pending {
  readonly wish: Wish;
  readonly deadline: number;
  readonly answer: Deferred<number>;
  /** The attempt on its way; `undefined` while the wish is in nobody's hands. */
  requestId: number | undefined;
}

/** A wish on its way to a leader. */
export interface OutgoingWish {
  readonly requestId: number;
  readonly wish: Wish;
}

/** Keeps every wish until its caller has an answer. A wish is handed to a second leader only if the first refused it. */
export class MembershipRequests {
  readonly #options: NodeOptions;
  #pending: Pending[] = [];
  /** Done by the leader, and waiting for this member to have applied it. */
  #done: { readonly index: number; readonly answer: Deferred<number> }[] = [];

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** @returns the index since which it holds, once it is applied here */
  add(wish: Wish, call: CallContext): Promise<number> {
    const { maxWaitingChanges } = this.#options;
    if (this.#pending.length >= maxWaitingChanges) {
      const details = { limit: `${maxWaitingChanges} changes`, actual: String(this.#pending.length) };
      return Promise.reject(new QuorateError('overloaded', 'too many changes wait; nothing was done', { details }));
    }
    const answer = deferred<number>();
    this.#pending.push({ wish, deadline: call.deadline, answer, requestId: undefined });
    return answer.promise;
  }

  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#done.length === 0;
  }

  /** Takes the next wish that is in nobody's hands. */
  takeNext(requestId: number): OutgoingWish | undefined {
    const next = this.#pending.find((pending) => pending.requestId === undefined);
    if (next === undefined) return undefined;
    next.requestId = requestId;
    return { requestId, wish: next.wish };
  }

  /** Returns false if there is no such wish. */
  onAnswer(requestId: number, answer: DeskAnswer, appliedIndex: number): boolean {
    const pending = this.#pending.find((it) => it.requestId === requestId);
    if (pending === undefined) return false;
    if (answer.kind === 'not-leader') {
      pending.requestId = undefined;
      return true;
    }
    this.#pending = this.#pending.filter((it) => it !== pending);
    if (answer.kind === 'refused') pending.answer.reject(new QuorateError(answer.code, answer.message));
    else if (answer.kind === 'unknown') pending.answer.reject(outcomeUnknown());
    else this.#done.push({ index: answer.index, answer: pending.answer });
    this.onApplied(appliedIndex);
    return true;
  }

  /** Everything up to `index` is applied here. */
  onApplied(index: number): void {
    if (this.#done.length === 0) return;
    for (const done of this.#done) if (done.index <= index) done.answer.resolve(done.index);
    this.#done = this.#done.filter((done) => done.index > index);
  }

  /** Answers whose deadline has passed. */
  sweep(now: number, leader: MemberId | undefined): void {
    for (const { deadline, answer, requestId } of this.#pending) {
      if (deadline <= now) answer.reject(requestId === undefined ? notAsked(leader) : outcomeUnknown());
    }
    this.#pending = this.#pending.filter(({ deadline }) => deadline > now);
  }

  /** This member stops. */
  stop(): void {
    for (const { answer, requestId } of this.#pending) {
      const stopping = new QuorateError('stopping', 'this member is shutting down; nothing was done');
      answer.reject(requestId === undefined ? stopping : outcomeUnknown());
    }
    for (const { index, answer } of this.#done) answer.resolve(index);
    this.#pending = [];
    this.#done = [];
  }
}

function notAsked(leader: MemberId | undefined): QuorateError {
  const details = { retryAfterMs: 500, ...(leader === undefined ? {} : { leaderId: leader }) };
  return new QuorateError('no-leader', 'no leader took the change within the deadline; nothing was done', { details });
}

function outcomeUnknown(): QuorateError {
  const message = 'the change was handed to a leader but was not confirmed; list the members to see what became of it';
  return new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
}
