/** What every stream to a client has in common: its place among the streams in flight, back-pressure, errors. */
import type { handleServerStreamingCall, Metadata, ServerWritableStream } from '@grpc/grpc-js';
import type { Scheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import { abandoned, stopping } from './call-ends';
import { type ErrorDialect, nativeErrors } from './error-dialect';
import type { CallStatus } from './errors';
import { readable, type UnaryCalls } from './unary-calls';

/** What a handler knows of its call beside the request. */
export interface StreamCall {
  /** Aborted when the client goes away, or this member stops; the reason is a QuorateError. Who waits for long heeds it. */
  readonly signal: AbortSignal;
  /** What the client sent along. */
  readonly metadata: Metadata;
}

/**
 * Makes the messages of one stream, each when the one before has left. What must be released is released in `finally`:
 * the generator is closed early when the client goes away.
 */
export type StreamHandler<Request, Response> = (
  request: Request,
  call: StreamCall,
) => AsyncGenerator<Response, void, undefined>;

/** What the streams of one member share. */
export interface ServerStreamsOptions {
  /** The funnel for errors. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Most streams at one time; more are refused. */
  readonly maxStreams: number;
  /** A client that takes nothing for this long is given up, milliseconds; `undefined` where it may wait for ever. */
  readonly maxStallMs: number | undefined;
}

/** Sends messages no faster than they are taken: one at a time is on its way, and nothing is made ahead. */
export class ServerStreams {
  readonly #options: ServerStreamsOptions;
  readonly #open = new Set<AbortController>();
  #isStopping = false;

  constructor(options: ServerStreamsOptions) {
    this.#options = options;
  }

  /** Ends all streams, also those that come later, with `stopping`: a handler that heeds its signal at once. */
  stop(): void {
    this.#isStopping = true;
    for (const controller of this.#open) controller.abort(stopping());
  }

  /** Makes a gRPC handler of a generator. */
  handler<Request, Response>(
    produce: StreamHandler<Request, Response>,
    dialect: ErrorDialect = nativeErrors,
  ): handleServerStreamingCall<Request, Response> {
    return (call) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) fail(call, this.#options.calls.statusOf(refusal, dialect));
      else void this.#run(produce, call, dialect); // never rejects
    };
  }

  async #run<Request, Response>(
    produce: StreamHandler<Request, Response>,
    call: ServerWritableStream<Request, Response>,
    dialect: ErrorDialect,
  ): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#open.add(controller);
    call.once('cancelled', () => {
      controller.abort(abandoned());
    });
    let failure: CallStatus | undefined;
    try {
      for await (const message of produce(readable(call.request), { signal, metadata: call.metadata })) {
        if (!(await this.#send(call, message))) break;
      }
    } catch (error) {
      failure = this.#options.calls.statusOf(error, dialect);
    }
    this.#open.delete(controller);
    if (failure === undefined) call.end();
    else fail(call, failure);
  }

  /**
   * Returns when the message has left; false when the client is gone.
   *
   * @throws QuorateError `deadline-exceeded` when the client takes nothing
   */
  #send<Request, Response>(call: ServerWritableStream<Request, Response>, message: Response): Promise<boolean> {
    // A cancelled call takes messages and never calls back.
    if (call.cancelled) return Promise.resolve(false);
    const { scheduler, maxStallMs } = this.#options;
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        timer?.cancel();
        call.off('cancelled', gone);
        outcome();
      };
      const gone = () => {
        settle(() => {
          resolve(false);
        });
      };
      const giveUp = (stalledMs: number) => () => {
        settle(() => {
          reject(stalled(stalledMs));
        });
      };
      const timer = maxStallMs === undefined ? undefined : scheduler.after(maxStallMs, giveUp(maxStallMs));
      call.once('cancelled', gone);
      call.write(message, () => {
        settle(() => {
          resolve(!call.cancelled);
        });
      });
    });
  }

  #refusal(): QuorateError | undefined {
    if (this.#isStopping) return stopping();
    if (this.#open.size < this.#options.maxStreams) return undefined;
    const limit = `${String(this.#options.maxStreams)} at a time`;
    return new QuorateError('overloaded', `this member sends as many streams as it may: ${limit}`, {
      details: { limit, actual: `${String(this.#open.size)} under way` },
    });
  }
}

/** This is how grpc-js wants to be told of the status of a stream. */
function fail<Request, Response>(call: ServerWritableStream<Request, Response>, status: CallStatus): void {
  call.emit('error', status);
}

function stalled(maxStallMs: number): QuorateError {
  return new QuorateError('deadline-exceeded', `nothing of the stream was taken for ${String(maxStallMs)} ms`);
}
