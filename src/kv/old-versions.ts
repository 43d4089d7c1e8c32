/** The older versions of one key: where its values were, as numbers in one array. In memory only. */
import { assert } from '../base/assert';

/**
 * Pairs of numbers, oldest first: a revision, and the row of the version that began with it; the row is negative when that
 * is a deletion. One array of numbers for a key, since an object for each version would take five times the memory.
 */
export type OldVersions = readonly number[];

/** Up to so many numbers the array is copied when it grows, so that it is no larger than needed: `push` reserves 16 more. */
const copiedNumbers = 16;

/** Adds the version that follows; the array given may no longer be used. */
export function withVersion(versions: OldVersions | undefined, revision: number, row: number): OldVersions {
  if (versions === undefined) return [revision, row];
  assert(revision >= lastRevision(versions), 'revisions of a key never fall');
  if (versions.length < copiedNumbers) return extended(versions, revision, row);
  (versions as number[]).push(revision, row);
  return versions;
}

/** A copy of exactly the length that is needed. Twice as fast as `concat`. */
function extended(versions: OldVersions, revision: number, row: number): OldVersions {
  const { length } = versions;
  const longer = new Array<number>(length + 2);
  for (let at = 0; at < length; at++) longer[at] = versions[at] ?? 0;
  longer[length] = revision;
  longer[length + 1] = row;
  return longer;
}

/** The row that held the key at a revision; `undefined` if it was not there, or what was there is not known any more. */
export function rowAt(versions: OldVersions, revision: number): number | undefined {
  const at = countUpTo(versions, revision);
  if (at === 0) return undefined;
  const row = versions[2 * at - 1];
  return row === undefined || row < 0 ? undefined : row;
}

/**
 * Takes out the versions before `revision` that no read at that revision or a later one needs.
 *
 * @param next the revision of the version that follows these; `undefined` if there is none
 * @returns the rows that are not needed any more, and what is left
 */
export function compacted(
  versions: OldVersions,
  revision: number,
  next: number | undefined,
): { readonly rows: number[]; readonly left: OldVersions | undefined } {
  const dead = deadCount(versions, revision, next);
  const rows: number[] = [];
  for (let at = 0; at < dead; at++) rows.push(Math.abs(versions[2 * at + 1] ?? 0));
  if (dead === 0) return { rows, left: versions };
  return { rows, left: 2 * dead === versions.length ? undefined : versions.slice(2 * dead) };
}

/** Where a version of a key, or its deletion, is. */
export interface VersionRow {
  readonly revision: number;
  readonly row: number;
  /** False for a deletion. */
  readonly isPut: boolean;
}

export function* newestFirst(versions: OldVersions): Generator<VersionRow, void, void> {
  for (let at = versions.length - 2; at >= 0; at -= 2) {
    const row = versions[at + 1] ?? 0;
    yield { revision: versions[at] ?? 0, row: Math.abs(row), isPut: row > 0 };
  }
}

/** How many versions, from the oldest on, are not needed. */
function deadCount(versions: OldVersions, revision: number, next: number | undefined): number {
  const before = countUpTo(versions, revision - 1);
  // A version of exactly this revision is kept even if another one of it followed: so a watch from there on sees all of it.
  const isSuperseded = (next !== undefined && next <= revision) || countUpTo(versions, revision) > before;
  if (isSuperseded || before === 0) return before;
  return (versions[2 * before - 1] ?? 0) < 0 ? before : before - 1;
}

/** How many versions are of this revision or an older one. */
function countUpTo(versions: OldVersions, revision: number): number {
  let low = 0;
  let high = versions.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[2 * middle] ?? 0) <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastRevision(versions: OldVersions): number {
  return versions[versions.length - 2] ?? 0;
}
