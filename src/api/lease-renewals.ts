/** Renewals of leases, for both APIs: all that arrive in one turn of the event loop travel as one command. */
import { assert, required } from '../base/assert';
import type { Scheduler } from '../base/clock';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import { unnamed } from '../kv/command-builders';
import { encodeCommand } from '../kv/command-codec';
import { promisedTtl } from '../kv/lessor';
import type { LeaseResult, Result } from '../kv/result';
import type { CallContext, Proposer } from '../node/call';
import { acceptedUnnamed } from './refusals';

/** What a renewal came to. */
export interface Renewal {
  /** What the holder may count on from now, seconds; `undefined` if there is no such lease. */
  readonly ttl: number | undefined;
  /** The store's revision. */
  readonly revision: number;
}

/** What the renewals work with. */
export interface LeaseRenewalsParts {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly scheduler: Pick<Scheduler, 'now' | 'atEndOfTurn'>;
}

/** Most leases that one command renews; more travel in several. */
const maxIdsPerCommand = 1000;
/** Most commands on their way: what is applied together must not hold up heartbeats. The others gather meanwhile. */
const maxCommands = 4;

/** Those that travel together. */
interface Batch {
  readonly ids: Set<bigint>;
  deadline: number;
  readonly done: Deferred<Outcome>;
}

/** The leases of a batch that are there, by id. */
interface Outcome {
  readonly ttls: ReadonlyMap<bigint, number>;
  readonly revision: number;
}

/** Renews leases. A renewal is answered once it is applied here, so that a deposed leader can never acknowledge one. */
export class LeaseRenewals {
  readonly #parts: LeaseRenewalsParts;
  /** Not yet sent, the last one still gathering. */
  readonly #waiting: Batch[] = [];
  #onTheirWay = 0;
  #isSendingDue = false;

  constructor(parts: LeaseRenewalsParts) {
    this.#parts = parts;
  }

  /**
   * Begins a lease's time anew. Idempotent.
   *
   * @throws QuorateError as `Proposer.propose`, and `acceptedUnnamed`
   */
  async renew(id: bigint, call: CallContext): Promise<Renewal> {
    const [renewal] = await this.renewAll([id], call);
    return required(renewal, 'a renewal for each lease');
  }

  /**
   * Begins the time of many leases anew, one renewal for each. What waits is the call, not each of its leases: fifty
   * thousand of them at once keep the garbage collector busy for longer than a heartbeat may take.
   *
   * @throws QuorateError as `renew`
   */
  async renewAll(ids: readonly bigint[], call: CallContext): Promise<readonly Renewal[]> {
    const { scheduler } = this.#parts;
    for (;;) {
      const begunAt = scheduler.now();
      const outcomes = await Promise.all(this.#join(ids, call).map(({ done }) => done.promise));
      const renewed = renewalsOf(ids, outcomes, scheduler.now() - begunAt);
      if (renewed.every(({ ttl }) => ttl === undefined || ttl >= 1)) return renewed;
      // It took so long that nothing can be promised any more: once again, as long as somebody waits.
      if (scheduler.now() >= call.deadline) throw tooLate();
    }
  }

  /** @returns the batches that the leases travel with */
  #join(ids: readonly bigint[], call: CallContext): readonly Batch[] {
    const joined = new Set<Batch>();
    for (const id of ids) {
      const batch = this.#gathering();
      batch.ids.add(id);
      batch.deadline = Math.max(batch.deadline, call.deadline);
      joined.add(batch);
    }
    return [...joined];
  }

  /** The batch that is not full yet. */
  #gathering(): Batch {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.ids.size < maxIdsPerCommand) return last;
    const batch = { ids: new Set<bigint>(), deadline: -Infinity, done: deferred<Outcome>() };
    this.#waiting.push(batch);
    this.#sendAtEndOfTurn();
    return batch;
  }

  #sendAtEndOfTurn(): void {
    if (this.#isSendingDue) return;
    this.#isSendingDue = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#isSendingDue = false;
      while (this.#onTheirWay < maxCommands) {
        const batch = this.#waiting.shift();
        if (batch === undefined) return;
        this.#onTheirWay++;
        void this.#send(batch); // never rejects
      }
    });
  }

  async #send({ ids, deadline, done }: Batch): Promise<void> {
    try {
      const bytes = encodeCommand(unnamed({ kind: 'lease-renew', ids: [...ids] }));
      const renewed = acceptedUnnamed(await this.#parts.proposer.propose(bytes, { deadline }));
      assert(renewed.kind === 'lease', 'the result of a renewal is that of a renewal');
      done.resolve(outcomeOf(renewed));
    } catch (error) {
      done.reject(error as Error);
    }
    this.#onTheirWay--;
    if (this.#waiting.length > 0) this.#sendAtEndOfTurn();
  }
}

/** @param tookMs since they were asked for */
function renewalsOf(ids: readonly bigint[], outcomes: readonly Outcome[], tookMs: number): readonly Renewal[] {
  return ids.map((id) => {
    const { ttls, revision } = required(
      outcomes.find(({ ttls: known }) => known.has(id)) ?? outcomes.at(-1),
      'a renewal travels with a batch',
    );
    const granted = ttls.get(id);
    return { ttl: granted === undefined ? undefined : promisedTtl(granted, tookMs), revision };
  });
}

function outcomeOf({ leases, revision }: LeaseResult): Outcome {
  return { ttls: new Map(leases.map(({ id, ttl }) => [id, ttl])), revision };
}

/**
 * What the holder of a lease just granted may count on from now, seconds.
 *
 * @param tookMs since it was asked for
 * @throws QuorateError `outcome-unknown` if it came so late that the lease may be over
 */
export function grantedTtl({ leases }: LeaseResult, tookMs: number): number {
  const ttl = promisedTtl(required(leases[0], 'what was granted is told').ttl, tookMs);
  if (ttl < 1) throw tooLate();
  return ttl;
}

function tooLate(): QuorateError {
  const message = 'the answer came later than the time to live lasts: the lease may be there, or over already';
  return new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
}
