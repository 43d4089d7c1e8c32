/** Real time: Node's monotonic clock and timers. */
import type { Scheduler } from '../base/clock';

export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return {
      cancel() {
        clearTimeout(timer);
      },
    };
  },
  // The phase after polling: whatever input was ready has been handled by then.
  atEndOfTurn(callback) {
    setImmediate(callback);
  },
};
