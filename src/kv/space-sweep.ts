/** Removes the rows that a compaction left behind, a few at a time. */
import { assert, required } from '../base/assert';
import { keyText } from './head-columns';
import type { KvState } from './kv-state';

/** Rows looked at, and rows removed, in one step: about a millisecond. */
const stepRows = 128;
/** Bytes of values after which a step ends: long values take long to remove. */
const stepBytes = 1 << 20;

/**
 * Looks at the rows up to the compacted revision in their order, each once in its life: with each the older rows of the
 * same key, and a deletion itself, have become superfluous. How far it has come is stored together with what it removed,
 * so that a crash at any moment costs nothing but a second look at a few rows.
 *
 * The state is what it was, for every reader: only rows go that no read at the compacted revision or later can meet.
 */
export class SpaceSweep {
  readonly #state: KvState;
  /** Rows to be removed that the index knows no more, in descending order. */
  #pending: number[] = [];
  /** The rows looked at once these are gone, and for which revision. */
  #looked = { row: 0, compactRevision: 0 };
  /** Nothing is left of what was compacted up to here. */
  #doneRevision: number;

  constructor(state: KvState) {
    this.#state = state;
    this.#doneRevision = 0;
  }

  get isDone(): boolean {
    return this.#doneRevision === this.#state.facts.compactRevision;
  }

  /** @returns bytes written, roughly */
  step(): number {
    if (this.isDone) return 0;
    if (this.#pending.length === 0 && !this.#look()) return 0;
    let removed = 0;
    this.#state.store.write(() => {
      removed = this.#removeSome();
      const { facts } = this.#state;
      this.#state.facts = { ...facts, removedRows: facts.removedRows + removed, sweptRow: this.#sweptRow() };
      return this.#state.facts;
    });
    return removed * pageBytes;
  }

  /** What was superfluous for one compaction is so for the next; but the next may want a second look at rows (`#looked`). */
  #sweptRow(): number {
    const { facts } = this.#state;
    const isCurrent = this.#looked.compactRevision === facts.compactRevision;
    return this.#pending.length === 0 && isCurrent ? this.#looked.row : facts.sweptRow;
  }

  /** @returns whether there was a row to look at */
  #look(): boolean {
    const { store, index, facts } = this.#state;
    const { compactRevision } = facts;
    const heads = store.history.headsAfter(facts.sweptRow, stepRows);
    // Revisions never fall from row to row.
    let count = 0;
    while (count < heads.count && (heads.revisions[count] ?? 0) <= compactRevision) count++;
    if (count === 0) {
      this.#doneRevision = compactRevision;
      return false;
    }
    const keys = Array.from({ length: count }, (_, at) => keyText(heads, at));
    const rows = keys.flatMap((key) => index.compact(key, compactRevision));
    this.#pending = rows.sort((a, b) => b - a);
    this.#looked = { row: required(heads.rows[count - 1], 'a row was looked at'), compactRevision };
    return true;
  }

  #removeSome(): number {
    let bytes = 0;
    let removed = 0;
    while (removed < stepRows && bytes < stepBytes) {
      const row = this.#pending.pop();
      if (row === undefined) break;
      bytes += this.#state.store.history.remove(row);
      removed += 1;
    }
    assert(removed > 0 || this.#pending.length === 0, 'a step removes what there is');
    return removed;
  }
}

/** Each row that goes changes a page. */
const pageBytes = 4096;
