/** Virtual time: what will happen, in the order in which it will. Nothing waits; the clock moves from one event to the next. */
import { assert } from '../../base/assert';

/** Something that will happen, unless it is called off. */
export interface Appointment {
  readonly at: number;
  /** Events of the same instant happen in the order in which they were planned. */
  readonly order: number;
  /** `undefined` once it has happened or was called off. */
  run: (() => void) | undefined;
}

/** All of the simulated world's future. The same calls give the same order of events. */
export class Agenda {
  /** A binary heap: the next event first. */
  readonly #heap: Appointment[] = [];
  #order = 0;
  #now = 0;

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  /** Plans an event, now or later. */
  at(time: number, run: () => void): Appointment {
    const appointment = { at: Math.max(time, this.#now), order: this.#order++, run };
    this.#push(appointment);
    return appointment;
  }

  after(delayMs: number, run: () => void): Appointment {
    return this.at(this.#now + delayMs, run);
  }

  /** Lets the next event happen, if there is one at or before `until`; otherwise time moves to `until`. */
  runNext(until: number): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      assert(next.at >= this.#now, 'time never falls');
      this.#now = next.at;
      next.run = undefined;
      run();
      return true;
    }
    this.#now = Math.max(this.#now, until);
    return false;
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(appointment);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, appointment)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = appointment;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
