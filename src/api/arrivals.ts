/** When new connections are let in: at once if they come one by one, together if they come in a crowd. */
import type { Scheduler } from '../base/clock';

/** So many that came in one turn of the event loop after the other are a crowd. */
const crowdSize = 8;
/** A crowd is complete once nobody has come for this long, milliseconds. */
const quietMs = 2;
/** Nobody waits longer than this, milliseconds. */
const mostMs = 100;

export interface ArrivalsOptions<Connection> {
  readonly scheduler: Pick<Scheduler, 'now' | 'atEndOfTurn'>;
  readonly letIn: (connection: Connection) => void;
}

/**
 * Node 20 accepts one connection in each turn of its event loop; newer ones accept all that wait. A turn takes longer with
 * each connection that is served in it, so of a crowd that opens at once the last ones waited for a second, or until the others
 * fell silent. Therefore nobody of a crowd is let in before all of it has been accepted: until then the turns are short.
 *
 * In the first second of a fresh cluster, 256 connections with one put at a time each, medians of three: the longest took 0.25 s
 * instead of 1.02, the 99th percentile 0.25 instead of 0.9.
 */
export class Arrivals<Connection> {
  readonly #options: ArrivalsOptions<Connection>;
  #waiting: Connection[] = [];
  #firstAt = 0;
  #lastAt = 0;
  /** Since somebody last looked. */
  #hasCome = false;

  constructor(options: ArrivalsOptions<Connection>) {
    this.#options = options;
  }

  /** A connection was accepted; nothing of it is read yet. */
  add(connection: Connection): void {
    const { scheduler } = this.#options;
    const now = scheduler.now();
    this.#waiting.push(connection);
    this.#lastAt = now;
    this.#hasCome = true;
    if (this.#waiting.length > 1) return;
    this.#firstAt = now;
    this.#lookAgain();
  }

  /** Gives back those that were not let in, which never will be. */
  takeAll(): readonly Connection[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #lookAgain(): void {
    this.#options.scheduler.atEndOfTurn(() => {
      if (this.#mayBeMore()) {
        this.#hasCome = false;
        this.#lookAgain();
      } else for (const connection of this.takeAll()) this.#options.letIn(connection);
    });
  }

  #mayBeMore(): boolean {
    const now = this.#options.scheduler.now();
    if (now - this.#firstAt >= mostMs) return false;
    return this.#hasCome || (this.#waiting.length >= crowdSize && now - this.#lastAt < quietMs);
  }
}
