/** A change on its way to the watches that want it: one object for all of them. */
import { assert } from '../base/assert';
import type { Change, KeyRecord, KvReader } from './result';
import type { WatchEvent } from './watch';

/** What an event takes in memory beside its key and value, roughly; bytes. */
const eventOverheadBytes = 256;

/** A change in the queues of watches. Counts in how many, so that its memory is counted once. */
export class QueuedEvent {
  readonly change: Change;
  /** What it takes in memory, roughly. */
  readonly bytes: number;
  #holders = 0;
  #plain: WatchEvent | undefined;
  #withPrevious: WatchEvent | undefined;

  constructor(change: Change) {
    this.change = change;
    this.bytes = eventOverheadBytes + recordBytes(change.record);
  }

  /** One more queue holds it; true if it is the first. */
  hold(): boolean {
    return this.#holders++ === 0;
  }

  /** One queue less; true if it was the last. */
  release(): boolean {
    assert(this.#holders > 0, 'only what is held is released');
    return --this.#holders === 0;
  }

  /** As watches get it that want no previous record. */
  get plain(): WatchEvent {
    this.#plain ??= { change: this.change, previous: undefined };
    return this.#plain;
  }

  /** As watches get it that want the previous record, which is read once for all of them. */
  withPrevious(reader: Pick<KvReader, 'get' | 'compactRevision'>): WatchEvent {
    this.#withPrevious ??= this.#readPrevious(reader);
    return this.#withPrevious;
  }

  #readPrevious(reader: Pick<KvReader, 'get' | 'compactRevision'>): WatchEvent {
    const { kind, record, revision } = this.change;
    const before = revision - 1;
    const isCreate = kind === 'put' && record.createRevision === revision;
    if (isCreate || before < reader.compactRevision) return this.plain;
    const previous = reader.get(record.key, before);
    return previous === undefined ? this.plain : { change: this.change, previous };
  }
}

/** The bytes of a record that depend on its content. */
export function recordBytes({ key, value }: KeyRecord): number {
  return key.length + value.length;
}
