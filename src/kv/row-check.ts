/** The check of every row of a state whose index was not made of them. */
import { assert } from '../base/assert';
import { addSums, sumOf } from './index-columns';
import type { SqliteGuard } from './sqlite-guard';
import type { HistoryRows } from './sqlite-history';
import { rowCount, type MetaFacts } from './sqlite-meta';

/** Rows to be checked: those after one, up to another. */
export interface RowRange {
  readonly after: number;
  readonly upTo: number;
}

/** What was found in the first rows of a range. */
export interface CheckedRows {
  /** The last one that was checked; `upTo` if there are no more. */
  readonly last: number;
  readonly count: number;
  readonly sum: number;
}

/** Rows checked at a time: some ten milliseconds. */
const stepRows = 4096;

/**
 * Checks the heads of some rows.
 *
 * @throws QuorateError `damaged` if one of them is not whole
 */
export function checkRows(history: HistoryRows, { after, upTo }: RowRange): CheckedRows {
  const heads = history.headsAfter(after, Math.min(stepRows, upTo - after));
  let count = heads.count;
  // Rows that were written since are not of the range.
  while (count > 0 && (heads.rows[count - 1] ?? 0) > upTo) count--;
  const isLast = count < stepRows;
  return { last: isLast ? upTo : (heads.rows[count - 1] ?? upTo), count, sum: sumOf({ ...heads, count }) };
}

/** Goes through all rows that a state had when it was opened; until it is done, none may be removed (N7). */
export class RowCheck {
  readonly #facts: MetaFacts;
  /** What the rows of the index add up to. */
  readonly #expectedSum: number;
  #last = 0;
  #count = 0;
  #sum = 0;

  constructor(facts: MetaFacts, expectedSum: number) {
    this.#facts = facts;
    this.#expectedSum = expectedSum;
  }

  get isDone(): boolean {
    return this.#last === this.#facts.lastRow;
  }

  /** What is to be checked next. */
  get next(): RowRange {
    return { after: this.#last, upTo: this.#facts.lastRow };
  }

  /**
   * @returns whether these were the last rows
   * @throws QuorateError `damaged` if they were, and all of them are not what the index is made of
   */
  add({ last, count, sum }: CheckedRows, guard: SqliteGuard): boolean {
    assert(last > this.#last && last <= this.#facts.lastRow, 'rows are checked in their order');
    this.#last = last;
    this.#count += count;
    this.#sum = addSums(this.#sum, sum);
    if (!this.isDone) return false;
    guard.expectRows(this.#count, rowCount(this.#facts));
    if (this.#sum !== this.#expectedSum) throw guard.damaged('its rows are not those that the saved index was made of');
    return true;
  }
}
