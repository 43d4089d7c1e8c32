/** Builds the key index of a whole store, in steps short enough to do other work in between. */
import type { HeadColumns } from './head-columns';
import { checkedHeads, type HeadPage } from './head-page';
import { mergedRuns, sortedRun } from './key-runs';
import { SortedIndex, type LoadedIndex } from './sorted-index';
import type { SqliteGuard } from './sqlite-guard';
import type { MetaFacts } from './sqlite-meta';

/** Rows added to the index in a step. */
const stepRows = 4096;

/**
 * Takes in the heads of a store, and makes an index of them. Every page is sorted when it comes and all are merged in the
 * end, so that no step depends on the size of the store.
 */
export class IndexBuilder {
  readonly #guard: SqliteGuard;
  readonly #runs: HeadColumns[] = [];
  #last = 0;

  constructor(guard: SqliteGuard) {
    this.#guard = guard;
  }

  /** @throws QuorateError `damaged` unless every row of the page is whole */
  add(page: HeadPage): void {
    if (page.last <= this.#last) throw this.#guard.damaged('its rows are not in their order');
    this.#runs.push(sortedRun(checkedHeads(page, this.#guard)));
    this.#last = page.last;
  }

  /**
   * Makes the index, once all pages are there, in steps.
   *
   * @throws QuorateError `damaged` if they are not the rows that the store's counters say it has
   */
  *finish(facts: MetaFacts): Generator<void, LoadedIndex, void> {
    const sorted = new SortedIndex();
    for (const heads of mergedRuns(this.#runs, stepRows)) {
      sorted.append(heads);
      yield;
    }
    return sorted.finish(facts, this.#guard);
  }
}
