/** Keeps a repeated complaint from filling the log. */
import { performance } from 'node:perf_hooks';

/** Most different complaints in one interval; a stranger may make up new ones for ever. */
const maxDifferent = 10;

/** Remembers what was complained about lately. */
export class Complaints {
  readonly #intervalMs: number;
  readonly #recent = new Set<string>();
  #since = performance.now();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** True if this was not said in the current interval; from now on it was. */
  isNew(text: string): boolean {
    const now = performance.now();
    if (now - this.#since >= this.#intervalMs) {
      this.#recent.clear();
      this.#since = now;
    }
    if (this.#recent.has(text) || this.#recent.size >= maxDifferent) return false;
    this.#recent.add(text);
    return true;
  }

  /** What was said is over: it may be said again. */
  reset(): void {
    this.#recent.clear();
  }
}
