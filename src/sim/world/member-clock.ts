/** A member's own clock and timers: faster or slower than the world's, set forward, and standing still while it is paused. */
import type { Timer, TurnScheduler } from '../../base/clock';
import type { Rng } from '../../base/rng';
import type { MemberId } from '../../raft';
import type { Agenda, Appointment } from './agenda';
import { real } from './chance';
import type { MemberSetup } from './member-setup';

/** Timers never fire early, in spite of rounding. */
const roundingMs = 0.001;

interface PlannedTimer {
  /** On the member's clock. */
  readonly due: number;
  readonly callback: () => void;
  appointment: Appointment;
}

export interface MemberClockOptions {
  /** Milliseconds on this clock for one of the world's. */
  readonly rate: number;
  /** What it shows at the start. */
  readonly offsetMs: number;
  /** How long input is gathered before a turn ends. */
  readonly turnMs: () => number;
  /** Runs what is due on the member: at once, or when it wakes up. `timer` goes before everything else then. */
  readonly admit: (kind: 'timer' | 'turn', run: () => void) => void;
}

/** One life of a process has one of these. */
export class MemberClock implements TurnScheduler {
  readonly #agenda: Agenda;
  readonly #options: MemberClockOptions;
  readonly #timers = new Set<PlannedTimer>();
  readonly #startedAt: number;
  #jumpedMs = 0;
  #isHalted = false;

  constructor(agenda: Agenda, options: MemberClockOptions) {
    this.#agenda = agenda;
    this.#options = options;
    this.#startedAt = agenda.now;
  }

  now(): number {
    const { rate, offsetMs } = this.#options;
    return offsetMs + this.#jumpedMs + (this.#agenda.now - this.#startedAt) * rate;
  }

  after(delayMs: number, callback: () => void): Timer {
    // What an ended process still had on its mind never happens.
    if (this.#isHalted) return { cancel: () => undefined };
    const due = this.now() + delayMs;
    const timer: PlannedTimer = { due, callback, appointment: this.#plan(due, () => this.#fire(timer)) };
    this.#timers.add(timer);
    return { cancel: () => this.#cancel(timer) };
  }

  atOnce(callback: () => void): void {
    this.#turnAfter(0, callback);
  }

  atEndOfTurn(callback: () => void): void {
    this.#turnAfter(this.#options.turnMs(), callback);
  }

  /** The clock is set forward: what is due meanwhile is due now. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
    for (const timer of this.#timers) {
      timer.appointment.run = undefined;
      timer.appointment = this.#plan(timer.due, () => this.#fire(timer));
    }
  }

  /** The process has ended: nothing of it happens any more. */
  halt(): void {
    this.#isHalted = true;
    for (const timer of this.#timers) timer.appointment.run = undefined;
    this.#timers.clear();
  }

  #turnAfter(delayMs: number, callback: () => void): void {
    if (this.#isHalted) return;
    this.#agenda.after(delayMs, () => {
      if (!this.#isHalted) this.#options.admit('turn', () => this.#unlessHalted(callback));
    });
  }

  #plan(due: number, run: () => void): Appointment {
    return this.#agenda.after((due - this.now()) / this.#options.rate + roundingMs, run);
  }

  #fire(timer: PlannedTimer): void {
    this.#options.admit('timer', () => {
      if (!this.#timers.delete(timer)) return;
      timer.callback();
    });
  }

  #cancel(timer: PlannedTimer): void {
    timer.appointment.run = undefined;
    this.#timers.delete(timer);
  }

  #unlessHalted(callback: () => void): void {
    if (!this.#isHalted) callback();
  }
}

/** The rate of a member's clock, over all its lives. */
export function drawRate(rng: Rng, id: MemberId, { maxDriftRate, slowest }: MemberSetup): number {
  // Drawn in any case: what is drawn after it stays what it was.
  const rate = real(rng, 1 - maxDriftRate, 1 + maxDriftRate);
  if (slowest === undefined) return rate;
  return id === slowest ? 1 - maxDriftRate : 1 + maxDriftRate;
}
