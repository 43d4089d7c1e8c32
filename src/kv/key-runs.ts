/** Sorted runs of keys with their versions, and the merge of many of them. */
import { assert, required } from '../base/assert';
import { isPut, type KeyEntry } from './key-index';
import { withVersion, type OldVersions } from './old-versions';

/** Keys in ascending order, each once, with their versions. */
export interface KeyRun {
  readonly keys: string[];
  readonly entries: KeyEntry[];
}

/** A run of these keys. */
export function sortedRun(entries: ReadonlyMap<string, KeyEntry>): KeyRun {
  const keys = [...entries.keys()].sort();
  return { keys, entries: keys.map((key) => required(entries.get(key), 'every key has an entry')) };
}

/** `newer` with the versions of `earlier` before its own. */
export function followed(earlier: KeyEntry, newer: KeyEntry): KeyEntry {
  const row = isPut(earlier) ? earlier.row : -earlier.row;
  let older: OldVersions = withVersion(earlier.older, earlier.modRevision, row);
  if (newer.older !== undefined) older = older.concat(newer.older);
  return { ...newer, older };
}

/**
 * Merges runs, those with older versions first, in parts of about `partKeys` keys that ascend from part to part. A merge of
 * all at once looks at every key once, and moves it once.
 */
export function* mergedRuns(runs: readonly KeyRun[], partKeys: number): Generator<KeyRun, void, void> {
  const cursors = new CursorHeap(runs);
  let part: KeyRun = { keys: [], entries: [] };
  for (let lowest = cursors.lowest; lowest !== undefined; lowest = cursors.lowest) {
    const next = cursors.secondLowest;
    // Keys often come in their order, or nearly: then the next one is mostly of the same run.
    do {
      if (part.keys.length >= partKeys && part.keys.at(-1) !== lowest.key) {
        yield part;
        part = { keys: [], entries: [] };
      }
      add(part, lowest);
    } while (lowest.advance() && (next === undefined || lowest.key < next.key));
    cursors.restore();
  }
  yield part;
}

/** A key that is there already came of an older run. */
function add({ keys, entries }: KeyRun, { key, entry }: Cursor): void {
  const last = keys.length - 1;
  if (keys[last] === key) entries[last] = followed(required(entries[last], 'every key has an entry'), entry);
  else {
    keys.push(key);
    entries.push(entry);
  }
}

/** A place in a run. */
class Cursor {
  /** Older runs have lower numbers. */
  readonly number: number;
  readonly #run: KeyRun;
  #at = 0;
  key: string;

  constructor(run: KeyRun, number: number) {
    this.#run = run;
    this.number = number;
    this.key = required(run.keys[0], 'a run has a key');
  }

  get entry(): KeyEntry {
    return required(this.#run.entries[this.#at], 'every key has an entry');
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#run.keys.length;
  }

  /** False at the end. */
  advance(): boolean {
    const key = this.#run.keys[++this.#at];
    if (key === undefined) return false;
    assert(this.key < key, 'the keys of a run ascend');
    this.key = key;
    return true;
  }

  isBefore(other: Cursor): boolean {
    return this.key < other.key || (this.key === other.key && this.number < other.number);
  }
}

/** Cursors as a heap: each is before those at twice its place, and one and two beyond. */
class CursorHeap {
  readonly #heap: Cursor[];

  constructor(runs: readonly KeyRun[]) {
    this.#heap = runs.flatMap((run, number) => (run.keys.length === 0 ? [] : [new Cursor(run, number)]));
    this.#heap.sort((a, b) => (a.isBefore(b) ? -1 : 1));
  }

  get lowest(): Cursor | undefined {
    return this.#heap[0];
  }

  get secondLowest(): Cursor | undefined {
    const [, left, right] = this.#heap;
    return left !== undefined && right?.isBefore(left) === true ? right : left;
  }

  /** To be called when the lowest one was moved on. */
  restore(): void {
    const moved = required(this.#heap[0], 'a cursor was moved');
    const sinking = moved.isAtEnd ? this.#heap.pop() : moved;
    if (sinking !== undefined && this.#heap.length > 0) this.#sink(sinking);
  }

  /** Puts `cursor` in the place of the lowest, or deeper, where it belongs. */
  #sink(cursor: Cursor): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = this.#heap[left + 1];
      const child = right?.isBefore(required(this.#heap[left], 'left of it')) === true ? left + 1 : left;
      const lower = this.#heap[child];
      if (lower?.isBefore(cursor) !== true) break;
      this.#heap[at] = lower;
      at = child;
    }
    this.#heap[at] = cursor;
  }
}
