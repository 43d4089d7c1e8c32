/** Rows of the history without their values, many at a time: columns of numbers, and the keys one after the other. */

/** Columns instead of an object for each row: a million of them leave nothing to collect behind. */
export interface HeadColumns {
  readonly count: number;
  readonly rows: Float64Array;
  readonly revisions: Float64Array;
  readonly createRevisions: Float64Array;
  readonly versions: Float64Array;
  readonly flags: Uint8Array;
  readonly leases: BigInt64Array;
  readonly keys: Buffer;
  /** Where in `keys` the key of each row ends; the next one begins there. */
  readonly keyEnds: Uint32Array;
}

/** Columns for so many rows with these keys, to be filled. */
export function columnsFor(count: number, keys: Buffer): HeadColumns {
  return {
    count,
    rows: new Float64Array(count),
    revisions: new Float64Array(count),
    createRevisions: new Float64Array(count),
    versions: new Float64Array(count),
    flags: new Uint8Array(count),
    leases: new BigInt64Array(count),
    keys,
    keyEnds: new Uint32Array(count),
  };
}

/** Copies all of a row but its key. */
export function copyNumbers(from: HeadColumns, fromAt: number, to: HeadColumns, toAt: number): void {
  to.rows[toAt] = from.rows[fromAt] ?? 0;
  to.revisions[toAt] = from.revisions[fromAt] ?? 0;
  to.createRevisions[toAt] = from.createRevisions[fromAt] ?? 0;
  to.versions[toAt] = from.versions[fromAt] ?? 0;
  to.flags[toAt] = from.flags[fromAt] ?? 0;
  to.leases[toAt] = from.leases[fromAt] ?? 0n;
}

export function keyStart({ keyEnds }: HeadColumns, at: number): number {
  return at === 0 ? 0 : (keyEnds[at - 1] ?? 0);
}

export function keyEnd({ keyEnds }: HeadColumns, at: number): number {
  return keyEnds[at] ?? 0;
}

/** The key of a row, one character a byte, as the index holds it. */
export function keyText(columns: HeadColumns, at: number): string {
  return columns.keys.toString('latin1', keyStart(columns, at), keyEnd(columns, at));
}

/** A key among others. */
export interface KeyPlace {
  readonly keys: Buffer;
  readonly start: number;
  readonly end: number;
}

export function keyPlace(heads: HeadColumns, at: number): KeyPlace {
  return { keys: heads.keys, start: keyStart(heads, at), end: keyEnd(heads, at) };
}

/** Below 0 if the key of row `a` comes before that of row `b`, 0 if they are equal. */
export function compareKeys(heads: HeadColumns, a: number, b: number): number {
  return compareBytes(keyPlace(heads, a), keyPlace(heads, b));
}

/** Below 0 if `a` comes before `b`, 0 if they are equal. For keys of usual length the loop takes less time than `Buffer.compare`. */
export function compareBytes(a: KeyPlace, b: KeyPlace): number {
  const difference = a.end - a.start - (b.end - b.start);
  const shorterEnd = difference < 0 ? a.end : a.start + b.end - b.start;
  for (let at = a.start, other = b.start; at < shorterEnd; at++, other++) {
    const found = (a.keys[at] ?? 0) - (b.keys[other] ?? 0);
    if (found !== 0) return found;
  }
  return difference;
}
