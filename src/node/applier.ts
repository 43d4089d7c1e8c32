/** Feeds the state machine: committed entries that are durable here, in order, a bounded amount at a time. */
import { assert, required } from '../base/assert';
import type { Entry, Raft, RaftStatus, StateMachine } from '../raft';
import type { Storage } from '../storage/storage';
import { commandOf } from './proposal-codec';

/** What the applier works with. */
export interface ApplierParts<Result> {
  readonly raft: { readonly status: Pick<RaftStatus, 'commitIndex' | 'durableIndex'> } & Pick<Raft, 'entries'>;
  readonly storage: Pick<Storage, 'readEntries'>;
  readonly stateMachine: Pick<StateMachine<Result>, 'apply' | 'appliedIndex'>;
  /** Most payload bytes at a time. */
  readonly maxBytes: number;
  /** Each entry with its result, in order. */
  readonly onApplied: (entry: Entry, result: Result | undefined) => void;
  /** Calls back, and has a turn run, when all members have had the time to hear of what is committed. */
  readonly tellAll: (told: () => void) => void;
}

/** Applies entries from the core's memory, or from storage where they are no longer there. */
export class Applier<Result> {
  readonly #parts: ApplierParts<Result>;
  /** Entries are being read, or others told of one that takes long. */
  #isWaiting = false;
  /** An entry that takes long, of which all have been told. */
  #toldIndex = 0;
  /** A snapshot takes the place of the state. */
  #isPaused = false;
  appliedIndex: number;

  constructor(parts: ApplierParts<Result>) {
    this.#parts = parts;
    this.appliedIndex = parts.stateMachine.appliedIndex;
  }

  /** True if there is something to apply and nothing hinders it. */
  get hasWork(): boolean {
    return !this.#isWaiting && !this.#isPaused && this.#target > this.appliedIndex;
  }

  /**
   * Applies the next entries.
   *
   * @returns `undefined` when done; otherwise what must be awaited first, after which the caller runs a new turn
   */
  applyNext(): Promise<void> | undefined {
    if (!this.hasWork) return undefined;
    const { raft, storage, maxBytes } = this.#parts;
    const range = { firstIndex: this.appliedIndex + 1, lastIndex: this.#target, maxBytes };
    const entries = raft.entries(range.firstIndex, range.lastIndex, maxBytes);
    if (entries !== undefined) {
      this.#apply(entries);
      return undefined;
    }
    this.#isWaiting = true;
    return storage.readEntries(range).then(
      (loaded) => {
        this.#isWaiting = false;
        if (this.#isWanted(range.firstIndex)) this.#apply(loaded);
      },
      (error: unknown) => {
        this.#isWaiting = false;
        // The log was replaced while they were being read.
        if (this.#isWanted(range.firstIndex)) throw error;
      },
    );
  }

  /** Applies nothing until `resumeAt`: a snapshot takes the place of the state. */
  pause(): void {
    this.#isPaused = true;
  }

  /** The state machine stands at the end of a snapshot. */
  resumeAt(appliedIndex: number): void {
    assert(appliedIndex > this.appliedIndex, 'a snapshot never moves the state back (N3)');
    this.appliedIndex = appliedIndex;
    this.#isPaused = false;
  }

  #isWanted(firstIndex: number): boolean {
    return !this.#isPaused && firstIndex === this.appliedIndex + 1;
  }

  /** Only entries that are durable in this member's own log are applied, so the state is never ahead of it. */
  get #target(): number {
    const { commitIndex, durableIndex } = this.#parts.raft.status;
    return Math.min(commitIndex, durableIndex);
  }

  /**
   * What takes long is not begun before all members have heard that it is committed: nothing leaves a member, and it hears
   * nobody, while it is at it. So all of them are at it at the same time, not one after the other.
   */
  #apply(entries: readonly Entry[]): void {
    const [first] = entries;
    assert(first?.index === this.appliedIndex + 1, 'entries are applied without a gap');
    const isTold = first.index === this.#toldIndex;
    const given = isTold ? [first] : entries;
    const results = this.#parts.stateMachine.apply(given.map(withoutProposer), isTold ? 'end' : 'long');
    const isAll = results.length === given.length;
    assert(isAll || (!isTold && results.length < given.length), 'the state machine gives a result for each entry');
    this.appliedIndex += results.length;
    results.forEach((result, at) => {
      this.#parts.onApplied(required(given[at], 'a result is of an entry'), result);
    });
    if (!isAll) this.#tell();
  }

  #tell(): void {
    this.#toldIndex = this.appliedIndex + 1;
    this.#isWaiting = true;
    this.#parts.tellAll(() => {
      this.#isWaiting = false;
    });
  }
}

/** The state machine sees the command, not who proposed it. */
function withoutProposer(entry: Entry): Entry {
  return entry.kind === 'command' ? { ...entry, payload: commandOf(entry.payload) } : entry;
}
