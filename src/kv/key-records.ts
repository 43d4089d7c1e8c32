/** Reads of keys: what they are now, and what they were at a revision. */
import { noLease, type KeyRange, type RangeOperation } from './command';
import { formOf, RowFlags, type HistoryRow } from './history-row';
import { keyToBytes, keyToString, type KeyVersion, type Visit } from './key-index';
import { isSingleKey } from './key-range';
import type { KvState } from './kv-state';
import type { KeyRecord, RangePage, RangeQuery, RangeResult } from './result';

/** What holds a key: its newest version, or the row of an older one. */
type Held = KeyVersion | number;

/** A record whose value may not be read yet. */
interface Found {
  readonly name: string;
  /** Without a value if `version` is given. */
  readonly record: KeyRecord;
  /** Where the value is. */
  readonly version: KeyVersion | undefined;
}

/** The state as it is, be it within a batch. */
export const newest = 0;

export const noValue = new Uint8Array(0);

/** Revisions that are asked for must be neither compacted nor ahead: the caller checks that. */
export class KeyRecords {
  readonly #state: KvState;

  constructor(state: KvState) {
    this.#state = state;
  }

  /** @param revision `newest`, or one that is not compacted */
  get(key: Uint8Array, revision: number): KeyRecord | undefined {
    const name = keyToString(key);
    const held = this.#heldAt(name, revision);
    return held === undefined ? undefined : this.#whole(name, held);
  }

  /** The newest version as a record. */
  recordOf(name: string, version: KeyVersion): KeyRecord {
    return this.#whole(name, version);
  }

  /** The lease of a key's newest version. */
  leaseOf(name: string, { flags }: KeyVersion): bigint {
    return (flags & RowFlags.leased) === 0 ? noLease : this.#state.leases.leaseOf(name);
  }

  valueOf(name: string, version: KeyVersion): Buffer {
    const { row, createRevision, modRevision, version: count, flags } = version;
    const lease = this.leaseOf(name, version);
    const location = { row, revision: modRevision, createRevision, version: count, flags, lease };
    return this.#state.store.history.readValue(location, keyToBytes(name));
  }

  /** A page; what is beyond it is not read. */
  page(query: RangeQuery): RangePage {
    if (query.keysOnly) return this.#collectPage(query);
    return this.#state.store.readTogether(() => this.#collectPage(query));
  }

  /** A range as etcd means it. @param storeRevision what the result tells as its revision */
  select(operation: Omit<RangeOperation, 'kind'>, storeRevision: number): RangeResult {
    if (operation.countOnly) {
      const count = this.#count(operation.range, operation.revision);
      return { kind: 'range', revision: storeRevision, records: [], more: false, count };
    }
    // Of one key there is one row to be read, if any: a transaction would cost more than it saves.
    if (isSingleKey(operation.range)) return this.#collect(operation, storeRevision);
    return this.#state.store.readTogether(() => this.#collect(operation, storeRevision));
  }

  /** Visits what holds the keys of a range in ascending order. */
  visit(range: KeyRange, revision: number, visit: (name: string, held: Held) => Visit): void {
    const { start, end } = range;
    const first = keyToString(start);
    if (isSingleKey(range)) {
      const held = this.#heldAt(first, revision);
      if (held !== undefined) visit(first, held);
      return;
    }
    const last = end === undefined ? undefined : keyToString(end);
    if (revision === newest) this.#state.index.scan(first, last, visit);
    else this.#state.index.scanAt({ start: first, end: last, revision }, visit);
  }

