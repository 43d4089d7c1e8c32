/** A scheduler whose time stands still until a test moves it. */
import type { Timer, TurnScheduler } from '../../src/base/clock';

/** Microtasks that a promise may need to reach whoever waits for it. */
const settleDepth = 10;

/** Time that moves when told to. */
export class VirtualTime implements TurnScheduler {
  #now = 0;
  #nextId = 1;
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #endOfTurn: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#now + delayMs, callback });
    return { cancel: () => void this.#timers.delete(id) };
  }

  atOnce(callback: () => void): void {
    queueMicrotask(callback);
  }

  atEndOfTurn(callback: () => void): void {
    this.#endOfTurn.push(callback);
  }

  /** Ends the turn. Returns false if there was nothing to do. */
  endTurn(): boolean {
    const callbacks = this.#endOfTurn;
    this.#endOfTurn = [];
    for (const callback of callbacks) callback();
    return callbacks.length > 0;
  }

  /** Moves to the next timer at or before `until` and runs it; otherwise moves to `until` and returns false. */
  runNextTimer(until: number): boolean {
    let next: readonly [number, number] | undefined;
    for (const [id, { at }] of this.#timers) {
      if (at <= until && (next === undefined || at < next[1])) next = [id, at];
    }
    if (next === undefined) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    const [id, at] = next;
    const timer = this.#timers.get(id);
    this.#timers.delete(id);
    this.#now = Math.max(this.#now, at);
    timer?.callback();
    return true;
  }

  /** Lets time pass: every timer and end of turn that is due meanwhile, and what promises do then. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    do {
      for (let depth = 0; depth < settleDepth; depth++) await Promise.resolve();
    } while (this.endTurn() || this.runNextTimer(until));
  }

  /** Time passes and nothing happens: the process stands still. What is due then is due at once afterwards. */
  standStill(ms: number): void {
    this.#now += ms;
  }
}
