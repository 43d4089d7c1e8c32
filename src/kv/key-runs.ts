/** Sorted runs of rows, and the merge of many of them. */
import { assert, required } from '../base/assert';
import {
  columnsFor,
  compareBytes,
  compareKeys,
  copyNumbers,
  keyEnd,
  keyPlace,
  keyStart,
  type HeadColumns,
  type KeyPlace,
} from './head-columns';

/**
 * Rows that are in the order in which they were written, in the order of their keys; those of one key stay as they were.
 * They are moved now, as long as all of them are in the processor's cache: a merge that picks them here and there in a
 * large store takes twice the time.
 */
export function sortedRun(heads: HeadColumns): HeadColumns {
  if (isSorted(heads)) return heads;
  const order = Array.from({ length: heads.count }, (_, at) => at);
  // Sorting keeps the order of what is equal, and takes little time for keys that are nearly in their order.
  order.sort((a, b) => compareKeys(heads, a, b));
  const run = new Part(heads.count, heads.keys.length);
  for (const at of order) run.add(heads, at);
  return run.finish();
}

function isSorted(heads: HeadColumns): boolean {
  for (let at = 1; at < heads.count; at++) if (compareKeys(heads, at - 1, at) > 0) return false;
  return true;
}

/**
 * Merges runs, those with older rows first, in parts of about `partRows` rows that ascend by key, then by age, from part to
 * part. All rows of a key are in one part. A merge of all at once looks at every row once, and moves it once.
 */
export function* mergedRuns(runs: readonly HeadColumns[], partRows: number): Generator<HeadColumns, void, void> {
  const cursors = new CursorHeap(runs);
  let part = new Part(partRows, partRows * usualKeyBytes);
  for (let lowest = cursors.lowest; lowest !== undefined; lowest = cursors.lowest) {
    const next = cursors.secondLowest;
    // Keys often come in their order, or nearly: then the next one is mostly of the same run.
    do {
      if (part.count >= partRows && !part.endsWithKeyOf(lowest)) {
        yield part.finish();
        part = new Part(partRows, partRows * usualKeyBytes);
      }
      part.add(lowest.heads, lowest.at);
    } while (lowest.advance() && (next === undefined || lowest.isBefore(next)));
    cursors.restore();
  }
  yield part.finish();
}

/** Bytes of keys that a part makes room for at first, for each row. */
const usualKeyBytes = 32;

/** Rows that are put together; grows beyond what was expected. */
class Part {
  #heads: HeadColumns;
  #count = 0;

  constructor(rows: number, keyBytes: number) {
    this.#heads = columnsFor(rows, Buffer.alloc(keyBytes));
  }

  get count(): number {
    return this.#count;
  }

  endsWithKeyOf(cursor: Cursor): boolean {
    return compareBytes(keyPlace(this.#heads, this.#count - 1), cursor) === 0;
  }

  add(heads: HeadColumns, at: number): void {
    const start = keyStart(heads, at);
    const end = keyEnd(heads, at);
    const to = keyStart(this.#heads, this.#count);
    if (this.#count === this.#heads.count || to + end - start > this.#heads.keys.length) this.#grow(to + end - start);
    const { keys, keyEnds } = this.#heads;
    // For keys of usual length a loop takes less time than a call.
    for (let from = start; from < end; from++) keys[to + from - start] = heads.keys[from] ?? 0;
    keyEnds[this.#count] = to + end - start;
    copyNumbers(heads, at, this.#heads, this.#count);
    this.#count++;
  }

  finish(): HeadColumns {
    return { ...this.#heads, count: this.#count };
  }

  #grow(keyBytes: number): void {
    const old = this.#heads;
    const keys = Buffer.alloc(2 * Math.max(keyBytes, old.keys.length));
    keys.set(old.keys);
    this.#heads = columnsFor(2 * old.count, keys);
    for (let at = 0; at < this.#count; at++) copyNumbers(old, at, this.#heads, at);
    this.#heads.keyEnds.set(old.keyEnds);
  }
}

/** A place in a run, with that of its key, which is compared many times. */
class Cursor implements KeyPlace {
  readonly heads: HeadColumns;
  readonly keys: Buffer;
  /** Older runs have lower numbers. */
  readonly #number: number;
  at = 0;
  start = 0;
  end: number;

  constructor(heads: HeadColumns, number: number) {
    this.heads = heads;
    this.keys = heads.keys;
    this.#number = number;
    this.end = keyEnd(heads, 0);
  }

  get isAtEnd(): boolean {
    return this.at >= this.heads.count;
  }

  /** False at the end. */
  advance(): boolean {
    this.at++;
    if (this.isAtEnd) return false;
    this.start = this.end;
    this.end = keyEnd(this.heads, this.at);
    assert(this.start <= this.end, 'keys stand one after the other');
    return true;
  }

  isBefore(other: Cursor): boolean {
    const difference = compareBytes(this, other);
    return difference < 0 || (difference === 0 && this.#number < other.#number);
  }
}

/** Cursors as a heap: each is before those at twice its place, and one and two beyond. */
class CursorHeap {
  readonly #heap: Cursor[];

  constructor(runs: readonly HeadColumns[]) {
    this.#heap = runs.flatMap((run, number) => (run.count === 0 ? [] : [new Cursor(run, number)]));
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
