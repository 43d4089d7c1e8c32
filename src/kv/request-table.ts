/** Which requests are remembered: for how long, how many, and which are too old to be told from forgotten ones. */
import BTree from 'sorted-btree';
import { required } from '../base/assert';
import { uuid7TimeMs } from '../base/uuid7';

/** How much is remembered. The same on every member, or they would answer differently: not an option. */
export interface RequestRetention {
  /** Most requests. */
  readonly count: number;
  /** Most bytes of their results together. */
  readonly resultBytes: number;
  /** Milliseconds of the store's clock. */
  readonly ageMs: number;
}

export const requestRetention: RequestRetention = {
  count: 100_000,
  resultBytes: 64 * 1024 * 1024,
  ageMs: 3_600_000,
};

/** What is known of a request. */
interface Remembered {
  /** The store's clock when it was done. */
  readonly at: number;
  readonly resultBytes: number;
}

/**
 * Requests are forgotten in the order of their ids, so that one number, the greatest id that was forgotten, tells which ids
 * may have been used before: all that are not above it. They are refused for ever (invariant X3).
 *
 * Ids are strings of one character a byte; their order is that of the bytes.
 */
export class RequestTable {
  readonly #retention: RequestRetention;
  readonly #remembered = new BTree<string, Remembered>(undefined, (a, b) => (a < b ? -1 : a === b ? 0 : 1));
  #resultBytes = 0;
  #forgotten: string;

  /** @param forgotten the greatest id that was forgotten; empty for none */
  constructor(forgotten: string, retention: RequestRetention = requestRetention) {
    this.#forgotten = forgotten;
    this.#retention = retention;
  }

  get size(): number {
    return this.#remembered.size;
  }

  /** The greatest id that was forgotten; empty for none. */
  get forgotten(): string {
    return this.#forgotten;
  }

  /** The time in the greatest id that was forgotten, milliseconds since 1970: ids of later times are taken. */
  get forgottenTimeMs(): number {
    return uuid7TimeMs(Buffer.from(this.#forgotten, 'latin1'));
  }

  stateOf(id: string): 'known' | 'expired' | 'new' {
    if (this.#remembered.has(id)) return 'known';
    return id <= this.#forgotten ? 'expired' : 'new';
  }

  remember(id: string, request: Remembered): void {
    this.#remembered.set(id, request);
    this.#resultBytes += request.resultBytes;
  }

  /**
   * Forgets what is too much or too old.
   *
   * @param clockMs the store's clock
   * @returns whether anything was forgotten
   */
  forget(clockMs: number): boolean {
    const before = this.#remembered.size;
    for (;;) {
      const id = this.#remembered.minKey();
      if (id === undefined) break;
      const oldest = required(this.#remembered.get(id), 'a request that is remembered is known');
      if (!this.#isTooMuch() && oldest.at + this.#retention.ageMs > clockMs) break;
      this.#remembered.delete(id);
      this.#resultBytes -= oldest.resultBytes;
      this.#forgotten = id;
    }
    return this.#remembered.size < before;
  }

  #isTooMuch(): boolean {
    return this.#remembered.size > this.#retention.count || this.#resultBytes > this.#retention.resultBytes;
  }
}
