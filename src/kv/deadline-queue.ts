/** Many deadlines, the nearest first: a binary heap whose items know their places, so that any of them can move or leave. */
import { assert, required } from '../base/assert';

/** Something with a deadline. Both fields belong to the queue while it is in there. */
export interface Timed {
  deadline: number;
  /** Its place in the queue; `notQueued` if it is in none. */
  place: number;
}

export const notQueued = -1;

/** Every operation takes time in proportion to the logarithm of the size; `peek` takes none. */
export class DeadlineQueue<T extends Timed> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The item with the nearest deadline. */
  peek(): T | undefined {
    return this.#heap[0];
  }

  push(item: T): void {
    assert(item.place === notQueued, 'an item is queued once');
    item.place = this.#heap.length;
    this.#heap.push(item);
    this.#rise(item);
  }

  /** Takes an item out, wherever it is. Nothing if it is not in here. */
  remove(item: T): void {
    const { place } = item;
    if (place === notQueued) return;
    assert(this.#heap[place] === item, 'an item is where it says that it is');
    const last = required(this.#heap.pop(), 'the queue holds the item');
    item.place = notQueued;
    if (last === item) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  clear(): void {
    for (const item of this.#heap) item.place = notQueued;
    this.#heap.length = 0;
  }

  #rise(item: T): void {
    while (item.place > 0) {
      const above = this.#at((item.place - 1) >> 1);
      if (above.deadline <= item.deadline) return;
      this.#swap(item, above);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = 2 * item.place + 1;
      if (left >= this.#heap.length) return;
      const right = this.#heap[left + 1];
      const nearer = right !== undefined && right.deadline < this.#at(left).deadline ? right : this.#at(left);
      if (item.deadline <= nearer.deadline) return;
      this.#swap(nearer, item);
    }
  }

  /** `a` is below `b`, and they change places. */
  #swap(a: T, b: T): void {
    const { place } = a;
    this.#put(a, b.place);
    this.#put(b, place);
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }

  #at(place: number): T {
    return required(this.#heap[place], 'a place within the queue holds an item');
  }
}
