/** Carries out the calls of one client: over its endpoints, with its options, in real time. */
import { assert } from '../base/assert';
import { EndpointRing, makeAttempts, type AttemptBounds, type AttemptResult, type Call } from './attempts';
import { Endpoint, type Method, type OpenedStream } from './endpoint';
import type { ResolvedClientOptions } from './options';
import { RequestClock } from './request-id';
import { errorOf } from './retry';
import { realSurroundings } from './surroundings';
import type { CallOptions, MutationOptions } from './types';

/** A stream whose first message has come, from whichever member. */
export interface LiveStream<Message> {
  /** `undefined` if it ended without one. */
  readonly first: Message | undefined;
  /**
   * The next message; `undefined` after the last.
   *
   * @throws QuorateError
   */
  next(maxSilenceMs: number): Promise<Message | undefined>;
  /** Nothing more is wanted. Harmless after the end. */
  cancel(): void;
  /** The member is no good any more: the next call goes to another. */
  leave(): void;
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
  readonly #onClose = new Set<() => void>();
  /** One for all calls: what a member says of the time holds for the next call too. */
  readonly requestClock = new RequestClock();

  constructor(options: ResolvedClientOptions) {
    const [first, ...others] = options.endpoints.map((address) => new Endpoint(address, options.tls));
    assert(first !== undefined, 'checked options have an endpoint');
    this.options = options;
    this.#endpoints = [first, ...others];
    this.ring = new EndpointRing([first, ...others]);
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
    const id = requestIdOf(options, this.requestClock);
    if (id === '') return this.change(method, request(id), options);
    let named = request(id);
    const isIdGiven = typeof options.requestId === 'string';
    const rename = (requestTimeMs: number): void => {
      this.requestClock.set(requestTimeMs);
      named = request(this.requestClock.newId());
    };
    return this.#make('named-mutation', { ...options, isIdGiven, rename }, (endpoint, bounds) =>
      endpoint.call(method, named, bounds),
    );
  }

  /** Opens a stream of answers; another member is tried until the first has come, not after. */
  open<Request, Message>(
    method: Method<Request, Message>,
    request: Request,
    manner: CallManner = {},
  ): Promise<LiveStream<Message>> {
    return this.attempt(manner, async (endpoint, bounds) => {
      const result = await endpoint.open(method, request, bounds);
      if (result.kind === 'failure') return result;
      return { kind: 'answer' as const, answer: this.#live(endpoint, result.answer) };
    });
  }

  /** Attempts that change nothing, or what may be done twice. */
  attempt<T>(
    manner: CallManner,
    attempt: (endpoint: Endpoint, bounds: AttemptBounds) => Promise<AttemptResult<T>>,
  ): Promise<T> {
    return this.#make('read', manner, attempt);
  }

  /** Calls back once when the client is closed, unless the function that this returns was called before. */
  onClose(callback: () => void): () => void {
    this.#onClose.add(callback);
    return () => void this.#onClose.delete(callback);
  }

  /** Ends what works by itself, and closes every connection. Calls in flight go on to their end. */
  close(): void {
    const callbacks = [...this.#onClose];
    this.#onClose.clear();
    for (const callback of callbacks) callback();
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #live<Message>(endpoint: Endpoint, { first, rest }: OpenedStream<Message>): LiveStream<Message> {
    return {
      first,
      next: (maxSilenceMs) =>
        rest.next(maxSilenceMs).catch((error: unknown) => {
          throw errorOf(endpoint.failureOf(error), 'read');
        }),
      cancel: () => {
        rest.cancel();
      },
      leave: () => {
        this.ring.leave(endpoint);
      },
    };
  }

  #make<T>(
    kind: 'read' | 'mutation' | 'named-mutation',
    { timeoutMs = this.options.timeoutMs, ...manner }: CallManner & Naming,
    attempt: (endpoint: Endpoint, bounds: AttemptBounds) => Promise<AttemptResult<T>>,
  ): Promise<T> {
    return makeAttempts(this.ring, { ...manner, kind, timeoutMs, attempt }, this.options, realSurroundings);
  }
}

/** How the request id of a change came about. */
type Naming = Pick<Call<Endpoint, unknown>, 'isIdGiven' | 'rename'>;

/** The request id of a mutation: the one that was given, none (the empty text), or a new one. */
export function requestIdOf({ requestId }: MutationOptions, clock: RequestClock): string {
  if (requestId === false) return '';
  return requestId ?? clock.newId();
}
