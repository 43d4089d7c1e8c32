/** The log as the core sees it: the terms of all entries, and the newest entries themselves. */
import { assert, required } from '../base/assert';
import type { Entry, LogPosition, TermRun } from './types';

/** What an entry costs beside its payload, in memory and on the way; so that bounds in bytes bound empty entries too. */
const entryOverheadBytes = 64;

/** What an entry counts wherever bytes of entries are bounded: its payload and a fixed overhead, in bytes. */
export function entryBytes({ payload }: { readonly payload: Uint8Array }): number {
  return payload.length + entryOverheadBytes;
}

/** What several entries, or proposals of them, count together. */
export function totalBytes(entries: readonly { readonly payload: Uint8Array }[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}

/** Most entries that can fit in `maxBytes`; at least one. */
export function mostEntries(maxBytes: number): number {
  return Math.max(1, Math.floor(maxBytes / entryOverheadBytes));
}

/** As many entries as fit in `maxBytes`, from the first on; at least one if there is any. */
export function fitting(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let bytes = 0;
  const tooMany = entries.findIndex((entry, at) => (bytes += entryBytes(entry)) > maxBytes && at > 0);
  return tooMany === -1 ? entries : entries.slice(0, tooMany);
}

/** Where a log begins, as found in storage. */
export interface LogStart {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly termBeforeFirst: number;
  readonly termRuns: readonly TermRun[];
  /** The newest entries, consecutive to `lastIndex`. */
  readonly tail: readonly Entry[];
}

/**
 * Indexes `firstIndex` to `lastIndex`. Terms of all of them are in memory (as runs: a few numbers); entries only from
 * `cacheFirst` on, older ones are in storage.
 */
export class RaftLog {
  /** Index of the first entry that is still in the log. */
  firstIndex: number;
  #termBeforeFirst: number;
  #runs: TermRun[];
  /** Entries `#cacheFirst` to `lastIndex`, at positions `#head` and after. */
  #cache: Entry[];
  #head = 0;
  #cacheFirst: number;
  #cachedBytes = 0;

  constructor(start: LogStart) {
    assert(start.lastIndex >= start.firstIndex - 1, 'a log ends at or after the place before its first entry');
    assert(start.tail.length <= start.lastIndex - start.firstIndex + 1, 'the tail lies within the log');
    this.firstIndex = start.firstIndex;
    this.#termBeforeFirst = start.termBeforeFirst;
    this.#runs = [...start.termRuns];
    this.#cache = [...start.tail];
    this.#cacheFirst = start.lastIndex - start.tail.length + 1;
    this.lastIndex = start.lastIndex;
    this.#cachedBytes = totalBytes(start.tail);
  }

  /** Index of the last entry; `firstIndex - 1` when the log is empty. */
  lastIndex: number;

  /** Index of the oldest entry in memory; `lastIndex + 1` when there is none. */
  get cacheFirst(): number {
    return this.#cacheFirst;
  }

  get lastTerm(): number {
    return this.#runs.at(-1)?.term ?? this.#termBeforeFirst;
  }

  get last(): LogPosition {
    return { index: this.lastIndex, term: this.lastTerm };
  }

  /** The term of an entry, or of the place just before the first; `undefined` outside the log. */
  termAt(index: number): number | undefined {
    if (index < this.firstIndex - 1 || index > this.lastIndex) return undefined;
    if (index === this.firstIndex - 1) return this.#termBeforeFirst;
    return required(this.#runs[this.#runAt(index)], 'every index of the log lies in a run').term;
  }

  /** True if the log holds exactly this entry. */
  holds(position: LogPosition): boolean {
    return this.termAt(position.index) === position.term;
  }

  /** §5.4.1: the log with the later last term is more up-to-date; with equal terms, the longer one. */
  isUpToDate(candidateLast: LogPosition): boolean {
    if (candidateLast.term !== this.lastTerm) return candidateLast.term > this.lastTerm;
    return candidateLast.index >= this.lastIndex;
  }

  /**
   * The last position at or before `index` whose term is at most `term`: the logs of two members cannot agree anywhere
   * above it (§5.3, end).
   */
  lastAtMost(index: number, term: number): LogPosition {
    let at = Math.min(index, this.lastIndex);
    while (at >= this.firstIndex) {
      const run = required(this.#runs[this.#runAt(at)], 'every index of the log lies in a run');
      if (run.term <= term) return { index: at, term: run.term };
      at = run.firstIndex - 1;
    }
    return { index: this.firstIndex - 1, term: this.#termBeforeFirst };
  }

  /** Adds entries, which follow the last one and whose terms do not fall. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, 'an appended entry follows the last one');
      assert(entry.term >= this.lastTerm, 'terms never fall along a log');
      if (entry.term !== this.lastTerm || this.#runs.length === 0) {
        this.#runs.push({ firstIndex: entry.index, term: entry.term });
      }
      this.#cache.push(entry);
      this.#cachedBytes += entryBytes(entry);
      this.lastIndex = entry.index;
    }
  }

  /** Removes the entries from `index` on. */
  truncateSuffix(index: number): void {
    assert(index >= this.firstIndex, 'what is removed lies within the log');
    while ((this.#runs.at(-1)?.firstIndex ?? 0) >= index) this.#runs.pop();
    while (this.#cacheFirst + this.#cachedCount > Math.max(index, this.#cacheFirst)) {
      this.#cachedBytes -= entryBytes(required(this.#cache.pop(), 'a counted entry is in the cache'));
    }
    this.lastIndex = index - 1;
    if (this.#cachedCount === 0) this.#cacheFirst = index;
  }

  /** Forgets the entries up to and including `index`. */
  truncatePrefix(index: number): void {
    const term = this.termAt(index);
    assert(term !== undefined, 'what is forgotten lies within the log');
    this.#evictUpTo(index);
    const keep = index < this.lastIndex ? this.#runAt(index + 1) : this.#runs.length;
    const first = this.#runs[keep];
    this.#runs = this.#runs.slice(keep);
    if (first !== undefined) this.#runs[0] = { firstIndex: index + 1, term: first.term };
    this.firstIndex = index + 1;
    this.#termBeforeFirst = term;
  }

  /** Begins anew after `position`, which a snapshot stands for. */
  reset(position: LogPosition): void {
    this.firstIndex = position.index + 1;
    this.lastIndex = position.index;
    this.#termBeforeFirst = position.term;
    this.#runs = [];
    this.#cache = [];
    this.#head = 0;
    this.#cacheFirst = position.index + 1;
    this.#cachedBytes = 0;
  }

  /**
   * Entries `first` to `last`, or as many from the start of them as fit in `maxBytes` by `entryBytes` (at least one).
   *
   * @returns `undefined` if `first` is no longer in memory
   */
  slice(first: number, last: number, maxBytes: number): readonly Entry[] | undefined {
    assert(last <= this.lastIndex, 'only entries of the log are asked for');
    if (first < this.#cacheFirst) return undefined;
    const from = this.#head + first - this.#cacheFirst;
    const end = this.#head + last - this.#cacheFirst + 1;
    let bytes = 0;
    let to = from;
    while (to < end) {
      bytes += entryBytes(required(this.#cache[to], 'an index in the cache has an entry'));
      if (bytes > maxBytes && to > from) break;
      to++;
    }
    return this.#cache.slice(from, to);
  }

  /** What one entry in memory counts, by `entryBytes`; 0 if it is not there. */
  sizeAt(index: number): number {
    if (index < this.#cacheFirst) return 0;
    const entry = this.#cache[this.#head + index - this.#cacheFirst];
    return entry === undefined ? 0 : entryBytes(entry);
  }

  /** Drops the oldest entries from memory while there are more than `maxBytes`, none above `upTo`. */
  evict(upTo: number, maxBytes: number): void {
    assert(upTo <= this.lastIndex, 'only entries of the log are dropped from memory');
    let last = this.#cacheFirst - 1;
    for (let bytes = this.#cachedBytes; bytes > maxBytes && last < upTo;) bytes -= this.sizeAt(++last);
    this.#evictUpTo(last);
  }

  #evictUpTo(last: number): void {
    while (this.#cacheFirst <= last) {
      this.#cachedBytes -= this.sizeAt(this.#cacheFirst);
      this.#head++;
      this.#cacheFirst++;
    }
    if (this.#head * 2 > this.#cache.length) {
      this.#cache = this.#cache.slice(this.#head);
      this.#head = 0;
    }
  }

  get #cachedCount(): number {
    return this.#cache.length - this.#head;
  }

  /** Position in `#runs` of the run that holds `index`. The last run is by far the most wanted. */
  #runAt(index: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    if (index >= (this.#runs[high]?.firstIndex ?? Infinity)) return high;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (required(this.#runs[middle], 'the search stays within the runs').firstIndex <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
