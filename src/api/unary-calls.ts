/** What every unary call has in common: its deadline, its place among the calls in flight, and one funnel for errors. */
import { status, type handleUnaryCall, type Metadata, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Clock } from '../base/clock';
import { QuorateError } from '../base/error';
import type { CallContext } from '../node/call';
import { type ErrorDialect, nativeErrors } from './error-dialect';
import type { CallStatus, LeaderHint } from './errors';
import { UnreadableRequest } from './strict-service';

/** A call is answered this much before the client's own deadline, so that the client sees our answer, not its own timer. */
export const answerMargin = {
  /** Part of the time that is left. */
  fraction: 0.1,
  /** Never less than this, since the driver looks at deadlines only every so often; milliseconds. */
  minMs: 40,
  /** Never more than this, milliseconds. */
  maxMs: 100,
  /** And in a very short call never more than this part of it. */
  maxFraction: 0.5,
} as const;

/** The margin of a call that has so much time left, milliseconds. */
function answerMarginMs(leftMs: number): number {
  const { fraction, minMs, maxMs, maxFraction } = answerMargin;
  return Math.min(Math.max(leftMs * fraction, minMs), maxMs, leftMs * maxFraction);
}

/** What a handler knows of its call beside the request. */
export interface ApiCall extends CallContext {
  /** What the client sent along. */
  readonly metadata: Metadata;
}

/** Answers one request. */
export type UnaryHandler<Request, Response> = (request: Request, call: ApiCall) => Promise<Response>;

/** One call, as gRPC hands it over, and the words in which it is refused. */
interface Exchange<Request, Response> {
  readonly call: ServerUnaryCall<Request, Response>;
  readonly callback: sendUnaryData<Response>;
  readonly dialect: ErrorDialect;
}

/** What the calls of one member share. */
export interface UnaryCallsOptions {
  /** The node's clock: deadlines are passed on as absolute times on it. */
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly maxCallsInFlight: number;
  leaderHint(id: bigint): LeaderHint | undefined;
  /**
   * Told of an error that nobody expected: a failed assertion, or storage that cannot be read. The member must stop,
   * since its state can no longer be trusted.
   */
  onBug(error: unknown): void;
}

/** Counts the calls in flight, gives each its deadline and turns whatever it throws into a status, in one place. */
export class UnaryCalls {
  readonly #options: UnaryCallsOptions;
  #inFlight = 0;
  readonly #answered = new Map<status, number>();
  readonly #idle: (() => void)[] = [];

  constructor(options: UnaryCallsOptions) {
    this.#options = options;
  }

  /** Calls begun and not yet answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls answered so far, by status; those that were refused at once too. */
  get answered(): ReadonlyMap<status, number> {
    return this.#answered;
  }

  /** Returns when no call is in flight. */
  async idle(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Makes a gRPC handler of a plain function. */
  handler<Request, Response>(
    answer: UnaryHandler<Request, Response>,
    dialect: ErrorDialect = nativeErrors,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      if (this.#inFlight >= this.#options.maxCallsInFlight) {
        const refusal = this.statusOf(this.#tooManyCalls(), dialect);
        this.#count(refusal.code);
        callback(refusal);
      } else void this.#run(answer, { call, callback, dialect }); // never rejects
    };
  }

  /** The status of whatever a call has thrown; a bug is reported. */
  statusOf(error: unknown, dialect: ErrorDialect = nativeErrors): CallStatus {
    const status = dialect.statusOf(error, (id) => this.#options.leaderHint(id));
    if (status !== undefined) return status;
    this.#options.onBug(error);
    return dialect.statusOfBug();
  }

  async #run<Request, Response>(
    answer: UnaryHandler<Request, Response>,
    { call, callback, dialect }: Exchange<Request, Response>,
  ): Promise<void> {
    this.#inFlight++;
    let response: Response | undefined;
    let failure: CallStatus | undefined;
    try {
      response = await answer(readable(call.request), this.#contextOf(call));
    } catch (error) {
      failure = this.statusOf(error, dialect);
    }
    this.#inFlight--;
    this.#count(failure?.code ?? status.OK);
    // The reply is written before anyone who waits for silence hears of it. A cancelled call takes no answer.
    if (failure !== undefined) callback(failure);
    else callback(null, response);
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #count(code: status): void {
    this.#answered.set(code, (this.#answered.get(code) ?? 0) + 1);
  }

  /** @throws QuorateError `deadline-exceeded` when nothing should be begun any more */
  #contextOf(call: Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline' | 'cancelled' | 'metadata'>): ApiCall {
    const wallClockDeadline = Number(call.getDeadline());
    const leftMs = wallClockDeadline === Infinity ? this.#options.requestTimeoutMs : wallClockDeadline - Date.now();
    if (leftMs <= 0 || call.cancelled) {
      throw new QuorateError(
        'deadline-exceeded',
        'the deadline had passed before the call was begun; nothing was done',
      );
    }
    return { deadline: this.#options.clock.now() + leftMs - answerMarginMs(leftMs), metadata: call.metadata };
  }

  #tooManyCalls(): QuorateError {
    const limit = `${String(this.#options.maxCallsInFlight)} calls in flight`;
    const actual = `${String(this.#inFlight)} calls in flight`;
    return new QuorateError('overloaded', 'this member has too many calls in flight; nothing was done', {
      details: { limit, actual },
    });
  }
}

/** @throws QuorateError `invalid-argument` for a request that could not be read */
export function readable<Request>(request: Request): Request {
  if (request instanceof UnreadableRequest) throw request.error;
  return request;
}
