/** Records that were read lately. */
import type { KeyRecord } from './result';

/** What the cache of one store may hold, keys and values together. */
const recordCacheBytes = 16 * 1024 * 1024;
/** What a record takes beside its key and its value, about. */
const recordOverheadBytes = 200;

/**
 * Holds records by row. A row never changes and its number is never used again, so what was read of it once, and checked,
 * holds for ever: a record from here takes a tenth of the time that SQLite and the checksum take.
 *
 * Of two generations the older one is dropped as a whole when the younger one has grown to half of the bytes; what is used
 * meanwhile moves to the younger one.
 */
export class RecordCache {
  readonly #maxBytes: number;
  #young = new Map<number, KeyRecord>();
  #old: ReadonlyMap<number, KeyRecord> = new Map();
  #youngBytes = 0;

  constructor(maxBytes = recordCacheBytes) {
    this.#maxBytes = maxBytes;
  }

  get(row: number): KeyRecord | undefined {
    const young = this.#young.get(row);
    if (young !== undefined) return young;
    const old = this.#old.get(row);
    if (old !== undefined) this.add(row, old);
    return old;
  }

  /** Adds a record that the younger generation has not. */
  add(row: number, record: KeyRecord): void {
    this.#young.set(row, record);
    this.#youngBytes += record.key.length + record.value.length + recordOverheadBytes;
    if (this.#youngBytes < this.#maxBytes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
