/** A simulated client that watches: at one member, and at another one when that is gone, from where it was. */
import type { Rng } from '../../base/rng';
import { between } from '../../base/rng';
import type { Watch, WatchBatch, Watches, WatchRequest } from '../../kv/watch';
import type { Agenda } from '../world/agenda';
import { exponential, isLucky, pick } from '../world/chance';
import { everything } from './call';
import type { Vocabulary } from './memory';

/** How watchers behave. */
export interface WatcherHabits {
  /** Between two looks at what has come: a slow one makes the member keep, or drop, what it has not taken. */
  readonly meanPaceMs: number;
  /** Most bytes taken at a time. */
  readonly maxBytes: number;
  /** How often it goes elsewhere instead of taking more. */
  readonly wanderRate: number;
}

/** A member, as far as watchers can reach it. */
export interface WatchContact {
  readonly name: string;
  /** Another one after every restart. */
  readonly life: string;
  /** Does something with its watches when the member is awake; returns false if nobody listens. */
  withWatches(use: (watches: Watches) => void): boolean;
}

/** What the world wants to know of watches. */
export interface WatchObserver {
  opened(session: WatchSession): void;
  took(session: WatchSession, batch: WatchBatch | undefined): void;
  broken(error: unknown): void;
}

/** One watch, from its opening to its end. */
export interface WatchSession {
  readonly watcher: number;
  readonly contact: WatchContact;
  readonly life: string;
  readonly request: Omit<WatchRequest, 'onReady'>;
  readonly watch: Watch;
}

export interface WatcherParts {
  readonly number: number;
  readonly agenda: Agenda;
  readonly rng: Rng;
  readonly habits: WatcherHabits;
  readonly vocabulary: Vocabulary;
  readonly contacts: () => readonly WatchContact[];
  readonly observer: WatchObserver;
}

/** How long it waits for a member that says nothing, before it looks whether that is still there. */
const patienceMs = 1000;

/** The pace of those who hurry. */
const hurriedPaceMs = 1;

export class Watcher {
  readonly #parts: WatcherParts;
  /** The next revision it wants; 0: whatever comes next. */
  #next: number;
  #wish: Omit<WatchRequest, 'onReady' | 'startRevision'>;
  #session: WatchSession | undefined;
  /** Numbers what it does: whatever was meant for an earlier step comes too late. */
  #step = 0;
  #isHurrying = false;

  constructor(parts: WatcherParts) {
    this.#parts = parts;
    this.#next = pick(parts.rng, [0, 1]);
    this.#wish = this.#draw();
    this.#later(() => this.#open());
  }

  /** It has been told of everything up to this revision. */
  get revision(): number {
    return this.#session?.watch.revision ?? 0;
  }

  /** From now on it takes what there is at once, and stays where it is. */
  hurry(): void {
    this.#isHurrying = true;
  }

  #open(): void {
    const { rng, contacts, number, observer } = this.#parts;
    const contact = pick(rng, contacts());
    const step = ++this.#step;
    contact.withWatches((watches) => {
      if (this.#step !== step) return;
      const request = { ...this.#wish, startRevision: this.#next };
      const session: WatchSession = {
        ...{ watcher: number, contact, life: contact.life, request },
        watch: watches.open({ ...request, onReady: () => this.#pull(session) }),
      };
      this.#session = session;
      observer.opened(session);
      this.#pull(session);
    });
    this.#lookAfter(step);
  }

  #pull(session: WatchSession): void {
    if (this.#session !== session) return;
    const step = ++this.#step;
    this.#later(() => {
      session.contact.withWatches(() => {
        if (this.#step === step && session.contact.life === session.life) this.#take(session);
      });
      this.#lookAfter(step);
    });
  }

  #take(session: WatchSession): void {
    const { rng, habits, observer } = this.#parts;
    let batch: WatchBatch | undefined;
    try {
      batch = session.watch.take(habits.maxBytes);
    } catch (error) {
      observer.broken(error);
      return;
    }
    observer.took(session, batch);
    if (batch?.kind === 'compacted') {
      this.#next = pick(rng, [0, batch.compactRevision]);
      this.#leave();
      return;
    }
    this.#next = session.watch.revision + 1;
    if (!this.#isHurrying && isLucky(rng, habits.wanderRate)) {
      session.watch.cancel();
      // Some go on elsewhere, some want something else.
      if (isLucky(rng, 0.2)) this.#wish = this.#draw();
      this.#leave();
    } else if (batch !== undefined) this.#pull(session);
  }

  #leave(): void {
    this.#session = undefined;
    const step = ++this.#step;
    this.#later(() => {
      if (this.#step === step) this.#open();
    });
  }

  /** If nothing has happened since: a member that slept, or had ended, may never wake up as the one it was. */
  #lookAfter(step: number): void {
    this.#parts.agenda.after(patienceMs, () => {
      if (this.#step !== step) return;
      const session = this.#session;
      const isThere =
        session?.contact.life === session?.life && this.#parts.contacts().some((it) => it === session?.contact);
      if (session === undefined || !isThere) this.#leave();
      else this.#lookAfter(step);
    });
  }

  #later(run: () => void): void {
    const { agenda, rng, habits } = this.#parts;
    agenda.after(exponential(rng, this.#isHurrying ? hurriedPaceMs : habits.meanPaceMs), run);
  }

  #draw(): Omit<WatchRequest, 'onReady' | 'startRevision'> {
    const { rng, vocabulary } = this.#parts;
    const start = pick(rng, [
      everything.start,
      everything.start,
      pick(rng, [...vocabulary.keys, ...vocabulary.leasedKeys]),
    ]);
    const end = isLucky(rng, 0.5) ? undefined : Buffer.from(`${pick(rng, vocabulary.keys)}~`);
    return {
      range: { start: Buffer.from(start), end },
      withoutPuts: between(rng, 1, 10) === 1,
      withoutDeletes: between(rng, 1, 10) === 1,
      withPrevious: isLucky(rng, 0.5),
    };
  }
}
