/** Whether anybody looks at this member: then it is to hear of every commit at once (ADR 15). */
import type { Scheduler } from '../base/clock';

/** Who has read something is expected to read again within this time, milliseconds. */
const attentionMs = 5_000;

export interface AttentionOptions {
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Told of each change; at first nobody looks. */
  readonly onChange: (isWanted: boolean) => void;
}

export class Attention {
  readonly #options: AttentionOptions;
  #isWatched = false;
  #isWanted = false;
  /** Somebody has read since the timer was last set. */
  #isFresh = false;

  constructor(options: AttentionOptions) {
    this.#options = options;
  }

  /**
   * Somebody reads this member's copy as it stands. Other calls need not see every commit at once: for what a mutation or a
   * linearizable read waits, the leader knows.
   */
  onStaleRead(): void {
    this.#isFresh = true;
    if (!this.#isWanted) this.#begin();
  }

  /** There are watches from now on, or none any more. */
  onWatched(isWatched: boolean): void {
    this.#isWatched = isWatched;
    if (isWatched && !this.#isWanted) this.#begin();
  }

  #begin(): void {
    this.#isWanted = true;
    this.#options.onChange(true);
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#isFresh = false;
    this.#options.scheduler.after(attentionMs, () => {
      if (this.#isFresh || this.#isWatched) {
        this.#lookAgain();
        return;
      }
      this.#isWanted = false;
      this.#options.onChange(false);
    });
  }
}
