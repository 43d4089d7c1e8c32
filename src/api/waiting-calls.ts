/** Unary calls that may wait for as long as their client does, such as those for a lock. */
import type { handleUnaryCall, Metadata, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { QuorateError } from '../base/error';
import { abandoned, stopping } from './call-ends';
import { type ErrorDialect, nativeErrors } from './error-dialect';
import type { CallStatus } from './errors';
import { readable, type UnaryCalls } from './unary-calls';

/** What a handler knows of its call beside the request. */
export interface WaitingCall {
  /** Aborted when nobody waits for the answer any more, or this member stops; the reason is a QuorateError. */
  readonly signal: AbortSignal;
  /** What the client sent along. */
  readonly metadata: Metadata;
}

/** Answers one request. After `signal` is aborted it still ends in order: what it has begun must not be left behind. */
export type WaitingHandler<Request, Response> = (request: Request, call: WaitingCall) => Promise<Response>;

/** One call, as gRPC hands it over, and the words in which it is refused. */
interface Exchange<Request, Response> {
  readonly call: ServerUnaryCall<Request, Response>;
  readonly callback: sendUnaryData<Response>;
  readonly dialect: ErrorDialect;
}

/** What the waiting calls of one member share. */
export interface WaitingCallsOptions {
  /** The funnel for errors. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
  /** Most calls at one time, those that are only tidying up included; more are refused. */
  readonly maxWaiting: number;
}

/** Counts the calls that wait, and ends each when its client goes away or the member stops. They have no time limit. */
export class WaitingCalls {
  readonly #options: WaitingCallsOptions;
  readonly #waiting = new Set<AbortController>();
  readonly #idle: (() => void)[] = [];
  #isStopping = false;

  constructor(options: WaitingCallsOptions) {
    this.#options = options;
  }

  /** Calls that are begun and have not ended in order. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** Ends all calls, also those that come later, with `stopping`; returns when they have ended in order. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const controller of this.#waiting) controller.abort(stopping());
    while (this.#waiting.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Makes a gRPC handler of a plain function. */
  handler<Request, Response>(
    answer: WaitingHandler<Request, Response>,
    dialect: ErrorDialect = nativeErrors,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) callback(this.#options.calls.statusOf(refusal, dialect));
      else void this.#run(answer, { call, callback, dialect }); // never rejects
    };
  }

  async #run<Request, Response>(
    answer: WaitingHandler<Request, Response>,
    { call, callback, dialect }: Exchange<Request, Response>,
  ): Promise<void> {
    const controller = new AbortController();
    this.#waiting.add(controller);
    call.once('cancelled', () => {
      controller.abort(abandoned());
    });
    if (call.cancelled) controller.abort(abandoned());
    let response: Response | undefined;
    let failure: CallStatus | undefined;
    try {
      response = await answer(readable(call.request), { signal: controller.signal, metadata: call.metadata });
    } catch (error) {
      failure = this.#options.calls.statusOf(error, dialect);
    }
    this.#waiting.delete(controller);
    // A cancelled call takes no answer.
    if (failure !== undefined) callback(failure);
    else callback(null, response);
    if (this.#waiting.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #refusal(): QuorateError | undefined {
    if (this.#isStopping) return stopping();
    const { maxWaiting } = this.#options;
    if (this.#waiting.size < maxWaiting) return undefined;
    const limit = `${String(maxWaiting)} waiting calls`;
    return new QuorateError('overloaded', 'this member has too many calls that wait; nothing was done', {
      details: { limit, actual: `${String(this.#waiting.size)} waiting calls` },
    });
  }
}
