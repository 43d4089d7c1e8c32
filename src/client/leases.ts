/** The verbs on leases. */
import { status as grpcStatus } from '@grpc/grpc-js';
import { Consistency } from '../gen/quorate/v1/kv';
import { LeaseServiceService, type KeepAliveResponse, type ListLeasesResponse } from '../gen/quorate/v1/lease';
import type { AttemptBounds, AttemptResult } from './attempts';
import type { Caller } from './caller';
import { fromWireDuration, toWireDuration } from './convert';
import type { Endpoint } from './endpoint';
import { keepLease, type KeptLease } from './kept-lease';
import { checkedTtl } from './mutations';
import { realScheduler } from './surroundings';
import type { CallOptions, MutationOptions } from './types';

/** A lease: keys that are attached to it end with it. */
export interface Lease {
  /** Signed 64 bits, not 0. */
  readonly leaseId: bigint;
  /** Time to live as granted, milliseconds: whole seconds. */
  readonly ttlMs: number;
}

/** How to grant. */
export interface GrantOptions extends MutationOptions {
  /** The id it shall have; rejects with `already-exists` if that is taken. Default: the member chooses one. */
  readonly leaseId?: bigint;
}

/** A lease as the leader sees it. */
export interface LeaseState extends Lease {
  /** What is left of its time, milliseconds; 0 if it is about to end. */
  readonly remainingMs: number;
  /** The first 10,000 keys attached to it, ascending, if they were asked for. */
  readonly keys: readonly string[];
  /** How many keys are attached to it. */
  readonly keyCount: number;
}

/** What became of a renewal. */
export interface RenewedLease {
  readonly leaseId: bigint;
  /** Its time to live, which began anew; `undefined` if there is no such lease (any more). */
  readonly ttlMs: number | undefined;
}

/** Most leases in one message of the API. */
const maxLeases = 1_000;

/** Leases. They never end early: the time is measured by the leader, and a new leader gives them a little more. */
export class LeaseVerbs {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Makes a lease, which ends after `ttlMs` (rounded up to whole seconds) unless it is renewed. */
  async grant(ttlMs: number, options: GrantOptions = {}): Promise<Lease> {
    const ttl = toWireDuration(checkedTtl(ttlMs));
    const request = (requestId: string) => ({ ttl, leaseId: options.leaseId ?? 0n, requestId });
    const response = await this.#caller.mutate(LeaseServiceService.grant, options, request);
    return { leaseId: response.leaseId, ttlMs: fromWireDuration(response.ttl) };
  }

  /** Ends a lease now, and deletes its keys. Rejects with `not-found` if it is not there. */
  async revoke(leaseId: bigint, options: MutationOptions = {}): Promise<{ readonly revision: number }> {
    const request = (requestId: string) => ({ leaseId, requestId });
    return { revision: (await this.#caller.mutate(LeaseServiceService.revoke, options, request)).revision };
  }

  /** Renews leases once; one answer for each, in the order asked. */
  async renew(leaseIds: readonly bigint[], options: CallOptions = {}): Promise<readonly RenewedLease[]> {
    const renewed: RenewedLease[] = [];
    while (renewed.length < leaseIds.length) {
      const ids = leaseIds.slice(renewed.length, renewed.length + maxLeases);
      const { leases } = await this.#caller.attempt(options, (endpoint, bounds) => renewal(endpoint, ids, bounds));
      renewed.push(...leases.map((lease) => ({ leaseId: lease.leaseId, ttlMs: ttlOf(lease) })));
    }
    return renewed;
  }

  /** Renews a lease by itself, three times in each time to live, until it is stopped, lost, or the client is closed. */
  keepAlive(lease: Lease): KeptLease {
    const kept = keepLease(lease, {
      renew: async (timeoutMs) => {
        const [renewed] = await this.renew([lease.leaseId], { timeoutMs });
        return renewed?.ttlMs !== undefined;
      },
      scheduler: realScheduler,
    });
    const forget = this.#caller.onClose(() => {
      kept.stop();
    });
    kept.signal.addEventListener('abort', forget, { once: true });
    return {
      ...kept,
      stop: () => {
        forget();
        kept.stop();
      },
    };
  }

  /** A lease's time to live and what is left of it. Rejects with `not-found` if it is not there. */
  async get(leaseId: bigint, options: CallOptions & { readonly keys?: boolean } = {}): Promise<LeaseState> {
    const request = { leaseId, keys: options.keys ?? false };
    const { lease, remaining, keys, keyCount } = await this.#caller.read(
      LeaseServiceService.getLease,
      request,
      options,
    );
    return { leaseId, ttlMs: fromWireDuration(lease?.ttl), remainingMs: fromWireDuration(remaining), keys, keyCount };
  }

  /** All leases by id, page after page; what is made or ends meanwhile may or may not be among them. */
  async *list(options: CallOptions = {}): AsyncGenerator<readonly Lease[], void, undefined> {
    let pageToken = '';
    do {
      const request = { pageSize: maxLeases, pageToken, consistency: Consistency.LINEARIZABLE };
      const page: ListLeasesResponse = await this.#caller.read(LeaseServiceService.listLeases, request, options);
      yield page.leases.map(({ leaseId, ttl }) => ({ leaseId, ttlMs: fromWireDuration(ttl) }));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
}

/** One message on a stream of its own, which costs hardly more than a message and leaves nothing behind. */
async function renewal(
  endpoint: Endpoint,
  leaseIds: bigint[],
  bounds: AttemptBounds,
): Promise<AttemptResult<KeepAliveResponse>> {
  const opened = await endpoint.exchange(LeaseServiceService.keepAlive, bounds.connectTimeoutMs);
  if (opened.kind === 'failure') return opened;
  const exchange = opened.answer;
  exchange.send({ leaseIds });
  exchange.end();
  try {
    const answer = await exchange.next(bounds.timeoutMs);
    if (answer?.leases.length === leaseIds.length) return { kind: 'answer', answer };
    const message = 'the member ended the stream without an answer';
    return {
      kind: 'failure',
      failure: { kind: 'bare', address: endpoint.address, grpcCode: grpcStatus.UNAVAILABLE, message },
    };
  } catch (error) {
    return { kind: 'failure', failure: endpoint.failureOf(error) };
  } finally {
    exchange.cancel();
  }
}

function ttlOf({ found, ttl }: KeepAliveResponse['leases'][number]): number | undefined {
  return found ? fromWireDuration(ttl) : undefined;
}
