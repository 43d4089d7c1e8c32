/** When proposals that wait are handed to the leader: those that come at about the same time should share an entry. */
import type { Scheduler, Timer } from '../base/clock';

/** What waits, and what is on its way. */
export interface Gathered {
  /** Proposals that were not handed over yet: one or more. */
  readonly queued: number;
  /** They fill an entry, or one of them cannot share one. */
  readonly isFull: boolean;
  /** Proposals that were handed over and are not answered yet. */
  readonly underWay: number;
}

/** What the decision rests on. */
export interface GatheringParts {
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Longest wait behind what is under way, ms; 0 for no wait at all. */
  readonly maxMs: number;
  /** Has a turn run, in which `isDue` is asked again. */
  readonly scheduleTurn: () => void;
}

/** So many of those that came together lately make it worth waiting no longer: not all of them come again. */
const nearlyAll = 0.8;
/** How fast the memory of how many came together fades, with each time that fewer do. */
const fading = 0.9;
/**
 * So many that have come in one turn of the event loop go without those that still come in it, where nothing is under way: what
 * an entry costs no longer counts among so many, and one half is carried while the other is committed. With 256 in flight
 * 1.06 to 1.3 times the puts; half as many of them, with 128 in flight: 0.96 (ADR 22).
 */
const enough = 128;
/** Turns of the event loop in which nobody came, after which nobody is expected to. */
const quietTurns = 4;

/**
 * An entry costs every member several times as much as a proposal in it. Callers that wait for their answers before they go
 * on get them together, and come again within the same half millisecond: the first of them would travel alone, and all others
 * behind it. So a proposal waits, as long as that promises company and costs little:
 *
 * - while something is under way, until as many wait as are under way, or that is done: they are applied after it anyway;
 * - else as long as every turn of the event loop brings more, and fewer wait than came together lately.
 *
 * Who is alone never waits. See docs/adr/0018-gathering.md for what it is worth.
 */
export class Gathering {
  readonly #parts: GatheringParts;
  /** How many came together lately. */
  #usual = 0;
  #queuedBefore = 0;
  #quiet = 0;
  #isOverdue = false;
  #timer: Timer | undefined;
  #wantsTurn = false;

  constructor(parts: GatheringParts) {
    this.#parts = parts;
  }

  /** True if what waits is to be handed over now, all of it. To be asked once in each turn in which something waits. */
  isDue(gathered: Gathered): boolean {
    const { queued, isFull, underWay } = gathered;
    const waits = this.#parts.maxMs > 0 && !isFull && !this.#isOverdue;
    if (!waits || (underWay > 0 ? this.#isWorth(gathered) : this.#hasCome(queued))) {
      this.#begin(queued);
      return true;
    }
    return false;
  }

  /** True if `isDue` should be asked now, in the middle of a turn of the event loop. */
  isEnough({ queued, underWay }: Pick<Gathered, 'queued' | 'underWay'>): boolean {
    return this.#parts.maxMs > 0 && underWay === 0 && queued >= Math.max(enough, this.#usual);
  }

  /** True, once, if `isDue` is to be asked again in the next turn of the event loop, whatever happens. */
  takesTurn(): boolean {
    const wanted = this.#wantsTurn;
    this.#wantsTurn = false;
    return wanted;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #isWorth({ queued, underWay }: Gathered): boolean {
    if (queued >= underWay) return true;
    this.#timer ??= this.#parts.scheduler.after(this.#parts.maxMs, () => {
      this.#isOverdue = true;
      this.#parts.scheduleTurn();
    });
    return false;
  }

  #hasCome(queued: number): boolean {
    if (queued >= nearlyAll * this.#usual) return true;
    this.#quiet = queued === this.#queuedBefore ? this.#quiet + 1 : 0;
    this.#queuedBefore = queued;
    this.#wantsTurn = this.#quiet < quietTurns;
    return !this.#wantsTurn;
  }

  /** The next ones gather from here on. */
  #begin(queued: number): void {
    this.#usual = Math.max(queued, fading * this.#usual);
    this.#queuedBefore = 0;
    this.#quiet = 0;
    this.#isOverdue = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
