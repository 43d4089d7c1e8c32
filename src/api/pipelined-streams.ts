/** Streams of requests that are answered one by one, in order, while the next ones are already being worked on. */
import type { handleBidiStreamingCall, Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import type { Scheduler, Timer } from '../base/clock';
import { QuorateError } from '../base/error';
import type { CallContext } from '../node/call';
import { stopping } from './call-ends';
import { type ErrorDialect, nativeErrors } from './error-dialect';
import { readable, type UnaryCalls } from './unary-calls';

/** What a handler knows of its request beside the message. */
export interface PipelinedCall extends CallContext {
  /** What the client sent along when it opened the stream. */
  readonly metadata: Metadata;
}

/** Answers one request of a stream. An error ends the stream, once everything before it is answered. */
export type PipelinedHandler<Request, Response> = (request: Request, call: PipelinedCall) => Promise<Response>;

/** What the streams of one member share. */
export interface PipelinedStreamsOptions {
  /** The funnel for errors. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
  readonly scheduler: Pick<Scheduler, 'after' | 'now'>;
  /** What each request gets, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Most streams at one time; more are refused. */
  readonly maxStreams: number;
  /** Most requests of one stream that are not answered yet: beyond, no more are read. */
  readonly maxUnanswered: number;
  /** A client that takes nothing for this long is given up, milliseconds. */
  readonly maxStallMs: number;
}

/** Opens, counts and ends such streams. */
export class PipelinedStreams {
  readonly #options: PipelinedStreamsOptions;
  readonly #open = new Set<{ end(error: unknown): void }>();
  #isStopping = false;

  constructor(options: PipelinedStreamsOptions) {
    this.#options = options;
  }

  /** Ends all streams, also those that come later, with `stopping`. */
  stop(): void {
    this.#isStopping = true;
    for (const stream of this.#open) stream.end(stopping());
  }

  /** Makes a gRPC handler of a function that answers one request. */
  handler<Request, Response>(
    answer: PipelinedHandler<Request, Response>,
    dialect: ErrorDialect = nativeErrors,
  ): handleBidiStreamingCall<Request, Response> {
    return (call) => {
      const { calls } = this.#options;
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        call.emit('error', calls.statusOf(refusal, dialect));
        return;
      }
      const stream = new PipelinedStream(call, answer, {
        ...this.#options,
        statusOf: (error) => calls.statusOf(error, dialect),
        closed: () => {
          this.#open.delete(stream);
        },
      });
      this.#open.add(stream);
    };
  }

  #refusal(): QuorateError | undefined {
    if (this.#isStopping) return stopping();
    if (this.#open.size < this.#options.maxStreams) return undefined;
    const limit = `${String(this.#options.maxStreams)} at a time`;
    return new QuorateError('overloaded', `this member serves as many streams of this kind as it may: ${limit}`, {
      details: { limit, actual: `${String(this.#open.size)} under way` },
    });
  }
}

interface StreamParts extends Omit<PipelinedStreamsOptions, 'calls' | 'maxStreams'> {
  readonly statusOf: (error: unknown) => unknown;
  /** Called once. */
  readonly closed: () => void;
}

/** One stream. */
class PipelinedStream<Request, Response> {
  readonly #call: ServerDuplexStream<Request, Response>;
  readonly #answer: PipelinedHandler<Request, Response>;
  readonly #parts: StreamParts;
  /** In the order of their requests; the first is being waited for. */
  readonly #answers: Promise<Response>[] = [];
  #isSending = false;
  #clientIsDone = false;
  #isOver = false;
  #stallTimer: Timer | undefined;

  constructor(
    call: ServerDuplexStream<Request, Response>,
    answer: PipelinedHandler<Request, Response>,
    parts: StreamParts,
  ) {
    this.#call = call;
    this.#answer = answer;
    this.#parts = parts;
    call.on('data', (request: Request) => {
      this.#take(request);
    });
    call.once('end', () => {
      this.#clientIsDone = true;
      if (!this.#isSending) this.#finish();
    });
    call.once('cancelled', () => {
      this.#close();
    });
  }

  /** Ends the stream with an error. */
  end(error: unknown): void {
    if (!this.#close()) return;
    // This is how grpc-js wants to be told of the status of a stream.
    this.#call.emit('error', this.#parts.statusOf(error));
  }

  #take(request: Request): void {
    if (this.#isOver) return;
    const { scheduler, requestTimeoutMs, maxUnanswered } = this.#parts;
    const context = { deadline: scheduler.now() + requestTimeoutMs, metadata: this.#call.metadata };
    const answer = answered(this.#answer, request, context);
    // Whoever waits for it hears of its failure; nobody may be waiting yet.
    void answer.catch(() => undefined);
    this.#answers.push(answer);
    if (this.#answers.length >= maxUnanswered) this.#call.pause();
    if (!this.#isSending) void this.#send(); // never rejects
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      for (let next = this.#answers[0]; next !== undefined; next = this.#answers[0]) {
        const response = await next;
        if (this.#isOver) return;
        void this.#answers.shift();
        if (this.#call.isPaused() && this.#answers.length < this.#parts.maxUnanswered) this.#call.resume();
        if (!this.#call.write(response)) await this.#drained();
      }
      this.#isSending = false;
      if (this.#clientIsDone) this.#finish();
    } catch (error) {
      this.end(error);
    }
  }

  /** Back-pressure: the next answer waits until the client has taken those before. */
  #drained(): Promise<void> {
    const { scheduler, maxStallMs } = this.#parts;
    this.#stallTimer = scheduler.after(maxStallMs, () => {
      this.end(new QuorateError('deadline-exceeded', `no answer was taken for ${String(maxStallMs)} ms`));
    });
    return new Promise((resolve) => {
      this.#call.once('drain', () => {
        this.#stallTimer?.cancel();
        resolve();
      });
    });
  }

  #finish(): void {
    if (this.#close()) this.#call.end();
  }

  /** Returns false if it was closed before. */
  #close(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stallTimer?.cancel();
    this.#answers.length = 0;
    this.#parts.closed();
    return true;
  }
}

async function answered<Request, Response>(
  answer: PipelinedHandler<Request, Response>,
  request: Request,
  call: PipelinedCall,
): Promise<Response> {
  return answer(readable(request), call);
}
