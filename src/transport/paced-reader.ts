/** Takes the messages of a stream one at a time: nothing is read ahead of whoever uses them. */
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';

/** The readable half of a gRPC stream of encoded messages. */
export interface PausableStream {
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end' | 'cancelled', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A paused stream, which goes on while `next` waits. (gRPC itself holds up to 16 messages more.) */
export class PacedReader {
  readonly #stream: PausableStream;
  readonly #stallTimeoutMs: number;
  #waiting: Deferred<Buffer | undefined> | undefined;
  #failure: Error | undefined;
  #hasEnded = false;

  constructor(stream: PausableStream, stallTimeoutMs: number) {
    this.#stream = stream;
    this.#stallTimeoutMs = stallTimeoutMs;
    stream.pause();
    stream.on('data', (bytes) => {
      stream.pause();
      this.#waiting?.resolve(bytes);
    });
    stream.on('end', () => {
      this.#hasEnded = true;
      this.#waiting?.resolve(undefined);
    });
    stream.on('cancelled', () => {
      this.fail(new QuorateError('unreachable', 'the peer broke off the call'));
    });
    stream.on('error', (error) => {
      this.fail(error);
    });
  }

  /**
   * The next message; undefined after the last. One call at a time.
   *
   * @throws QuorateError `unreachable` if the call was broken off or nothing came in time; the reason of `fail`
   */
  async next(): Promise<Buffer | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#hasEnded) return undefined;
    const waiting = deferred<Buffer | undefined>();
    this.#waiting = waiting;
    const timer = setTimeout(() => {
      this.fail(new QuorateError('unreachable', `nothing came for ${this.#stallTimeoutMs} ms`));
    }, this.#stallTimeoutMs);
    this.#stream.resume();
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** Nothing more is wanted of the stream: `next` rejects from now on. The first reason counts. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    this.#waiting?.reject(this.#failure);
  }
}
