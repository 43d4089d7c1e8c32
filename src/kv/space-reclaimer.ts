/** Gives the space of what was compacted back, bit by bit: every member its own, beside everything else it does. */
import type { Scheduler, Timer } from '../base/clock';
import type { ApplyListener } from './result';
import type { KvStateMachine } from './state-machine';

/** What the reclaimer works with. */
export interface SpaceReclaimerParts {
  readonly scheduler: Scheduler;
  readonly machine: Pick<KvStateMachine, 'compactStep' | 'vacuumStep' | 'checkpoint' | 'addListener'>;
  /** Told of a failure: the member must stop. */
  onFailure(error: unknown): void;
}

/** Between steps, so that they take a fraction of the thread's time: milliseconds. */
const pauseMs = 4;

/**
 * First removes rows, then gives free pages back to the file system, then has the file cut. A compaction that comes
 * meanwhile makes it begin anew, and so does a restart: what was left is found again.
 */
export class SpaceReclaimer implements ApplyListener {
  readonly #parts: SpaceReclaimerParts;
  #timer: Timer | undefined;
  #phase: 'idle' | 'rows' | 'pages' = 'idle';
  #hasGivenPages = false;
  #isStopped = false;

  constructor(parts: SpaceReclaimerParts) {
    this.#parts = parts;
    parts.machine.addListener(this);
  }

  /** Goes on with what an earlier life left. */
  start(): void {
    this.#wake();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  onChanges(): void {
    return undefined;
  }

  onLeaseRenewed(): void {
    return undefined;
  }

  onLeaseEnded(): void {
    return undefined;
  }

  onCompacted(): void {
    this.#wake();
  }

  onReplaced(): void {
    this.#wake();
  }

  #wake(): void {
    const isIdle = this.#phase === 'idle';
    this.#phase = 'rows';
    if (isIdle) this.#later();
  }

  #later(): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.scheduler.after(pauseMs, () => {
      this.#step().catch((error: unknown) => {
        this.stop();
        this.#parts.onFailure(error);
      });
    });
  }

  async #step(): Promise<void> {
    if (this.#phase === 'rows') {
      if (!this.#parts.machine.compactStep()) this.#phase = 'pages';
    } else {
      await this.#givePages();
    }
    if (this.#phase !== 'idle') this.#later();
  }

  async #givePages(): Promise<void> {
    const { machine } = this.#parts;
    const { given, more } = await machine.vacuumStep();
    this.#hasGivenPages ||= given > 0;
    if (this.#isStopped || more || this.#phase === 'rows') return;
    this.#phase = 'idle';
    if (!this.#hasGivenPages) return;
    this.#hasGivenPages = false;
    // The file is cut when the write-ahead log, which says that it is shorter, is moved into it.
    await machine.checkpoint();
  }
}
