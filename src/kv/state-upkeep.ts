/** What a member does for its own state, bit by bit and beside everything else: checks its rows, gives its free space back. */
import type { Scheduler, Timer } from '../base/clock';
import type { Logger } from '../base/logger';
import type { ApplyListener } from './result';
import type { KvStateMachine } from './state-machine';

/** What the upkeep works with. */
export interface StateUpkeepParts {
  readonly scheduler: Scheduler;
  readonly machine: Pick<KvStateMachine, 'checkStep' | 'compactStep' | 'vacuumStep' | 'checkpoint' | 'addListener'>;
  readonly logger: Logger;
  /** Told of a failure: the member must stop. */
  onFailure(error: unknown): void;
}

/** Between steps, so that they take a fraction of the thread's time: milliseconds. */
const pauseMs = 4;
/** The same of the check, which takes some ten milliseconds of another thread for each step. */
const checkPauseMs = 40;

/**
 * First checks the rows that nobody has looked at, should there be any; then removes rows that were compacted, then gives free
 * pages back to the file system, then has the file cut. A compaction that comes meanwhile makes it begin anew with removing, and
 * so does a restart: what was left is found again.
 */
export class StateUpkeep implements ApplyListener {
  readonly #parts: StateUpkeepParts;
  #timer: Timer | undefined;
  #phase: 'idle' | 'check' | 'rows' | 'pages' = 'check';
  #hasGivenPages = false;
  #isStopped = false;

  constructor(parts: StateUpkeepParts) {
    this.#parts = parts;
    parts.machine.addListener(this);
  }

  /** Begins with what an earlier life left. */
  start(): void {
    this.#later();
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
    // After the check it is the turn of rows anyway.
    if (this.#phase === 'check') return;
    const isIdle = this.#phase === 'idle';
    this.#phase = 'rows';
    if (isIdle) this.#later();
  }

  #later(ms = pauseMs): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.scheduler.after(ms, () => {
      this.#step().catch((error: unknown) => {
        this.stop();
        this.#parts.onFailure(error);
      });
    });
  }

  async #step(): Promise<void> {
    if (this.#phase === 'check') await this.#check();
    if (this.#phase === 'rows') {
      if (!this.#parts.machine.compactStep()) this.#phase = 'pages';
    } else if (this.#phase === 'pages') {
      await this.#givePages();
    }
    if (this.#phase !== 'idle') this.#later(this.#phase === 'check' ? checkPauseMs : pauseMs);
  }

  async #check(): Promise<void> {
    const { machine, logger } = this.#parts;
    const done = await machine.checkStep();
    if (done === 'more' || this.#isStopped) return;
    this.#phase = 'rows';
    if (done === 'checked') logger.info({}, 'every row of the state was checked');
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
