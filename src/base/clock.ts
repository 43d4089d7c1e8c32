/** Time as the program sees it: a monotonic clock, and timers on it. */

/** A clock that never goes back. Only differences mean anything; it is not the time of day. */
export interface Clock {
  /** Milliseconds since an arbitrary start, fractional. */
  now(): number;
}

/** A timer that was set and may be cancelled. */
export interface Timer {
  /** Makes sure the callback does not run any more. Harmless after it has run. */
  cancel(): void;
}

/** Runs callbacks later. The only way in which the driver waits, so that a simulator can own time. */
export interface Scheduler extends Clock {
  /** Runs `callback` once, `delayMs` or more from now. */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` once, after the input that is already waiting has been handled: at the end of this turn. */
  atEndOfTurn(callback: () => void): void;
}

/** What the driver needs of it beside. */
export interface TurnScheduler extends Scheduler {
  /** Runs `callback` once, when what runs now is done: before any more input is handled. */
  atOnce(callback: () => void): void;
}
