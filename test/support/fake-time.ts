/** Time that passes only when a test says so, as a scheduler and as the surroundings of a client. */
import type { Scheduler, Timer } from '../../src/base/clock';
import type { Surroundings } from '../../src/client/attempts';

interface Alarm {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeTime implements Scheduler, Surroundings {
  #now = 0;
  #alarms: Alarm[] = [];

  now(): number {
    return this.#now;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#alarms.length;
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { at: this.#now + delayMs, callback };
    this.#alarms.push(alarm);
    return { cancel: () => (this.#alarms = this.#alarms.filter((other) => other !== alarm)) };
  }

  atEndOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  random(): number {
    return 0.5;
  }

  /** Lets time pass, and everything happen that is due, in order, with what follows from it. */
  async pass(durationMs: number): Promise<void> {
    const until = this.#now + durationMs;
    await settled();
    for (;;) {
      const next = this.#alarms.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settled();
    }
    this.#now = until;
  }
}

/** Lets promises and the ends of turns run that wait for nothing else. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
