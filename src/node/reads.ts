/** Read barriers of this member's callers: an index confirmed by the leader, then the wait until it is applied here. */
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import type { CallContext } from './call';
import type { NodeOptions } from './options';

interface Barrier {
  readonly deadline: number;
  readonly answer: Deferred<void>;
  done: boolean;
}

/** One question to the leader, for all barriers that waited when it was asked. */
interface Attempt {
  readonly id: number;
  readonly askedAt: number;
  readonly barriers: readonly Barrier[];
}

/** Barriers with a confirmed index that is not yet applied. */
interface Confirmed {
  readonly readIndex: number;
  readonly barriers: readonly Barrier[];
}

/**
 * Batches barriers: one attempt on its way, the next gathering (thesis §6.4). Each attempt has a fresh id, so that a late
 * answer to an old one is never taken for the new (invariant K3).
 */
export class Reads {
  readonly #options: NodeOptions;
  #gathering: Barrier[] = [];
  #attempt: Attempt | undefined;
  #confirmed: Confirmed[] = [];
  #open = 0;
  #appliedIndex: number;

  constructor(options: NodeOptions, appliedIndex: number) {
    this.#options = options;
    this.#appliedIndex = appliedIndex;
  }

  /** See `Proposer.readBarrier`. */
  add(call: CallContext): Promise<void> {
    const { maxWaitingReads } = this.#options;
    if (this.#open >= maxWaitingReads) {
      const details = { limit: `${maxWaitingReads} waiting reads`, actual: String(this.#open), retryAfterMs: 100 };
      return Promise.reject(new QuorateError('overloaded', 'too many reads wait for confirmation', { details }));
    }
    const barrier: Barrier = { deadline: call.deadline, answer: deferred<void>(), done: false };
    this.#gathering.push(barrier);
    this.#open++;
    return barrier.answer.promise;
  }

  get wantsAttempt(): boolean {
    return this.#gathering.length > 0 && this.#attempt === undefined;
  }

  get isIdle(): boolean {
    return this.#open === 0;
  }

  /** Begins an attempt, under a fresh id, for everything that waits. */
  beginAttempt(id: number, now: number): void {
    assert(this.wantsAttempt, 'an attempt begins for somebody, after the one before');
    this.#attempt = { id, askedAt: now, barriers: this.#gathering };
    this.#gathering = [];
  }

  /** The leader confirmed an attempt. An answer to any other than the present one is ignored. */
  onConfirmed(id: number, readIndex: number): void {
    if (this.#attempt?.id !== id) return;
    this.#confirmed.push({ readIndex, barriers: this.#attempt.barriers });
    this.#attempt = undefined;
    this.onApplied(this.#appliedIndex);
  }

  /** The attempt failed or its answer is not awaited any longer: its barriers join the next one. */
  onFailed(id: number): void {
    if (this.#attempt?.id !== id) return;
    this.#gathering = [...this.#attempt.barriers, ...this.#gathering];
    this.#attempt = undefined;
  }

  /** Everything up to `index` is applied here. */
  onApplied(index: number): void {
    this.#appliedIndex = index;
    if (this.#confirmed.length === 0) return;
    const still: Confirmed[] = [];
    for (const confirmed of this.#confirmed) {
      if (confirmed.readIndex > index) still.push(confirmed);
      else for (const barrier of confirmed.barriers) this.#settle(barrier, undefined);
    }
    this.#confirmed = still;
  }

  /** Gives up attempts that take too long, and barriers whose deadline has passed. */
  sweep(now: number, leader: MemberId | undefined): void {
    if (this.#attempt !== undefined && now - this.#attempt.askedAt >= this.#options.readAttemptMs) {
      this.onFailed(this.#attempt.id);
    }
    for (const barrier of this.#all()) {
      if (barrier.deadline <= now) this.#settle(barrier, notConfirmed(leader));
    }
    this.#gathering = this.#gathering.filter(({ done }) => !done);
  }

  stop(): void {
    const error = new QuorateError('stopping', 'this member is shutting down');
    for (const barrier of this.#all()) this.#settle(barrier, error);
    this.#gathering = [];
    this.#attempt = undefined;
    this.#confirmed = [];
  }

  #all(): readonly Barrier[] {
    const confirmed = this.#confirmed.flatMap(({ barriers }) => barriers);
    return [...this.#gathering, ...(this.#attempt?.barriers ?? []), ...confirmed];
  }

  #settle(barrier: Barrier, error: QuorateError | undefined): void {
    if (barrier.done) return;
    barrier.done = true;
    this.#open--;
    if (error === undefined) barrier.answer.resolve();
    else barrier.answer.reject(error);
  }
}

function notConfirmed(leader: MemberId | undefined): QuorateError {
  if (leader === undefined) {
    const details = { retryAfterMs: 500 };
    return new QuorateError('no-leader', 'no leader was found within the deadline', { details });
  }
  const details = { leaderId: leader, retryAfterMs: 500 };
  return new QuorateError('no-quorum', 'no quorum confirmed the leader within the deadline', { details });
}
