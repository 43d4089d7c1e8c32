/** What checkers know of one member: what it told its driver, and what its disk holds. */
import { assert, required } from '../../base/assert';
import { decodeConfiguration } from '../../raft';
import type { ConfigurationAt, Entry, HardState, LogPosition, MemberId, Persist, Role } from '../../raft';

/** What a power cut would leave. */
export interface DurableView {
  readonly hardState: HardState;
  /** The log begins after it: what was before is in the state database. */
  readonly lastRemoved: LogPosition;
  /** In force there. */
  readonly configuration: ConfigurationAt;
  readonly lastIndex: number;
  /** `undefined` for what the log does not hold, or not any more. */
  entryAt(index: number): Entry | undefined;
}

/** The log as a member handed it to its storage, durable or not. */
export class LogMirror {
  #entries: Entry[] = [];
  /** The position before the first entry held. */
  #start: LogPosition = { index: 0, term: 0 };
  /** In force at `#start`, then those of the entries. */
  #configurations: ConfigurationAt[] = [];

  /** The position before the first entry held. */
  get start(): LogPosition {
    return this.#start;
  }

  get lastIndex(): number {
    return this.#start.index + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#start.term;
  }

  /** The latest of the log: the one in force (invariant M2). */
  get configuration(): ConfigurationAt {
    return required(this.#configurations.at(-1), 'a member was started before anybody asks for its configuration');
  }

  /** Those of the log in order, and the one at its beginning. */
  get configurations(): readonly ConfigurationAt[] {
    return this.#configurations;
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#start.index - 1];
  }

  /** `undefined` before the beginning and after the end. */
  termAt(index: number): number | undefined {
    return index === this.#start.index ? this.#start.term : this.at(index)?.term;
  }

  /** Starts again from what a disk holds. */
  reload(disk: DurableView): void {
    this.#reset(disk.lastRemoved, disk.configuration);
    for (let index = disk.lastRemoved.index + 1; index <= disk.lastIndex; index++) {
      const entry = disk.entryAt(index);
      if (entry !== undefined) this.#push(entry);
    }
  }

  take({ snapshot, entries }: Persist): void {
    if (snapshot !== undefined) this.#reset(snapshot.last, snapshot.configuration);
    const [first] = entries;
    if (first === undefined) return;
    const isWithin = first.index > this.#start.index && first.index <= this.lastIndex + 1;
    assert(isWithin, 'a persist leaves no gap in the log');
    this.#entries.length = first.index - this.#start.index - 1;
    while (this.configuration.index >= first.index) this.#configurations.pop();
    for (const entry of entries) this.#push(entry);
  }

  #reset(start: LogPosition, configuration: ConfigurationAt): void {
    this.#start = start;
    this.#entries = [];
    this.#configurations = [configuration];
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (entry.kind === 'configuration') this.#configurations.push(configurationOf(entry));
  }
}

/** What a configuration entry brings. */
export function configurationOf({ index, payload }: Entry): ConfigurationAt {
  return { index, ...required(decodeConfiguration(payload), 'a configuration entry can be read') };
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
  /** It will never come back. */
  readonly isDead: boolean;
  /** The state database survives a power cut up to there. */
  readonly durableStateIndex: number;
  /** It would answer a linearizable read now, and ask nobody. */
  readonly holdsReadLease: boolean;
  /** The member's own clock. */
  now(): number;
  /** How long its process has run without standing still, and its clock without a jump. */
  steadyMs(): number;
}
