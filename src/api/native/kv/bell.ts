/** Wakes whoever waits for one of several things. */
import type { Scheduler } from '../../../base/clock';

/** A bell for one waiter. Rung while nobody waits, it is heard by the next wait. */
export class Bell {
  readonly #scheduler: Pick<Scheduler, 'after'>;
  #isRung = false;
  #wake: (() => void) | undefined;

  constructor(scheduler: Pick<Scheduler, 'after'>) {
    this.#scheduler = scheduler;
  }

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Returns when it is rung, or after `maxMs`; true if it was rung. */
  async wait(maxMs: number): Promise<boolean> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = this.#scheduler.after(maxMs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#wake = undefined;
    const wasRung = this.#isRung;
    this.#isRung = false;
    return wasRung;
  }
}
