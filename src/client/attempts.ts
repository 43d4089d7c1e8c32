/** Carries out the attempts of one call: which endpoint, how long, how often. The rules are in `retry`. */
import type { Failure } from './failure';
import type { ResolvedClientOptions } from './options';
import { backoff, decide, isIdOutOfTime, leavesDoubt, type CallKind, type Doubt } from './retry';

/** How one attempt ended. */
export type AttemptResult<T> =
  { readonly kind: 'answer'; readonly answer: T } | { readonly kind: 'failure'; readonly failure: Failure };

/** Time and chance, so that tests own them. */
export interface Surroundings {
  /** Monotonic milliseconds. */
  now(): number;
  sleep(delayMs: number): Promise<void>;
  /** Uniform over 0 to 1, 1 excluded. */
  random(): number;
}

/** Bounds of one attempt, in milliseconds. */
export interface AttemptBounds {
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
}

/** The endpoints of a client and the one that is in use: the same until it fails. */
export class EndpointRing<E> {
  readonly #endpoints: readonly [E, ...E[]];
  #current = 0;

  constructor(endpoints: readonly [E, ...E[]]) {
    this.#endpoints = endpoints;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  get current(): E {
    return this.#endpoints[this.#current] ?? this.#endpoints[0];
  }

  /** Moves on, unless another call that failed on the same endpoint already did. */
  leave(endpoint: E): void {
    if (this.current === endpoint) this.#current = (this.#current + 1) % this.#endpoints.length;
  }
}

/** One call with its attempts. */
export interface Call<E, T> {
  readonly kind: CallKind;
  readonly timeoutMs: number;
  /** The caller gave the request id, and may have used it before. */
  readonly isIdGiven?: boolean;
  /** Takes another request id, of this time. Only where the id is the call's own. */
  readonly rename?: (requestTimeMs: number) => void;
  /** The answer may take as long as it wants: an attempt is given all the time there is. */
  readonly isPatient?: boolean;
  readonly attempt: (endpoint: E, bounds: AttemptBounds) => Promise<AttemptResult<T>>;
}

/**
 * Makes attempts until one gives an answer or the rules say to give up. Ends within the call's time.
 *
 * @throws QuorateError as `retry.decide` makes it
 */
export async function makeAttempts<E, T>(
  ring: EndpointRing<E>,
  call: Call<E, T>,
  options: ResolvedClientOptions,
  surroundings: Surroundings,
): Promise<T> {
  const deadline = surroundings.now() + call.timeoutMs;
  let doubt: Doubt = call.isIdGiven === true ? 'given-id' : 'none';
  for (let made = 1; ; made++) {
    const endpoint = ring.current;
    const bounds = boundsOf(call, deadline - surroundings.now(), ring.size, options);
    const result = await call.attempt(endpoint, bounds);
    if (result.kind === 'answer') return result.answer;
    const { failure } = result;
    if (call.rename !== undefined && made < options.maxAttempts && isIdOutOfTime(failure, doubt)) {
      call.rename(failure.details.requestTimeMs);
      continue;
    }
    ring.leave(endpoint);
    const decision = decide(failure, {
      kind: call.kind,
      doubt,
      made,
      maxAttempts: options.maxAttempts,
      timeoutMs: call.timeoutMs,
      remainingMs: deadline - surroundings.now(),
      endpointCount: ring.size,
      backoffMs: backoff(made, options.maxBackoffMs, surroundings.random()),
    });
    if (decision.kind === 'give-up') throw decision.error;
    if (leavesDoubt(failure, call.kind)) doubt = 'attempted';
    if (decision.delayMs > 0) await surroundings.sleep(decision.delayMs);
  }
}

/** A call that is not repeated waits for its one answer as long as it may; one that could go elsewhere leaves time for that. */
function boundsOf(
  call: { readonly kind: CallKind; readonly isPatient?: boolean },
  remainingMs: number,
  endpointCount: number,
  options: ResolvedClientOptions,
): AttemptBounds {
  const share = endpointCount === 1 ? remainingMs : remainingMs / 2;
  const waits = call.kind === 'mutation' || call.isPatient === true;
  return {
    connectTimeoutMs: Math.max(1, Math.min(options.connectTimeoutMs, share)),
    timeoutMs: Math.max(1, waits ? remainingMs : share),
  };
}
