/** Keeps a lease alive, and knows when it may have ended. */
import type { Scheduler, Timer } from '../base/clock';
import { QuorateError } from '../base/error';

/** A lease that is renewed by itself. */
export interface KeptLease {
  readonly leaseId: bigint;
  /**
   * Aborted as soon as the lease has ended or may have: a member said so (its `reason` is a `QuorateError` with the code
   * `not-found`), or no renewal got through in time (`deadline-exceeded`). Measured on this process's own clock from when a
   * renewal was sent, so that it comes before the members end the lease, unless this process stands still.
   */
  readonly signal: AbortSignal;
  /** Stops renewing: the lease ends when its time is up. Does not abort the signal. */
  readonly stop: () => void;
}

/** What keeping needs. */
export interface KeepSettings {
  /**
   * Renews once.
   *
   * @returns false if there is no such lease
   */
  readonly renew: (timeoutMs: number) => Promise<boolean>;
  readonly scheduler: Scheduler;
}

/** Renewals in each time to live. */
const renewalsPerTtl = 3;
/** Between two attempts when one has failed, as a part of the time to live. */
const retryPart = 1 / 10;

/** Keeps a lease alive that was granted or renewed just now. */
export function keepLease(
  { leaseId, ttlMs }: { readonly leaseId: bigint; readonly ttlMs: number },
  settings: KeepSettings,
): KeptLease {
  const keeper = new Keeper(leaseId, ttlMs, settings);
  return { leaseId, signal: keeper.signal, stop: keeper.stop };
}

class Keeper {
  readonly #leaseId: bigint;
  readonly #ttlMs: number;
  readonly #settings: KeepSettings;
  readonly #abort = new AbortController();
  #deadline: number;
  #expiry: Timer;
  #next: Timer;
  #lastError: unknown;
  /** Whatever a renewal that is under way comes to, nothing follows it. */
  #isStopped = false;

  constructor(leaseId: bigint, ttlMs: number, settings: KeepSettings) {
    this.#leaseId = leaseId;
    this.#ttlMs = ttlMs;
    this.#settings = settings;
    this.#deadline = settings.scheduler.now() + ttlMs;
    this.#expiry = this.#expireAtDeadline();
    this.#next = this.#renewAfter(ttlMs / renewalsPerTtl);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly stop = (): void => {
    this.#isStopped = true;
    this.#expiry.cancel();
    this.#next.cancel();
  };

  #renewAfter(delayMs: number): Timer {
    return this.#settings.scheduler.after(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentAt = this.#settings.scheduler.now();
    try {
      const isThere = await this.#settings.renew(Math.max(1, this.#deadline - sentAt));
      if (this.#isStopped) return;
      if (!isThere) {
        this.#lose(new QuorateError('not-found', `lease ${String(this.#leaseId)} has ended`));
        return;
      }
      this.#deadline = sentAt + this.#ttlMs;
      this.#expiry.cancel();
      this.#expiry = this.#expireAtDeadline();
      this.#next = this.#renewAfter(this.#ttlMs / renewalsPerTtl);
    } catch (error) {
      if (this.#isStopped) return;
      this.#lastError = error;
      this.#next = this.#renewAfter(this.#ttlMs * retryPart);
    }
  }

  #expireAtDeadline(): Timer {
    return this.#settings.scheduler.after(this.#deadline - this.#settings.scheduler.now(), () => {
      const why = this.#lastError instanceof Error ? `: ${this.#lastError.message}` : '';
      const message = `lease ${String(this.#leaseId)} could not be renewed in time${why}`;
      this.#lose(new QuorateError('deadline-exceeded', message));
    });
  }

  #lose(reason: QuorateError): void {
    this.stop();
    this.#abort.abort(reason);
  }
}
