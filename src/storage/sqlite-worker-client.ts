/** Starts the storage worker and pairs its replies with what was asked. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { Reply, Request, WorkerOptions } from './sqlite-protocol';

/** One kind of reply. */
export type ReplyOf<Kind extends Reply['kind']> = Extract<Reply, { readonly kind: Kind }>;

/** Somebody who waits for a reply. The worker answers in order, so the oldest one is meant. */
interface Expected {
  readonly kind: Reply['kind'];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the worker; it begins to open the log at once. */
export function startWorker(options: WorkerOptions): WorkerClient {
  const worker = new Worker(join(__dirname, 'sqlite-storage-worker.js'), {
    workerData: options,
    name: 'quorate-storage',
  });
  return new WorkerClient(worker);
}

/** The main thread's end of the connection to the storage worker. */
export class WorkerClient {
  /** What was found; rejects when the log cannot be opened. */
  readonly opened: Promise<ReplyOf<'opened'>>;
  readonly #worker: Worker;
  readonly #expected: Expected[] = [];
  readonly #failed = deferred<QuorateError>();
  readonly #exited: Deferred<void> = deferred();
  #failure: QuorateError | undefined;
  #closing = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => {
      this.#receive(reply);
    });
    worker.on('messageerror', (error) => {
      this.#fail(crashed(error));
    });
    worker.on('error', (error: unknown) => {
      this.#fail(crashed(error));
    });
    worker.on('exit', (code) => {
      if (!this.#closing) this.#fail(crashed(new Error(`it ended with code ${code}`)));
      this.#exited.resolve();
    });
    this.opened = this.#expect('opened');
  }

  /** Settles when the worker fails; never before. */
  get failed(): Promise<QuorateError> {
    return this.#failed.promise;
  }

  /** Hands an encoded group over, with its memory. `onWritten` runs once it is durable. */
  write(group: ArrayBuffer, onWritten: () => void): void {
    this.#expected.push({ kind: 'written', resolve: onWritten, reject: () => undefined });
    this.#post(group, [group]);
  }

  /** Asks for something else; the reply must be of the kind named. */
  ask<Kind extends 'read' | 'truncated' | 'noted'>(kind: Kind, request: Request): Promise<ReplyOf<Kind>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const reply = this.#expect(kind);
    this.#post(request);
    return reply;
  }

  /** Lets the worker finish and waits for its end. After a failure it is ended as it is. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#failure !== undefined) {
      await this.#worker.terminate();
      return;
    }
    const closed = this.#expect('closed');
    this.#post({ kind: 'close' });
    try {
      await closed;
      await this.#exited.promise;
    } finally {
      await this.#worker.terminate();
    }
  }

  #expect<Kind extends Reply['kind']>(kind: Kind): Promise<ReplyOf<Kind>> {
    const reply: Deferred<Reply> = deferred();
    this.#expected.push({
      kind,
      resolve: (value) => {
        reply.resolve(value);
      },
      reject: (error) => {
        reply.reject(error);
      },
    });
    return reply.promise as Promise<ReplyOf<Kind>>;
  }

  #post(request: Request, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'failed') {
      this.#fail(new QuorateError(reply.code, reply.message, { outcome: 'unknown' }));
      return;
    }
    const expected = this.#expected.shift();
    assert(expected?.kind === reply.kind, 'the worker answers in order');
    expected.resolve(reply);
  }

  #fail(error: QuorateError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#expected.splice(0)) reject(error);
    this.#failed.resolve(error);
  }
}

function crashed(cause: unknown): QuorateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new QuorateError(
    'damaged',
    `the storage worker crashed: ${reason}. Start the member again; it checks its log.`,
    {
      outcome: 'unknown',
      cause,
    },
  );
}