  #heldAt(name: string, revision: number): Held | undefined {
    const { index } = this.#state;
    return revision === newest ? index.get(name) : index.getAt(name, revision);
  }

  #collectPage(query: RangeQuery): RangePage {
    const { limit, maxBytes, keysOnly, revision } = query;
    const records: KeyRecord[] = [];
    let bytes = 0;
    let more = false;
    this.visit(query, revision, (name, held) => {
      more = records.length === limit;
      if (more) return 'stop';
      const record = keysOnly ? withoutValue(this.#find(name, held).record) : this.#whole(name, held);
      bytes += record.key.length + record.value.length;
      more = records.length > 0 && bytes > maxBytes;
      if (more) return 'stop';
      records.push(record);
      return 'next';
    });
    return { records, more };
  }

  #count(range: KeyRange, revision: number): number {
    let count = 0;
    this.visit(range, revision, () => {
      count += 1;
      return 'next';
    });
    return count;
  }

  #collect(operation: Omit<RangeOperation, 'kind'>, storeRevision: number): RangeResult {
    const { range, revision, limit, keysOnly, sortTarget } = operation;
    const isNatural = isInKeyOrder(operation) && !hasBounds(operation);
    const most = limit === 0 ? Infinity : limit;
    const mostFound = isNatural ? most : sortsAll(operation) ? Infinity : most + 1;
    let found: Found[] = [];
    let count = 0;
    this.visit(range, revision, (name, held) => {
      count += 1;
      if (found.length < mostFound) found.push(this.#find(name, held));
      return 'next';
    });
    if (sortTarget === 'value')
      found = found.map((each) => ({ ...each, record: this.#load(each), version: undefined }));
    if (!isNatural)
      found = sorted(
        found.filter(({ record }) => isWithinBounds(record, operation)),
        operation,
      );
    const more = isNatural ? count > most : found.length > most;
    const chosen = found.slice(0, most);
    const records = chosen.map((each) => (keysOnly ? withoutValue(each.record) : this.#load(each)));
    return { kind: 'range', revision: storeRevision, records, more, count };
  }

  #find(name: string, held: Held): Found {
    const { records, store } = this.#state;
    const row = typeof held === 'number' ? held : held.row;
    const known = records.get(row);
    if (known !== undefined) return { name, record: known, version: undefined };
    if (typeof held === 'number') {
      const record = recordOfRow(store.history.readRow(row));
      records.add(row, record);
      return { name, record, version: undefined };
    }
    const { createRevision, modRevision, version, flags } = held;
    const key = keyToBytes(name);
    const form = formOf(flags);
    const lease = this.leaseOf(name, held);
    return { name, record: { key, value: noValue, form, createRevision, modRevision, version, lease }, version: held };
  }

  #load({ name, record, version }: Found): KeyRecord {
    if (version === undefined) return record;
    const whole = { ...record, value: this.valueOf(name, version) };
    this.#state.records.add(version.row, whole);
    return whole;
  }

  #whole(name: string, held: Held): KeyRecord {
    return this.#load(this.#find(name, held));
  }
}

/** The record that a put left. */
export function recordOfRow(row: HistoryRow): KeyRecord {
  const { key, value, flags, createRevision, revision, version, lease } = row;
  return { key, value, form: formOf(flags), createRevision, modRevision: revision, version, lease };
}

/** A key that is not there any more, since the revision. */
export function recordOfDelete(key: Uint8Array, revision: number): KeyRecord {
  return {
    key,
    value: noValue,
    form: 'bytes',
    createRevision: 0,
    modRevision: revision,
    version: 0,
    lease: noLease,
  };
}

function withoutValue(record: KeyRecord): KeyRecord {
  return record.value.length === 0 ? record : { ...record, value: noValue };
}

function isInKeyOrder({ sortTarget, sortOrder }: Omit<RangeOperation, 'kind'>): boolean {
  return sortTarget === 'key' && sortOrder !== 'descend';
}

/** As etcd does: without an order and without bounds, only the first keys, one more than the limit, take part in the sorting. */
function sortsAll(operation: Omit<RangeOperation, 'kind'>): boolean {
  return operation.sortOrder !== 'none' || hasBounds(operation);
}

function hasBounds(operation: Omit<RangeOperation, 'kind'>): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = operation;
  return minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0;
}

function isWithinBounds(record: KeyRecord, operation: Omit<RangeOperation, 'kind'>): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = operation;
  return (
    isBetween(record.modRevision, minModRevision, maxModRevision) &&
    isBetween(record.createRevision, minCreateRevision, maxCreateRevision)
  );
}

/** 0 is no bound. */
function isBetween(revision: number, least: number, greatest: number): boolean {
  return revision >= least && (greatest === 0 || revision <= greatest);
}

/** A target without an order ascends. Records come in the order of their keys, which ties keep. */
function sorted(found: Found[], { sortTarget, sortOrder }: Omit<RangeOperation, 'kind'>): Found[] {
  const direction = sortOrder === 'descend' ? -1 : 1;
  switch (sortTarget) {
    case 'key':
      return direction === 1 ? found : found.reverse();
    case 'value':
      return found.sort((a, b) => direction * Buffer.compare(a.record.value, b.record.value));
    case 'version':
      return found.sort((a, b) => direction * (a.record.version - b.record.version));
    case 'create':
      return found.sort((a, b) => direction * (a.record.createRevision - b.record.createRevision));
    case 'mod':
      return found.sort((a, b) => direction * (a.record.modRevision - b.record.modRevision));
  }
}
