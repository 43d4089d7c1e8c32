/** The place of one front end: when one ends, another takes it. */
import { QuorateError } from '../../base/error';
import type { Logger } from '../../base/logger';
import type { FrontEndPlan } from './control';
import { FrontEndChild, type FrontEndChildOptions } from './front-end-child';
import { frontEndLimits } from './limits';

/** What all seats of a member share. */
export interface FrontEndSeatOptions extends Omit<FrontEndChildOptions, 'plan' | 'onEnded' | 'onBroken'> {
  /** Of a front end that is started now. */
  readonly plan: () => FrontEndPlan;
  readonly logger: Logger;
}

/** Who waits for the first front end of a seat. */
interface FirstStart {
  onReady(): void;
  onFailed(reason: string): void;
}

export class FrontEndSeat {
  readonly #options: FrontEndSeatOptions;
  #child: FrontEndChild | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #restarts = 0;
  /** How many in a row have ended before they were steady. */
  #failures = 0;
  #isClosed = false;

  constructor(options: FrontEndSeatOptions) {
    this.#options = options;
  }

  get child(): FrontEndChild | undefined {
    return this.#child;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Returns when the first front end of this seat is ready.
   *
   * @throws QuorateError `refused-to-start` when it ends instead
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#spawn({
        onReady: resolve,
        onFailed: (reason) => {
          reject(new QuorateError('refused-to-start', `a front end cannot be started: it ended with ${reason}`));
        },
      });
    });
  }

  /** Ends the front end, and starts no other. Returns when it is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restartTimer);
    await this.#child?.close();
  }

  #spawn(first?: FirstStart): void {
    const begun = performance.now();
    let wasReady = false;
    const onEnded = (reason: string): void => {
      const pid = this.#child?.pid;
      this.#child = undefined;
      if (this.#isClosed) return;
      if (first !== undefined && !wasReady) first.onFailed(reason);
      else this.#replace({ pid, reason, livedMs: performance.now() - begun });
    };
    const onReady = (): void => {
      wasReady = true;
      first?.onReady();
    };
    try {
      this.#child = this.#newChild(onReady, onEnded);
    } catch (error) {
      // Of what keeps a process from starting, Node tells some at once.
      onEnded(String(error));
    }
  }

  #newChild(onReady: () => void, onEnded: (reason: string) => void): FrontEndChild {
    const { logger, onFree, plan, ...options } = this.#options;
    return new FrontEndChild({
      ...options,
      plan: plan(),
      onEnded,
      onFree: () => {
        onReady();
        onFree();
      },
      onBroken: (error) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        logger.error({ frontEndPid: this.#child?.pid, reason }, 'front end is ended: it said what it never should');
      },
    });
  }

  #replace({ pid, reason, livedMs }: { pid: number | undefined; reason: string; livedMs: number }): void {
    if (livedMs >= frontEndLimits.steadyMs) this.#failures = 0;
    const pauseMs = pauseBefore(this.#failures++);
    this.#options.logger.error({ frontEndPid: pid, reason, pauseMs }, 'front end has ended; another is started');
    this.#restartTimer = setTimeout(() => {
      this.#restarts++;
      this.#spawn();
    }, pauseMs);
  }
}

/** The first time at once. */
function pauseBefore(failures: number): number {
  const { firstPauseMs, maxPauseMs } = frontEndLimits;
  return failures === 0 ? 0 : Math.min(firstPauseMs * 2 ** (failures - 1), maxPauseMs);
}
