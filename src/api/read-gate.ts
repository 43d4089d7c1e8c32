/** Decides when this member's copy is recent enough for a read. */
import type { Clock } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Duration } from '../gen/google/protobuf/duration';
import type { KvReader } from '../kv/result';
import type { CallContext, Proposer } from '../node/call';
import type { Attention } from './attention';
import { checkedMilliseconds } from './durations';
import { checkedRevision, invalid, isLinearizable } from './validate';

/** What a read demands, as requests say it. */
export interface ReadDemand {
  readonly consistency: number;
  readonly maxStaleness: Duration | undefined;
  readonly minRevision: number;
}

/** Bounds of `max_staleness`, milliseconds. */
export const stalenessBounds = { min: 0, max: 24 * 60 * 60_000 } as const;

/** A demand that was checked. */
interface Demand {
  readonly isLinearizable: boolean;
  readonly maxStalenessMs: number;
  readonly minRevision: number;
}

/**
 * Knows since when this member's copy reflects everything: the moment at which the last successful barrier began. That is
 * a proof on this member's own clock, whereas the time since a message of the leader says nothing of how long it travelled.
 * All services share one gate, so that a barrier for one read serves the bounds of others.
 */
export class ReadGate {
  readonly #proposer: Pick<Proposer<unknown>, 'readBarrier'>;
  readonly #reader: Pick<KvReader, 'revision'>;
  readonly #clock: Clock;
  readonly #attention: Pick<Attention, 'onStaleRead'>;
  /** Every mutation acknowledged before this moment is in the copy. */
  #currentAt = -Infinity;

  constructor(parts: {
    readonly proposer: Pick<Proposer<unknown>, 'readBarrier'>;
    readonly reader: Pick<KvReader, 'revision'>;
    readonly clock: Clock;
    readonly attention: Pick<Attention, 'onStaleRead'>;
  }) {
    this.#proposer = parts.proposer;
    this.#reader = parts.reader;
    this.#clock = parts.clock;
    this.#attention = parts.attention;
  }

  /**
   * Returns once a read of this member's copy, in the same turn of the event loop, fulfils the demand.
   *
   * @throws QuorateError `invalid-argument`, `future-revision`; and as `Proposer.readBarrier`
   */
  async admit(demand: ReadDemand, call: CallContext): Promise<void> {
    const checked = checkedDemand(demand);
    if (checked.isLinearizable) await this.#barrier(call);
    else {
      this.#attention.onStaleRead();
      if (!this.#fulfils(checked)) await this.#barrierFor(checked, call);
    }
    this.#refuseFuture(checked.minRevision);
  }

  /** Returns once a read here is linearizable. @throws QuorateError as `Proposer.readBarrier` */
  linearizable(call: CallContext): Promise<void> {
    return this.#barrier(call);
  }

  /**
   * Returns once this member's copy has reached a revision that was told by some member.
   *
   * @throws QuorateError `future-revision`; and as `Proposer.readBarrier`
   */
  async reached(revision: number, call: CallContext): Promise<void> {
    if (this.#reader.revision < revision) await this.#barrier(call);
    this.#refuseFuture(revision);
  }

  #fulfils({ maxStalenessMs, minRevision }: Demand): boolean {
    return this.#reader.revision >= minRevision && this.#ageMs() <= maxStalenessMs;
  }

  #ageMs(): number {
    return this.#clock.now() - this.#currentAt;
  }

  async #barrier(call: CallContext): Promise<void> {
    const begunAt = this.#clock.now();
    await this.#proposer.readBarrier(call);
    this.#currentAt = Math.max(this.#currentAt, begunAt);
  }

  /** Says what could not be promised when the leader cannot be asked. */
  async #barrierFor(demand: Demand, call: CallContext): Promise<void> {
    const age = this.#ageMs();
    try {
      await this.#barrier(call);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      const { code, outcome, details, message } = error;
      const actual =
        age === Infinity ? 'never known to be current' : `last known to be current ${String(Math.round(age))} ms ago`;
      const complaint = `this member's copy is ${actual}, and cannot promise more: ${message}`;
      throw new QuorateError(code, complaint, {
        outcome,
        details: { ...details, limit: shown(demand), actual },
        cause: error,
      });
    }
  }

  #refuseFuture(minRevision: number): void {
    const { revision } = this.#reader;
    if (revision >= minRevision) return;
    const message = `revision ${String(minRevision)} has not been made yet; the store's is ${String(revision)}`;
    throw new QuorateError('future-revision', message, { details: { limit: `revision ${String(revision)}` } });
  }
}

function checkedDemand({ consistency, maxStaleness, minRevision }: ReadDemand): Demand {
  const linearizable = isLinearizable(consistency);
  if (linearizable && maxStaleness !== undefined) {
    throw invalid('max_staleness', 'does not go with a linearizable read', {
      limit: 'CONSISTENCY_STALE with it',
      actual: 'another consistency',
    });
  }
  return {
    isLinearizable: linearizable,
    maxStalenessMs:
      maxStaleness === undefined ? Infinity : checkedMilliseconds('max_staleness', maxStaleness, stalenessBounds),
    minRevision: checkedRevision('min_revision', minRevision),
  };
}

function shown({ maxStalenessMs, minRevision }: Demand): string {
  const staleness = maxStalenessMs === Infinity ? undefined : `at most ${String(maxStalenessMs)} ms old`;
  const revision = minRevision === 0 ? undefined : `revision ${String(minRevision)} or later`;
  return [staleness, revision].filter((part) => part !== undefined).join(', ');
}
