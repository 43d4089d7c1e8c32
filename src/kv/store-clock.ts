/** Moves the store's own clock, while something in the store needs it. */
import { maxLeaseClockStepMs } from './command';
import { Errand, type ErrandParts } from './errand';
import type { StoreTask } from './leader-tasks';
import type { KvReader } from './result';

/** What the clock works with. */
export interface StoreClockParts extends ErrandParts {
  readonly reader: Pick<KvReader, 'leaseCount' | 'requestCount'>;
}

/**
 * How often the clock moves, milliseconds: often while there are leases, since a new leader grants them what the clock
 * has not counted; seldom for the ages of request ids.
 */
export const clockIntervalMs = { leases: 500, requests: 30_000 } as const;

/** Counts the time for which this member leads. Time that nobody counted makes leases live longer, never shorter. */
export class StoreClock implements StoreTask {
  readonly #parts: StoreClockParts;
  readonly #errand: Errand;
  #countedUntil = 0;

  constructor(parts: StoreClockParts) {
    this.#parts = parts;
    this.#errand = new Errand(parts);
  }

  begin(_term: number, now: number): void {
    this.#countedUntil = now;
  }

  lead(term: number, now: number): void {
    if (this.#errand.isOut) return;
    const { leaseCount, requestCount } = this.#parts.reader;
    if (leaseCount === 0 && requestCount === 0) {
      this.#countedUntil = now;
      return;
    }
    const elapsedMs = Math.floor(now - this.#countedUntil);
    if (elapsedMs < (leaseCount > 0 ? clockIntervalMs.leases : clockIntervalMs.requests)) return;
    this.#countedUntil += elapsedMs;
    const stepMs = leaseCount > 0 ? Math.min(elapsedMs, maxLeaseClockStepMs) : elapsedMs;
    this.#errand.send({ kind: 'advance-clock', term, elapsedMs: stepMs });
  }
}
