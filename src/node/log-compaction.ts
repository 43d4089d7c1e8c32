/** Keeps the log short: what the state durably stands for leaves it, but for a window for members that lag a little (§7). */
import type { Entry, StateMachine } from '../raft';
import type { Storage } from '../storage/storage';
import type { Driver } from './driver';
import type { NodeOptions } from './options';
import type { SnapshotSender } from './snapshot-sender';

/** What the compaction works with. */
export interface LogCompactionParts {
  readonly options: NodeOptions;
  readonly storage: Pick<Storage, 'truncatePrefix'>;
  readonly stateMachine: Pick<StateMachine<unknown>, 'checkpoint'>;
  readonly driver: Pick<Driver<unknown>, 'appliedIndex' | 'post' | 'status' | 'whenDone'>;
  /** The receiver of a snapshot goes on in the log from there. */
  readonly sender: Pick<SnapshotSender, 'neededAfter'>;
}

/** A place in the log, and how many payload bytes were applied up to there since the start. */
interface Mark {
  readonly index: number;
  readonly bytes: number;
}

/** How many marks stand for the trailing window: its bytes are known to one part in so many. */
const marksInWindow = 16;

/** Decides when the log is cut and where, and has it done: checkpoint of the state first, then the log (invariant N4). */
export class LogCompaction {
  readonly #parts: LogCompactionParts;
  /** Oldest first, `trailingLogBytes / marksInWindow` bytes apart. */
  #marks: Mark[] = [];
  #appliedIndex: number;
  #appliedBytes = 0;
  #isCutting = false;

  constructor(parts: LogCompactionParts) {
    this.#parts = parts;
    this.#appliedIndex = parts.driver.appliedIndex;
    this.#marks = [{ index: this.#appliedIndex, bytes: 0 }];
  }

  /** An entry was applied. */
  onEntryApplied({ index, payload }: Entry): void {
    this.#appliedIndex = index;
    this.#appliedBytes += payload.length;
    const last = this.#marks.at(-1);
    const distance = this.#parts.options.trailingLogBytes / marksInWindow;
    if (last === undefined || this.#appliedBytes - last.bytes >= distance) {
      this.#marks.push({ index, bytes: this.#appliedBytes });
    }
  }

  /** The state was replaced, and the log with it. */
  onInstalled(index: number): void {
    this.#appliedIndex = index;
    this.#appliedBytes = 0;
    this.#marks = [{ index, bytes: 0 }];
  }

  /** Cuts the log if it has grown enough. Called whenever entries were applied. */
  cutIfDue(): void {
    if (this.#isCutting || !this.#isDue()) return;
    this.#isCutting = true;
    const { stateMachine, storage, driver, sender } = this.#parts;
    driver.whenDone(stateMachine.checkpoint(), (durableIndex) => {
      const index = Math.min(this.#windowStart(), sender.neededAfter, durableIndex);
      if (index < driver.status.firstIndex) {
        this.#isCutting = false;
        return;
      }
      // The core asks for nothing before it from the next turn on.
      driver.post({ kind: 'prefix-removed', index });
      driver.whenDone(storage.truncatePrefix(index), () => {
        this.#marks = this.#marks.filter((mark) => mark.index >= index);
        this.#isCutting = false;
      });
    });
  }

  /** Only when much can go at once: a checkpoint costs an fsync of the whole state's changes. */
  #isDue(): boolean {
    const { compactLogEntries, compactLogBytes } = this.#parts.options;
    const start = Math.min(this.#windowStart(), this.#parts.sender.neededAfter);
    const removable = start - this.#parts.driver.status.firstIndex + 1;
    if (removable <= 0) return false;
    return removable >= compactLogEntries || this.#bytesUpTo(start) >= compactLogBytes;
  }

  /** The last index before the trailing window. */
  #windowStart(): number {
    const { trailingLogEntries, trailingLogBytes } = this.#parts.options;
    const byEntries = this.#appliedIndex - trailingLogEntries;
    const outside = this.#marks.findLast(({ bytes }) => this.#appliedBytes - bytes >= trailingLogBytes);
    return Math.max(byEntries, outside?.index ?? 0);
  }

  /** Bytes applied in this life that stand in the log up to `index`; those of earlier lives are not known. */
  #bytesUpTo(index: number): number {
    const first = this.#marks[0]?.bytes ?? 0;
    const last = this.#marks.findLast((mark) => mark.index <= index)?.bytes ?? first;
    return last - first;
  }
}
