/** Streams whose requests are answered one by one, in order, while the next ones are already being worked on. */
import type { Metadata } from '@grpc/grpc-js';
import type { Clock } from '../base/clock';
import type { CallContext } from '../node/call';
import type { DuplexPort, DuplexSession } from './duplex-streams';

/** What a handler knows of its request beside the message. */
export interface PipelinedCall extends CallContext {
  /** What the client sent along when it opened the stream. */
  readonly metadata: Metadata;
}

/** Answers one request of a stream. An error ends the stream, once everything before it is answered. */
export type PipelinedHandler<Request, Response> = (request: Request, call: PipelinedCall) => Promise<Response>;

/** The bounds of each stream. */
export interface PipelineOptions<Response> {
  readonly clock: Clock;
  /** What each request gets, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Most requests that are not answered yet: beyond, no more are read. */
  readonly maxUnanswered: number;
  /** What a response takes, about. */
  readonly responseBytes: (response: Response) => number;
}

/** Makes what `DuplexStreams.handler` takes of a function that answers one request. */
export function pipelined<Request, Response>(
  answer: PipelinedHandler<Request, Response>,
  options: PipelineOptions<Response>,
): (port: DuplexPort<Response>) => DuplexSession<Request> {
  return (port) => new PipelinedSession(port, answer, options);
}

class PipelinedSession<Request, Response> implements DuplexSession<Request> {
  readonly #port: DuplexPort<Response>;
  readonly #answer: PipelinedHandler<Request, Response>;
  readonly #options: PipelineOptions<Response>;
  /** In the order of their requests; the first is being waited for. */
  readonly #answers: Promise<Response>[] = [];
  #isSending = false;
  #clientIsDone = false;
  #isOver = false;

  constructor(
    port: DuplexPort<Response>,
    answer: PipelinedHandler<Request, Response>,
    options: PipelineOptions<Response>,
  ) {
    this.#port = port;
    this.#answer = answer;
    this.#options = options;
  }

  onRequest(request: Request): void {
    const { clock, requestTimeoutMs, maxUnanswered } = this.#options;
    const answer = this.#answer(request, {
      deadline: clock.now() + requestTimeoutMs,
      metadata: this.#port.metadata,
    });
    // Whoever waits for it hears of its failure; nobody may be waiting yet.
    void answer.catch(() => undefined);
    this.#answers.push(answer);
    if (this.#answers.length >= maxUnanswered) this.#port.pauseRequests();
    this.#goOn();
  }

  onRequestsEnd(): void {
    this.#clientIsDone = true;
    this.#goOn();
  }

  onWritable(): void {
    this.#goOn();
  }

  onClosed(): void {
    this.#isOver = true;
    this.#answers.length = 0;
  }

  #goOn(): void {
    if (!this.#isSending) void this.#send(); // never rejects
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#answers[0] !== undefined && this.#port.isWritable) {
        const response = await this.#answers[0];
        if (this.#isOver) return;
        void this.#answers.shift();
        if (this.#answers.length < this.#options.maxUnanswered) this.#port.resumeRequests();
        this.#port.write(response, this.#options.responseBytes(response));
      }
    } catch (error) {
      this.#port.fail(error);
    }
    this.#isSending = false;
    if (this.#clientIsDone && this.#answers.length === 0) this.#port.end();
  }
}
