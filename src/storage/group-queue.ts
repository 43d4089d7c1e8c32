/** Group commit: while one group is being written, what comes after it gathers into the next. */
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import type { Persist } from '../raft';
import { encodedBytes } from './entry-codec';

export interface GroupLimits {
  /** Most encoded bytes in a group; a single larger `Persist` goes alone. */
  readonly maxBytes: number;
  readonly maxPersists: number;
}

interface Waiting {
  readonly persist: Persist;
  readonly bytes: number;
  readonly done: Deferred<void>;
}

/**
 * Keeps order: groups are taken and completed in the order in which their members were added.
 * Its length is bounded by the core, which hands out no more than `maxUncommittedBytes` that is not durable.
 */
export class GroupQueue {
  readonly #limits: GroupLimits;
  #waiting: Waiting[] = [];
  /** The group being written. Invariant: never empty when present. */
  #writing: readonly Waiting[] | undefined;

  constructor(limits: GroupLimits) {
    assert(limits.maxBytes > 0 && limits.maxPersists > 0, 'a group has room for one');
    this.#limits = limits;
  }

  /** Nothing waits and nothing is being written. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#writing === undefined;
  }

  /** @returns settles with the group this one travels in */
  add(persist: Persist): Promise<void> {
    const bytes = persist.entries.reduce((sum, entry) => sum + encodedBytes(entry), 0);
    const done: Deferred<void> = deferred();
    this.#waiting.push({ persist, bytes, done });
    return done.promise;
  }

  /** The next group to write; `undefined` while one is being written, or when nothing waits. */
  next(): readonly Persist[] | undefined {
    if (this.#writing !== undefined || this.#waiting.length === 0) return undefined;
    const size = this.#groupSize();
    this.#writing = this.#waiting.slice(0, size);
    this.#waiting = this.#waiting.slice(size);
    return this.#writing.map((waiting) => waiting.persist);
  }

  /** The group being written is durable. */
  complete(): void {
    assert(this.#writing !== undefined, 'a group is being written');
    const written = this.#writing;
    this.#writing = undefined;
    for (const { done } of written) done.resolve();
  }

  /** Nothing of what was added and not completed will be reported durable any more. */
  rejectAll(error: Error): void {
    for (const { done } of [...(this.#writing ?? []), ...this.#waiting]) done.reject(error);
    this.#writing = undefined;
    this.#waiting = [];
  }

  #groupSize(): number {
    const { maxBytes, maxPersists } = this.#limits;
    let bytes = 0;
    let size = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (size > 0 && (bytes > maxBytes || size >= maxPersists)) break;
      size += 1;
    }
    return size;
  }
}
