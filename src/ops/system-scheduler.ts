/** Real time: Node's monotonic clock and timers. */
import type { TurnScheduler } from '../base/clock';

export const systemScheduler: TurnScheduler = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return {
      cancel() {
        clearTimeout(timer);
      },
    };
  },
  atOnce(callback) {
    queueMicrotask(callback);
  },
  // The phase after polling: whatever input was ready has been handled by then.
  atEndOfTurn(callback) {
    setImmediate(callback);
  },
};
