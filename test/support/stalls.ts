/**
 * How long the machine itself kept a thread from running that had nothing to do but wake up: a busy or borrowed
 * machine does that, and what a test says of elapsed time has to allow for it.
 */
import { Worker } from 'node:worker_threads';

const program = `
  const { workerData } = require('node:worker_threads');
  const longest = new Int32Array(workerData);
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const before = performance.now();
    Atomics.wait(never, 0, 0, 5);
    const late = Math.ceil(performance.now() - before - 5);
    if (late > Atomics.load(longest, 0)) Atomics.store(longest, 0, late);
  }
`;

export class StallWatch {
  readonly #longest = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker = new Worker(program, { eval: true, workerData: this.#longest.buffer });

  /** The longest stall so far, ms. */
  get longestMs(): number {
    return Atomics.load(this.#longest, 0);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
