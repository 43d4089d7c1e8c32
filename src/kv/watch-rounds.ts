/** When the readers of watches are called: round by round, a few in each turn of the event loop, with rests after long rounds. */
import { assert } from '../base/assert';
import type { Scheduler, Timer } from '../base/clock';

/** The pace of the calls. */
export interface WatchRoundsOptions {
  /** Most readers called in one turn of the event loop. */
  readonly maxCallsPerTurn: number;
  /** After a round of this many calls or more there is a rest. */
  readonly restAfterCalls: number;
  /** The longest rest; milliseconds. */
  readonly maxRestMs: number;
}

/** What rounds work with. */
export interface WatchRoundsParts<Reader> {
  readonly scheduler: Pick<Scheduler, 'now' | 'after' | 'atEndOfTurn'>;
  readonly options: WatchRoundsOptions;
  readonly call: (reader: Reader) => void;
}

/**
 * Those that are to be called. A round calls all that wait when it begins; who comes meanwhile waits for the next one. After
 * a long round comes a rest as long as the round took: a message to a reader costs some 15 µs, another event in it less than
 * one, so that what gathers during a rest leaves in one message, and half of the time is left for the writes that make
 * events. With few readers, or when nothing happened for a while, nobody waits.
 */
export class WatchRounds<Reader> {
  readonly #parts: WatchRoundsParts<Reader>;
  /** To be called in this round. */
  #current = new Set<Reader>();
  /** To be called in the next round. */
  #next = new Set<Reader>();
  #isTurnScheduled = false;
  /** Set while readers wait for the end of a rest. */
  #rest: Timer | undefined;
  #restsUntil = -Infinity;
  #startedAt = 0;
  #calls = 0;

  constructor(parts: WatchRoundsParts<Reader>) {
    this.#parts = parts;
  }

  /** The reader will be called once, unless it is removed before. It may have been added already. */
  add(reader: Reader): void {
    if (this.#current.has(reader)) return;
    this.#next.add(reader);
    this.#schedule();
  }

  /** Forgets a reader, if it is there. */
  remove(reader: Reader): void {
    this.#current.delete(reader);
    this.#next.delete(reader);
  }

  /** Ends the rest: nothing is gained by it any more. */
  hurry(): void {
    this.#restsUntil = -Infinity;
    if (this.#rest === undefined) return;
    this.#rest.cancel();
    this.#rest = undefined;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isTurnScheduled || this.#rest !== undefined) return;
    const { scheduler } = this.#parts;
    const restMs = this.#restsUntil - scheduler.now();
    if (restMs > 0) {
      this.#rest = scheduler.after(restMs, () => {
        this.hurry();
      });
      return;
    }
    this.#isTurnScheduled = true;
    scheduler.atEndOfTurn(() => {
      this.#turn();
    });
  }

  #turn(): void {
    this.#isTurnScheduled = false;
    if (this.#current.size === 0) this.#begin();
    let calls = 0;
    for (const reader of this.#current) {
      if (calls === this.#parts.options.maxCallsPerTurn) break;
      calls++;
      this.#current.delete(reader);
      this.#parts.call(reader);
    }
    this.#calls += calls;
    if (this.#current.size === 0) this.#end();
    if (this.#current.size > 0 || this.#next.size > 0) this.#schedule();
  }

  #begin(): void {
    this.#current = this.#next;
    // A new one each time: tables of a set that is used again keep each other from being collected (ADR 13).
    this.#next = new Set();
    this.#startedAt = this.#parts.scheduler.now();
    this.#calls = 0;
  }

  #end(): void {
    const { scheduler, options } = this.#parts;
    if (this.#calls < options.restAfterCalls) return;
    const now = scheduler.now();
    assert(now >= this.#startedAt, 'time does not go back');
    this.#restsUntil = now + Math.min(now - this.#startedAt, options.maxRestMs);
  }
}
