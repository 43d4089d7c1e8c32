/** Asserts that what is handed to a storage continues what was handed to it before. */
import { assert } from '../base/assert';
import type { LogPosition, Persist } from '../raft';
import type { LoadedLog } from './storage';

/** The ends of a log as its owner sees them: with everything handed over, durable or not. */
export class LogBounds {
  #firstIndex: number;
  #lastIndex: number;
  #lastSequence: number | undefined;
  #term: number;

  constructor({ firstIndex, lastIndex, hardState }: LoadedLog) {
    assert(firstIndex <= lastIndex + 1, 'a log is empty or starts before its end');
    this.#firstIndex = firstIndex;
    this.#lastIndex = lastIndex;
    this.#term = hardState.term;
  }

  /** Takes note of one more `Persist`; crashes when it cannot follow the ones before. */
  accept({ sequence, hardState, snapshot, entries }: Persist): void {
    assert(this.#lastSequence === undefined || sequence > this.#lastSequence, 'sequence numbers grow');
    this.#lastSequence = sequence;
    if (hardState !== undefined) {
      assert(hardState.term >= this.#term, 'the term never falls (§5.1)');
      this.#term = hardState.term;
    }
    if (snapshot !== undefined) this.#replaced(snapshot.last);
    let next = entries[0]?.index ?? this.#lastIndex + 1;
    assert(next >= this.#firstIndex, 'no entry removed from the front is replaced');
    assert(next <= this.#lastIndex + 1, 'entries leave no gap');
    for (const { index, term } of entries) {
      assert(index === next, 'entries are consecutive');
      assert(term <= this.#term, 'no entry is of a later term than the hard state (§5.1)');
      next += 1;
    }
    if (entries.length > 0) this.#lastIndex = next - 1;
  }

  #replaced({ index, term }: LogPosition): void {
    assert(index >= this.#firstIndex - 1, 'a log never begins earlier than before');
    assert(term <= this.#term, 'no snapshot is of a later term than the hard state (§5.1)');
    this.#firstIndex = index + 1;
    this.#lastIndex = index;
  }

  /** Crashes unless entries up to `index` may be removed from the front. */
  checkRemovable(index: number): void {
    assert(Number.isSafeInteger(index) && index >= 0, 'an index is a whole number');
    assert(index <= this.#lastIndex, 'only entries that are held are removed from the front');
  }

  /** Entries up to and including `index` are gone. */
  removed(index: number): void {
    this.#firstIndex = Math.max(this.#firstIndex, index + 1);
  }
}
