/** What checkers know of one member: what it told its driver, and what its disk holds. */
import { assert } from '../../base/assert';
import type { Entry, HardState, MemberId, Persist, Role } from '../../raft';

/** What a power cut would leave. */
export interface DurableView {
  readonly hardState: HardState;
  readonly lastIndex: number;
  entryAt(index: number): Entry | undefined;
}

/** The log as a member handed it to its storage, durable or not. */
export class LogMirror {
  #entries: Entry[] = [];
  /** Index of the entry before the first one held. */
  #offset = 0;

  get lastIndex(): number {
    return this.#offset + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? 0;
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#offset - 1];
  }

  /** Starts again from what a disk holds. */
  reload(disk: DurableView, firstIndex: number): void {
    this.#offset = firstIndex - 1;
    this.#entries = [];
    for (let index = firstIndex; index <= disk.lastIndex; index++) {
      const entry = disk.entryAt(index);
      if (entry !== undefined) this.#entries.push(entry);
    }
  }

  take({ entries }: Persist): void {
    const [first] = entries;
    if (first === undefined) return;
    assert(first.index > this.#offset && first.index <= this.lastIndex + 1, 'a persist leaves no gap in the log');
    this.#entries.length = first.index - this.#offset - 1;
    for (const entry of entries) this.#entries.push(entry);
  }
}

/** A member's core between two turns. */
export interface Seen {
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
}

/** One member, over all its lives. */
export interface MemberView {
  readonly id: MemberId;
  readonly disk: DurableView;
  readonly log: LogMirror;
  /** As of the last turn, and of the one before; both `undefined` at the start of a life. */
  readonly seen: Seen | undefined;
  readonly before: Seen | undefined;
  /** The member's own clock. */
  now(): number;
  /** How long its process has run without standing still, and its clock without a jump. */
  steadyMs(): number;
}
