/** The changes of a write stream that have no answer yet: which are on their way, which wait, and in which order they may go. */
import { assert } from '../base/assert';
import { RenewingMap } from '../base/renewing-map';
import type { Mutation, MutationResult } from '../gen/quorate/v1/kv';
import type { CallKind, Doubt } from './retry';

/** What a change touches: these keys, or nobody knows which. */
export type Footprint = readonly string[] | 'unknown';

/** One change and whoever waits for its answer. */
export interface Write {
  readonly message: Mutation;
  /** About as many bytes as it takes on the wire. */
  readonly bytes: number;
  readonly footprint: Footprint;
  readonly kind: CallKind;
  /** When its time is over; monotonic milliseconds. */
  readonly deadline: number;
  /** Attempts that were made. */
  made: number;
  doubt: Doubt;
  /** Takes another request id, of this time. */
  rename(requestTimeMs: number): void;
  resolve(result: MutationResult): void;
  reject(error: Error): void;
}

/** Bounds of one message. */
export interface MessageBounds {
  readonly maxWrites: number;
  readonly maxBytes: number;
}

/**
 * Changes of the same key take effect in the order in which they were given, also over failures: so a change waits, and
 * all behind it, while one that it could be confused with is on its way.
 */
export class WriteQueue {
  // In the order in which they were given.
  readonly #waiting: Write[] = [];
  // By id, in the order in which they were sent.
  readonly #sent = new RenewingMap<number, Write>();
  readonly #touched = new Set<string>();
  // On their way, and nobody knows what they touch: nothing else is then.
  #unknown = 0;
  #bytes = 0;

  /** Changes without an answer. */
  get size(): number {
    return this.#waiting.length + this.#sent.size;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get sentCount(): number {
    return this.#sent.size;
  }

  add(write: Write): void {
    this.#waiting.push(write);
    this.#bytes += write.bytes;
  }

  /** The next changes that may be sent together, from now on on their way; none if there are none. */
  take({ maxWrites, maxBytes }: MessageBounds): readonly Write[] {
    const taken: Write[] = [];
    let bytes = 0;
    for (const write of this.#waiting) {
      if (taken.length === maxWrites || (taken.length > 0 && bytes + write.bytes > maxBytes)) break;
      if (!this.#mayGo(write.footprint)) break;
      this.#touch(write.footprint);
      this.#sent.set(write.message.id, write);
      taken.push(write);
      bytes += write.bytes;
    }
    this.#waiting.splice(0, taken.length);
    return taken;
  }

  /** The change that an answer is for, which is on its way no more; `undefined` if there is none. */
  answered(id: number): Write | undefined {
    const write = this.#sent.get(id);
    if (write === undefined) return undefined;
    this.#sent.delete(id);
    this.#bytes -= write.bytes;
    this.#release(write.footprint);
    return write;
  }

  /** All that were on their way and now are not, in the order in which they were sent. */
  recall(): readonly Write[] {
    const recalled = this.#sent.values().map(({ message }) => this.answered(message.id));
    return recalled.filter((write) => write !== undefined);
  }

  /** Puts changes that were on their way before all others: they go next. */
  putBack(writes: readonly Write[]): void {
    this.#waiting.unshift(...writes);
    for (const write of writes) this.#bytes += write.bytes;
  }

  /** Takes out all that wait and whose time is over. */
  removeLate(now: number): readonly Write[] {
    const late = this.#waiting.filter((write) => write.deadline <= now);
    if (late.length === 0) return late;
    const left = this.#waiting.filter((write) => write.deadline > now);
    this.#waiting.splice(0, this.#waiting.length, ...left);
    for (const write of late) this.#bytes -= write.bytes;
    return late;
  }

  /** Whether the time of a change that is on its way is over. */
  owesLate(now: number): boolean {
    return this.#sent.values().some(({ deadline }) => deadline <= now);
  }

  #mayGo(footprint: Footprint): boolean {
    if (this.#unknown > 0) return false;
    if (footprint === 'unknown') return this.#sent.size === 0;
    return footprint.every((key) => !this.#touched.has(key));
  }

  #touch(footprint: Footprint): void {
    if (footprint === 'unknown') {
      this.#unknown++;
      return;
    }
    for (const key of footprint) {
      assert(!this.#touched.has(key), 'changes of one key are never on their way together');
      this.#touched.add(key);
    }
  }

  #release(footprint: Footprint): void {
    if (footprint === 'unknown') {
      this.#unknown--;
      return;
    }
    for (const key of footprint) this.#touched.delete(key);
  }
}
