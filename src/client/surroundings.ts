/** Time and chance as the program has them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scheduler } from '../base/clock';
import type { Surroundings } from './attempts';

export const realSurroundings: Surroundings = {
  now: () => performance.now(),
  sleep: (delayMs) => sleep(delayMs),
  random: () => Math.random(),
};

export const realScheduler: Scheduler = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  atEndOfTurn: (callback) => void setImmediate(callback),
};
