/** A queue whose length may be great: taking from it costs the same however long it is. */

/** What was taken stays in the array until it is so much, and half of it. */
const maxTaken = 1024;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #taken = 0;

  get size(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest; `undefined` when there is none. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    if (this.size === 0 || (this.#taken >= maxTaken && this.#taken * 2 >= this.#items.length)) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }
}
