/** Carries out the calls of one client: over its endpoints, with its options, in real time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../base/assert';
import { EndpointRing, makeAttempts, type AttemptBounds, type AttemptResult, type Surroundings } from './attempts';
import { Endpoint, type Method, type OpenedStream } from './endpoint';
import type { ResolvedClientOptions } from './options';
import { newRequestId } from './request-id';
import type { CallOptions, MutationOptions } from './types';

/** Time and chance as the program has them. */
export const realSurroundings: Surroundings = {
  now: () => performance.now(),
  sleep: (delayMs) => sleep(delayMs),
  random: () => Math.random(),
};

/** A stream that was opened, and with whom. */
export interface EndpointStream<Message> extends OpenedStream<Message> {
  readonly endpoint: Endpoint;
}

/** How to call. */
export interface CallManner extends CallOptions {
  /** The answer may take as long as it wants: an attempt is given all the time there is. */
  readonly isPatient?: boolean;
}

/** What all areas of a client share. Every method rejects with a `QuorateError`. */
export class Caller {
  readonly options: ResolvedClientOptions;
  readonly ring: EndpointRing<Endpoint>;
  readonly #endpoints: readonly Endpoint[];
  #isClosed = false;

  constructor(options: ResolvedClientOptions) {
    const [first, ...others] = options.endpoints.map((address) => new Endpoint(address));
    assert(first !== undefined, 'checked options have an endpoint');
    this.options = options;
    this.#endpoints = [first, ...others];
    this.ring = new EndpointRing([first, ...others]);
  }

  /** True once `close` was called: whoever works by itself stops. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A call that changes nothing. */
  read<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    manner: CallManner = {},
  ): Promise<Response> {
    return this.attempt(manner, (endpoint, bounds) => endpoint.call(method, request, bounds));
  }

  /** A change that has no request id: it is repeated only when it surely was not done. */
  change<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    manner: CallManner = {},
  ): Promise<Response> {
    return this.#make('mutation', manner, (endpoint, bounds) => endpoint.call(method, request, bounds));
  }

  /**
   * A change with a request id, unless the caller wants none.
   *
   * @param request made with the id, which is empty for none
   */
  mutate<Request, Response>(
    method: Method<Request, Response>,
    options: MutationOptions & CallManner,
    request: (requestId: string) => Request,
  ): Promise<Response> {
    const id = requestIdOf(options);
    if (id === '') return this.change(method, request(id), options);
    const named = request(id);
    const isIdGiven = typeof options.requestId === 'string';
    return this.#make('named-mutation', { ...options, isIdGiven }, (endpoint, bounds) =>
      endpoint.call(method, named, bounds),
    );
  }

  /** Opens a stream of answers; another member is tried until the first has come, not after. */
  open<Request, Message>(
    method: Method<Request, Message>,
    request: Request,
    manner: CallManner = {},
  ): Promise<EndpointStream<Message>> {
    return this.attempt(manner, async (endpoint, bounds) => {
      const result = await endpoint.open(method, request, bounds);
      if (result.kind === 'failure') return result;
      return { kind: 'answer' as const, answer: { ...result.answer, endpoint } };
    });
  }

  /** Attempts that change nothing, or what may be done twice. */
  attempt<T>(
    manner: CallManner,
    attempt: (endpoint: Endpoint, bounds: AttemptBounds) => Promise<AttemptResult<T>>,
  ): Promise<T> {
    return this.#make('read', manner, attempt);
  }

  /** Closes every connection. Attempts in flight go on to their end; after that, and for new calls, nothing is sent. */
  close(): void {
    this.#isClosed = true;
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #make<T>(
    kind: 'read' | 'mutation' | 'named-mutation',
    { timeoutMs = this.options.timeoutMs, ...manner }: CallManner & { readonly isIdGiven?: boolean },
    attempt: (endpoint: Endpoint, bounds: AttemptBounds) => Promise<AttemptResult<T>>,
  ): Promise<T> {
    return makeAttempts(this.ring, { ...manner, kind, timeoutMs, attempt }, this.options, realSurroundings);
  }
}

/** The request id of a mutation: the one that was given, none (the empty text), or a new one. */
export function requestIdOf({ requestId }: MutationOptions): string {
  if (requestId === false) return '';
  return requestId ?? newRequestId();
}
