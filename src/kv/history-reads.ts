/** Reads of the history: what changed from a revision on, and what became of one key. */
import { RowFlags, type HistoryRow } from './history-row';
import { keyToString, type KeyIndex, type Visit } from './key-index';
import { noValue, recordOfDelete, recordOfRow } from './key-records';
import type { KvState } from './kv-state';
import type { VersionRow } from './old-versions';
import type { Change, HistoryPage, HistoryQuery } from './result';

/** How many changes may be read at a time. */
export interface ChangesLimit {
  readonly maxChanges: number;
  readonly maxBytes: number;
}

/** Whole revisions from `fromRevision` on, which must not be compacted: as many as fit, but at least one if there is one. */
export function changesFrom({ store, facts }: KvState, fromRevision: number, limit: ChangesLimit): readonly Change[] {
  if (fromRevision > facts.revision) return [];
  const collected = new WholeRevisions(limit);
  const first = store.history.firstRowOf(fromRevision, { lastRow: facts.lastRow, lastRevision: facts.revision });
  store.history.visitFrom(first, (row) => collected.add(row));
  return collected.changes();
}

/** Collects changes until the limit is reached, and gives only revisions that are complete. */
class WholeRevisions {
  readonly #limit: ChangesLimit;
  readonly #changes: Change[] = [];
  /** Of these, those whose revisions are complete. */
  #complete = 0;
  #bytes = 0;
  #isFull = false;

  constructor(limit: ChangesLimit) {
    this.#limit = limit;
  }

  add(row: HistoryRow): Visit {
    if (this.#changes.at(-1)?.revision !== row.revision) this.#complete = this.#changes.length;
    this.#bytes += row.key.length + row.value.length;
    this.#isFull ||= this.#changes.length === this.#limit.maxChanges || this.#bytes > this.#limit.maxBytes;
    // The first revision is given however large it is.
    if (this.#isFull && this.#complete > 0) return 'stop';
    this.#changes.push(changeOf(row));
    return 'next';
  }

  changes(): readonly Change[] {
    return this.#isFull && this.#complete > 0 ? this.#changes.slice(0, this.#complete) : this.#changes;
  }
}

/** A page of the versions of one key that are not compacted. */
export function historyOf(state: KvState, key: Uint8Array, query: HistoryQuery): HistoryPage {
  const { beforeRevision, limit, maxBytes, keysOnly } = query;
  const changes: Change[] = [];
  let bytes = 0;
  for (const { revision, row } of keptVersions(state, keyToString(key))) {
    if (beforeRevision !== 0 && revision >= beforeRevision) continue;
    if (changes.length === limit) return { changes, more: true };
    const change = changeOf(state.store.history.readRow(row));
    const shown = keysOnly ? { ...change, record: { ...change.record, value: noValue } } : change;
    bytes += key.length + shown.record.value.length;
    if (changes.length > 0 && bytes > maxBytes) return { changes, more: true };
    changes.push(shown);
  }
  return { changes, more: false };
}

/** True if a row is part of the state: not compacted, whether or not it has been removed yet. */
export function isKept({ index, facts }: KvState, { key, row, revision }: HistoryRow): boolean {
  return revision >= facts.compactRevision || rowHeldAt(index, key, facts.compactRevision) === row;
}

/** The row that held a key at a revision; `undefined` if it was not there. */
export function rowHeldAt(index: KeyIndex, key: Uint8Array, revision: number): number | undefined {
  const held = index.getAt(keyToString(key), revision);
  return typeof held === 'object' ? held.row : held;
}

/** Newest first. Of those before the compacted revision only the one that held the key then is part of the state. */
function* keptVersions({ index, facts }: KvState, name: string): Generator<VersionRow, void, void> {
  const { compactRevision } = facts;
  let newer = Infinity;
  for (const version of index.versionsOf(name)) {
    if (version.revision < compactRevision && (!version.isPut || newer <= compactRevision)) return;
    yield version;
    newer = version.revision;
  }
}

function changeOf(row: HistoryRow): Change {
  const { revision, sub } = row;
  if ((row.flags & RowFlags.put) !== 0) return { revision, sub, kind: 'put', record: recordOfRow(row) };
  return { revision, sub, kind: 'delete', record: recordOfDelete(row.key, revision) };
}
