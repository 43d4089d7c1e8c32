/** Keeps the lease of a waiting contender alive, if the contender brought none of its own. */
import type { Timer } from '../../base/clock';
import { QuorateError } from '../../base/error';
import type { RecipeDependencies } from './dependencies';

/** A lease is renewed this often in its time to live. */
const renewalsPerTtl = 3;

/** A contender that waited less than this has its whole time to live before it, milliseconds. */
const noWaitMs = 100;

/** Renews one lease until it is told to stop. */
export class Renewal {
  readonly #needs: RecipeDependencies;
  readonly #lease: bigint;
  readonly #ttlMs: number;
  readonly #startedAt: number;
  #timer: Timer | undefined;

  /** @param lease its `ttl` in seconds; 0: nothing is ever renewed */
  constructor(needs: RecipeDependencies, lease: { readonly id: bigint; readonly ttl: number }) {
    this.#needs = needs;
    this.#lease = lease.id;
    this.#ttlMs = lease.ttl * 1000;
    this.#startedAt = needs.scheduler.now();
    this.#renewLater();
  }

  /** The waiting is over: gives the contender the whole time to live, counted from now. */
  async finish(): Promise<void> {
    this.stop();
    const hasWaited = this.#needs.scheduler.now() - this.#startedAt >= noWaitMs;
    if (this.#ttlMs > 0 && hasWaited) await this.#renew();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #renewLater(): void {
    if (this.#ttlMs === 0) return;
    this.#timer = this.#needs.scheduler.after(this.#ttlMs / renewalsPerTtl, () => {
      void this.#renewAndGoOn();
    });
  }

  /** A renewal that fails is not the end: there is time for another, and the contender sees when its key goes. */
  async #renewAndGoOn(): Promise<void> {
    const timer = this.#timer;
    try {
      await this.#renew();
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
    }
    if (this.#timer === timer) this.#renewLater();
  }

  async #renew(): Promise<void> {
    const { renewals, scheduler } = this.#needs;
    await renewals.renew(this.#lease, { deadline: scheduler.now() + this.#ttlMs / renewalsPerTtl });
  }
}
