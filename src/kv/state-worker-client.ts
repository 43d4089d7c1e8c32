/** Starts the worker of the state database and pairs its replies with what was asked. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { required } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { StateReply, StateRequestKind, StateRequests, StateWorkerOptions } from './sqlite-state-protocol';

/** The main thread's end of the connection to the worker. */
export class StateWorkerClient {
  readonly #worker: Worker;
  /** Who waits, in order: the worker answers in order. */
  readonly #expected: Deferred<unknown>[] = [];
  #failure: QuorateError | undefined;

  constructor(options: StateWorkerOptions) {
    this.#worker = new Worker(join(__dirname, 'sqlite-state-worker.js'), {
      workerData: options,
      name: 'quorate-state',
    });
    this.#worker.on('message', (reply: StateReply) => {
      const expected = required(this.#expected.shift(), 'the worker answers what it was asked');
      if (reply.ok) expected.resolve(reply.answer);
      else expected.reject(new QuorateError(reply.code, reply.message));
    });
    this.#worker.on('error', (error) => {
      this.#fail(error);
    });
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`it ended with code ${String(code)}`));
    });
  }

  /** @throws QuorateError as the worker told; `damaged` once it has crashed */
  ask<Kind extends StateRequestKind>(
    kind: Kind,
    request: StateRequests[Kind]['ask'],
  ): Promise<StateRequests[Kind]['answer']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const reply: Deferred<unknown> = deferred();
    this.#expected.push(reply);
    this.#worker.postMessage({ kind, ...request });
    return reply.promise as Promise<StateRequests[Kind]['answer']>;
  }

  /** Waits for what was asked, and for the end of the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) await this.ask('release', {});
    this.#failure ??= new QuorateError('stopping', 'the state is closed');
    await this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const failure = new QuorateError('damaged', `the worker of the state database crashed: ${reason}`, { cause });
    this.#failure = failure;
    for (const expected of this.#expected.splice(0)) expected.reject(failure);
  }
}
