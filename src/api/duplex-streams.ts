/** What all streams in both directions have in common: their place among those that are open, pace, errors, the end. */
import type { handleBidiStreamingCall, Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { QuorateError } from '../base/error';
import { stopping } from './call-ends';
import type { ErrorDialect } from './error-dialect';
import { readable, type UnaryCalls } from './unary-calls';

/** The client's end of a stream, as a session sees it. */
export interface DuplexPort<Response> {
  /** What the client sent along. */
  readonly metadata: Metadata;
  /** False while enough is on its way to the client; then the session waits for `onWritable`. */
  readonly isWritable: boolean;
  /** Sends a response of about `bytes`. To be called while `isWritable`; a response too many is sent all the same. */
  write(response: Response, bytes: number): void;
  /** Reads no more requests until `resumeRequests`, so that the client waits. */
  pauseRequests(): void;
  resumeRequests(): void;
  /** Ends the stream in order, after what was written. */
  end(): void;
  /** Ends the stream with the status of an error. */
  fail(error: unknown): void;
}

/** One side of a conversation. What a method throws ends the stream with its status. */
export interface DuplexSession<Request> {
  onRequest(request: Request): void;
  /** The client sends no more. */
  onRequestsEnd(): void;
  /** There is room for responses again. */
  onWritable(): void;
  /** The stream is over, however it ended. Nothing else is called any more. */
  onClosed(): void;
}

/** What the streams of one kind share. */
export interface DuplexStreamsOptions {
  /** The funnel for errors. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
  readonly dialect: ErrorDialect;
  /** Most streams at one time; more are refused. */
  readonly maxStreams: number;
  /** Response bytes on their way to one client from which on a session waits. */
  readonly maxBytesInFlight: number;
}

/** Keeps the streams of one kind, and ends them when the member stops. They have no time limit. */
export class DuplexStreams {
  readonly #options: DuplexStreamsOptions;
  readonly #open = new Set<DuplexPort<never>>();
  #isStopping = false;

  constructor(options: DuplexStreamsOptions) {
    this.#options = options;
  }

  /** Ends all streams, also those that come later, with `stopping`. */
  stop(): void {
    this.#isStopping = true;
    for (const port of this.#open) port.fail(stopping());
  }

  /**
   * Makes a gRPC handler.
   *
   * @param begin begins a session; what it throws ends the stream
   */
  handler<Request, Response>(
    begin: (port: DuplexPort<Response>) => DuplexSession<Request>,
  ): handleBidiStreamingCall<Request, Response> {
    return (call) => {
      const port = new DuplexCall<Request, Response>(call, this.#options, () => {
        this.#open.delete(port);
      });
      const refusal = this.#refusal();
      this.#open.add(port);
      if (refusal === undefined) port.run(begin);
      else port.fail(refusal);
    };
  }

  #refusal(): QuorateError | undefined {
    if (this.#isStopping) return stopping();
    if (this.#open.size < this.#options.maxStreams) return undefined;
    const limit = `${String(this.#options.maxStreams)} at a time`;
    return new QuorateError('overloaded', `this member has as many streams as it may: ${limit}`, {
      details: { limit, actual: `${String(this.#open.size)} open` },
    });
  }
}

class DuplexCall<Request, Response> implements DuplexPort<Response> {
  readonly #call: ServerDuplexStream<Request, Response>;
  readonly #options: DuplexStreamsOptions;
  readonly #onClosed: () => void;
  #session: DuplexSession<Request> | undefined;
  #isOpen = true;
  #isPaused = false;
  #bytesInFlight = 0;

  constructor(call: ServerDuplexStream<Request, Response>, options: DuplexStreamsOptions, onClosed: () => void) {
    this.#call = call;
    this.#options = options;
    this.#onClosed = onClosed;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get isWritable(): boolean {
    return this.#isOpen && this.#bytesInFlight < this.#options.maxBytesInFlight;
  }

  run(begin: (port: DuplexPort<Response>) => DuplexSession<Request>): void {
    this.#call.on('cancelled', () => {
      this.#close();
    });
    const hasBegun = this.#attempt(() => {
      this.#session = begin(this);
    });
    if (!hasBegun) return;
    this.#call.on('end', () => {
      this.#attempt(() => this.#session?.onRequestsEnd());
    });
    this.#call.on('data', (request: Request) => {
      this.#attempt(() => this.#session?.onRequest(readable(request)));
    });
  }

  write(response: Response, bytes: number): void {
    if (!this.#isOpen) return;
    this.#bytesInFlight += bytes;
    this.#call.write(response, () => {
      const wasFull = this.#bytesInFlight >= this.#options.maxBytesInFlight;
      this.#bytesInFlight -= bytes;
      if (wasFull && this.isWritable) this.#attempt(() => this.#session?.onWritable());
    });
  }

  pauseRequests(): void {
    if (!this.#isOpen || this.#isPaused) return;
    this.#isPaused = true;
    this.#call.pause();
  }

  resumeRequests(): void {
    if (!this.#isOpen || !this.#isPaused) return;
    this.#isPaused = false;
    this.#call.resume();
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#call.end();
  }

  fail(error: unknown): void {
    if (!this.#isOpen) return;
    const { calls, dialect } = this.#options;
    this.#close();
    // This is how grpc-js wants to be told of the status of a stream.
    this.#call.emit('error', calls.statusOf(error, dialect));
  }

  /** True if the action was done; otherwise the stream is over. */
  #attempt(action: () => void): boolean {
    if (!this.#isOpen) return false;
    try {
      action();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClosed();
    this.#session?.onClosed();
    // What still comes is of no interest, but the end must be reached.
    this.#call.resume();
  }
}
