/** Requests that the model remembers: X1 to X4, word for word. */
import { uuid7TimeMs } from '../../base/uuid7';
import type { RequestRetention } from '../../kv/request-table';
import type { CommandResult } from '../../kv/result';
import { Refused } from './draft';

/** How much is remembered. */
export interface Memory {
  readonly count: number;
  /** Milliseconds of the store's clock. */
  readonly ageMs: number;
}

/** As the members have it: bytes bound nothing here. */
export function retentionOf({ count, ageMs }: Memory): RequestRetention {
  return { count, ageMs, resultBytes: Infinity };
}

interface Remembered {
  readonly command: string;
  readonly result: CommandResult;
  readonly at: number;
}

export class ModelRequests {
  readonly #memory: Memory;
  readonly #known = new Map<string, Remembered>();
  /** No id up to this one is taken any more. */
  #forgotten = '';

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get count(): number {
    return this.#known.size;
  }

  /**
   * Does a command once.
   *
   * @param id of one character a byte
   * @param command all of it, as text
   */
  once(
    id: string,
    { command, at }: { readonly command: string; readonly at: number },
    execute: () => CommandResult,
  ): CommandResult {
    const known = this.#known.get(id);
    if (known !== undefined) {
      if (known.command !== command) throw new Refused('request-mismatch');
      return { ...known.result, replayed: true };
    }
    if (id <= this.#forgotten)
      throw new Refused('request-expired', uuid7TimeMs(Buffer.from(this.#forgotten, 'latin1')));
    const result = execute();
    this.#known.set(id, { command, result, at });
    this.forget(at);
    return result;
  }

  /** The smallest ids go first. */
  forget(clockMs: number): void {
    for (const id of [...this.#known.keys()].sort()) {
      const { at } = this.#known.get(id) ?? { at: 0 };
      if (this.#known.size <= this.#memory.count && at + this.#memory.ageMs > clockMs) return;
      this.#known.delete(id);
      this.#forgotten = id;
    }
  }
}
