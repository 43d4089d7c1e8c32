/** The replicated key-value store: applies committed commands to SQLite and the key index, and reads them back. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { assert, unreachable } from '../base/assert';
import type { Entry, StateMachine } from '../raft';
import type { Command, DeleteCommand, PutCommand } from './command';
import { decodeCommand } from './command-codec';
import { formOf, RowFlags, type HistoryRow } from './history-row';
import { KeyIndex, keyToBytes, keyToString, type KeyVersion } from './key-index';
import type { DeleteResult, KeyRecord, KvReader, PutResult, RangePage, RangeQuery, Result } from './result';
import { openSqliteStore, type Counters, type SqliteStore, type SqliteStoreOptions } from './sqlite-store';

/** Which store to open. */
export type KvStateMachineOptions = SqliteStoreOptions;

/** The key-value state machine with its reads. All of it on one thread, never concurrently. */
export interface KvStateMachine extends StateMachine<Result>, KvReader {
  /**
   * SHA-256 in hex over the counters and every live key with its value, form and revisions, in the order of their last
   * change. Members at the same `appliedIndex` have the same hash. Computed on demand by reading the whole database,
   * checking every row on the way, and blocks for that long: for tests and offline checks.
   */
  hash(): string;
}

/**
 * Opens the store, or makes an empty one at revision 1, and rebuilds the key index from it.
 *
 * @throws QuorateError `refused-to-start` when the file is another cluster's, newer, or cannot be used; `damaged` when
 *   it fails a check
 */
