/** What a store needs done again and again: in rounds, on every member, and some of it only where the leader is. */
import type { Scheduler, Timer } from '../base/clock';

/** One duty. Its methods return at once; whatever takes longer, it has going by itself. */
export interface StoreTask {
  /** Every round, on every member. @param now of the member's own clock, as everywhere here */
  look?(now: number): void;
  /** Once for each term in which this member leads, before the first `lead` of it. */
  begin?(term: number, now: number): void;
  /**
   * Every round while this member leads and has applied an entry of its term, so that it knows everything that was ever
   * acknowledged. It may have been deposed without knowing: whatever it proposes must name the term, or do no harm.
   */
  lead?(term: number, now: number): void;
}

/** What the rounds work with. */
export interface LeaderTasksParts {
  readonly scheduler: Scheduler;
  readonly tasks: readonly StoreTask[];
  /** The term in which this member leads, once it has applied an entry of that term; otherwise `undefined`. */
  leadingTerm(): number | undefined;
}

/** How often a round is made, milliseconds: a lease may expire so much late. */
export const roundIntervalMs = 100;

/** Makes the rounds, from `start` to `stop`. */
export class LeaderTasks {
  readonly #parts: LeaderTasksParts;
  #timer: Timer | undefined;
  #term: number | undefined;

  constructor(parts: LeaderTasksParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.scheduler.after(roundIntervalMs, () => {
      this.#round();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #round(): void {
    const { scheduler, tasks } = this.#parts;
    const now = scheduler.now();
    for (const task of tasks) task.look?.(now);
    const term = this.#parts.leadingTerm();
    const isNew = term !== this.#term;
    this.#term = term;
    if (term === undefined) return;
    if (isNew) for (const task of tasks) task.begin?.(term, now);
    for (const task of tasks) task.lead?.(term, now);
  }
}