export function openKvStateMachine(options: KvStateMachineOptions): KvStateMachine {
  const store = openSqliteStore(options);
  try {
    return new SqliteKvStateMachine(store, rebuildIndex(store));
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The counters while a batch is applied: they become the store's when all of it is written. */
type Draft = { -readonly [Field in keyof Counters]: Counters[Field] };

const noValue = new Uint8Array(0);

class SqliteKvStateMachine implements KvStateMachine {
  readonly #store: SqliteStore;
  readonly #index: KeyIndex;
  #counters: Counters;
  /** After a failed `apply` the index may know what the store does not: nothing may be asked any more. */
  #failed = false;

  constructor(store: SqliteStore, index: KeyIndex) {
    this.#store = store;
    this.#index = index;
    this.#counters = store.loaded;
  }

  get appliedIndex(): number {
    return this.#counters.appliedIndex;
  }

  get appliedTerm(): number {
    return this.#counters.appliedTerm;
  }

  get revision(): number {
    return this.#counters.revision;
  }

  apply(entries: readonly Entry[]): readonly (Result | undefined)[] {
    assert(!this.#failed, 'nothing is applied after a failure');
    if (entries.length === 0) return [];
    const draft: Draft = { ...this.#counters };
    let results: readonly (Result | undefined)[] = [];
    this.#failed = true;
    this.#store.write(() => {
      results = entries.map((entry) => this.#applyEntry(entry, draft));
      return draft;
    });
    this.#failed = false;
    this.#counters = draft;
    return results;
  }

  get(key: Uint8Array): KeyRecord | undefined {
    assert(!this.#failed, 'nothing is read after a failure');
    const version = this.#index.get(keyToString(key));
    return version === undefined ? undefined : toRecord(key, version, this.#readValue(key, version));
  }

  range(query: RangeQuery): RangePage {
    assert(!this.#failed, 'nothing is read after a failure');
    assert(query.limit >= 1, 'a page has room for one record');
    return query.keysOnly ? this.#collect(query) : this.#store.readTogether(() => this.#collect(query));
  }

  sizeBytes(): number {
    return this.#store.sizeBytes();
  }

  hash(): string {
    assert(!this.#failed, 'nothing is read after a failure');
    const hash = createHash('sha256');
    const { appliedIndex, appliedTerm, revision } = this.#counters;
    hash.update(JSON.stringify([appliedIndex, appliedTerm, revision, this.#index.size]));
    this.#store.scanRows((row) => {
      if (this.#index.get(keyToString(row.key))?.row !== row.row) return;
      const { createRevision, version, flags, key, value } = row;
      hash.update(JSON.stringify([row.revision, createRevision, version, flags, key.length, value.length]));
      hash.update(key).update(value);
    });
    return hash.digest('hex');
  }

  close(): void {
    this.#failed = true;
    this.#store.close();
  }

  #applyEntry(entry: Entry, draft: Draft): Result | undefined {
    assert(entry.index === draft.appliedIndex + 1, 'entries are applied one after the other, without a gap');
    assert(entry.term >= draft.appliedTerm, 'terms of applied entries never fall');
    draft.appliedIndex = entry.index;
    draft.appliedTerm = entry.term;
    switch (entry.kind) {
      case 'command':
        return this.#applyCommand(decodeCommand(entry.payload), draft);
      case 'no-op':
      case 'configuration':
        return undefined;
      default:
        return unreachable(entry.kind);
    }
  }

  #applyCommand(command: Command, draft: Draft): Result {
    switch (command.kind) {
      case 'put':
        return this.#put(command, draft);
      case 'delete':
        return this.#delete(command, draft);
      default:
        return unreachable(command);
    }
  }

  #put({ key, value, form }: PutCommand, draft: Draft): PutResult {
    const revision = nextRevision(draft);
    const row = ++draft.lastRow;
    const flags = RowFlags.put | (form === 'text' ? RowFlags.textValue : 0) | keyFlags(key);
    const { createRevision, version } = this.#index.put(keyToString(key), { row, revision, flags });
    this.#store.insert({ row, revision, sub: 0, createRevision, version, flags, key, value });
    return { kind: 'put', revision, createRevision, version };
  }

  #delete({ key }: DeleteCommand, draft: Draft): DeleteResult {
    const deleted = this.#index.delete(keyToString(key));
    if (!deleted) return { kind: 'delete', revision: draft.revision, deleted };
    const revision = nextRevision(draft);
    this.#store.insert(tombstone(key, revision, ++draft.lastRow));
    return { kind: 'delete', revision, deleted };
  }

  #collect({ start, end, limit, maxBytes, keysOnly }: RangeQuery): RangePage {
    const records: KeyRecord[] = [];
    let bytes = 0;
    let more = false;
    const last = end === undefined ? undefined : keyToString(end);
    this.#index.scan(keyToString(start), last, (name, version) => {
      more = records.length === limit;
      if (more) return 'stop';
      const key = keyToBytes(name);
      const record = toRecord(key, version, keysOnly ? noValue : this.#readValue(key, version));
      bytes += key.length + record.value.length;
      more = records.length > 0 && bytes > maxBytes;
      if (more) return 'stop';
      records.push(record);
      return 'next';
    });
    return { records, more };
  }

  #readValue(key: Uint8Array, version: KeyVersion): Buffer {
    return this.#store.readValue({ ...version, revision: version.modRevision }, key);
  }
}

function rebuildIndex(store: SqliteStore): KeyIndex {
  const versions = new Map<string, KeyVersion>();
  store.scanHeads(({ row, revision, createRevision, version, flags }, key) => {
    const name = keyToString(key);
    if ((flags & RowFlags.put) === 0) versions.delete(name);
    else versions.set(name, { row, createRevision, modRevision: revision, version, flags });
  });
  return KeyIndex.from(versions);
}

function nextRevision(draft: Draft): number {
  draft.revision += 1;
  assert(Number.isSafeInteger(draft.revision), 'a revision is a safe integer');
  return draft.revision;
}

function keyFlags(key: Uint8Array): number {
  return isUtf8(key) ? RowFlags.textKey : 0;
}

function tombstone(key: Uint8Array, revision: number, row: number): HistoryRow {
  return { row, revision, sub: 0, createRevision: 0, version: 0, flags: keyFlags(key), key, value: noValue };
}

function toRecord(key: Uint8Array, version: KeyVersion, value: Uint8Array): KeyRecord {
  const { createRevision, modRevision } = version;
  return { key, value, form: formOf(version.flags), createRevision, modRevision, version: version.version };
}
