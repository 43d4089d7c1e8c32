/** The replicated key-value store: applies committed commands to SQLite and the key index, and reads them back. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { assert, AssertionError, unreachable } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Entry, LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver, StateMachine } from '../raft';
import { noLease, type DeleteOperation, type PlainCommand, type PutOperation } from './command';
import { decodeCommand } from './command-codec';
import { isSingleKey } from './key-range';
import { formOf, RowFlags, type HistoryRow } from './history-row';
import { FileMedium } from './file-medium';
import { buildIndex, buildIndexInSteps } from './index-builder';
import { keyToBytes, keyToString, type KeyIndex, type KeyVersion } from './key-index';
import { MemoryMedium, MemoryStateDisk } from './memory-medium';
import type {
  Alarm,
  ApplyListener,
  Change,
  DeleteResult,
  HistoryPage,
  KeyRecord,
  KvHash,
  KvReader,
  LeaseInfo,
  PutResult,
  RangePage,
  RangeQuery,
  RangeResult,
  Result,
  TxnResult,
} from './result';
import type { Counters, SqliteStore } from './sqlite-store';
import type { StateMedium } from './state-medium';

/** Which store to open. */
export interface KvStateMachineOptions {
  /** The file; made if it is not there. `:memory:` for a store that lives as long as the process, or as its `disk`. */
  readonly path: string;
  /** 64 bits. A file of another cluster is refused. */
  readonly clusterId: bigint;
  /** The last entry that the log no longer holds: the state must reach to there, or a snapshot that was taken in. */
  readonly logStart?: LogPosition;
  /** For `:memory:`: what was kept of an earlier life. Default: a new, empty one. */
  readonly disk?: MemoryStateDisk;
}

/** The key-value state machine with its reads. All of it on one thread, never concurrently. */
export interface KvStateMachine extends StateMachine<Result>, KvReader {
  /**
   * SHA-256 in hex over the counters and every live key with its value, form and revisions, in the order of their last
   * change. Members at the same `appliedIndex` have the same hash. Computed on demand by reading the whole database,
   * checking every row on the way, and blocks for that long: for tests and offline checks.
   */
  hash(): string;
  /** Tells `listener` from the next batch on. */
  addListener(listener: ApplyListener): void;
}

/**
 * Opens the store, or makes an empty one at revision 1, and rebuilds the key index from it. If a crash interrupted an
 * `install`, it is completed. Snapshots that are worth nothing any more are removed.
 *
 * @throws QuorateError `refused-to-start` when the file is another cluster's, newer, or cannot be used, or does not
 *   reach to `logStart`; `damaged` when it fails a check
 */
export function openKvStateMachine(options: KvStateMachineOptions): KvStateMachine {
  const { path, clusterId, logStart = { index: 0, term: 0 } } = options;
  const medium =
    path === ':memory:'
      ? new MemoryMedium(options.disk ?? new MemoryStateDisk(), clusterId)
      : new FileMedium(path, clusterId);
  const store = openAt(logStart, medium);
  try {
    return new SqliteKvStateMachine(medium, store, buildIndex(store));
  } catch (error) {
    store.close();
    throw error;
  }
}

function openAt(logStart: LogPosition, medium: StateMedium): SqliteStore {
  const store = medium.open();
  const { appliedIndex, appliedTerm } = store.loaded;
  if (appliedIndex >= logStart.index) {
    if (appliedIndex > logStart.index || appliedTerm === logStart.term) {
      medium.removeReceived();
      return store;
    }
  } else if (medium.hasReceived(logStart)) {
    const installed = medium.switchTo(logStart, store);
    assertInstalled(installed, logStart);
    medium.removeReceived();
    return installed;
  }
  store.close();
  throw notReaching(logStart, { index: appliedIndex, term: appliedTerm });
}

function notReaching(logStart: LogPosition, found: LogPosition): QuorateError {
  const text = ({ index, term }: LogPosition) => `entry ${String(index)} of term ${String(term)}`;
  return new QuorateError(
    'refused-to-start',
    `the state database has applied ${text(found)}, but the log begins after ${text(logStart)}, and no snapshot that ends ` +
      'there was received: one of the files was lost, or is an older copy. Put back all files of the data directory as ' +
      'they were when the member stopped. If there are none, remove this member from the cluster and add it again under ' +
      'a new name with an empty data directory',
    { details: { limit: String(logStart.index), actual: String(found.index) } },
  );
}

function assertInstalled({ loaded }: SqliteStore, { index, term }: LogPosition): void {
  assert(loaded.appliedIndex === index && loaded.appliedTerm === term, 'a snapshot ends where it was said to end');
}

/** The counters while a batch is applied: they become the store's when all of it is written. */
type Draft = { -readonly [Field in keyof Counters]: Counters[Field] };

const noValue = new Uint8Array(0);
const rowOverheadBytes = 64;
const transactionBytes = 8192;

class SqliteKvStateMachine implements KvStateMachine {
  readonly #medium: StateMedium;
  #store: SqliteStore;
  #index: KeyIndex;
  #counters: Counters;
  /** After a failed `apply` the index may know what the store does not: nothing may be asked any more. */
  #failed = false;
  /** The installation under way, or the one that failed: then the member must stop. */
  #installing: Promise<void> | undefined;

  constructor(medium: StateMedium, store: SqliteStore, index: KeyIndex) {
    this.#medium = medium;
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
    assert(this.#installing === undefined, 'nothing is applied while a snapshot is installed');
    if (entries.length === 0) return [];
    this.#medium.onWritten(writtenBytes(entries));
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

  readonly compactRevision = 0;
  readonly clockMs = 0;
  readonly quotaBytes = 0;
  readonly alarms: readonly Alarm[] = [];
  readonly leaseCount = 0;
  readonly requestCount = 0;

  get keyCount(): number {
    return this.#index.size;
  }

  select(): RangeResult {
    return notThereYet();
  }

  readTxn(): TxnResult {
    return notThereYet();
  }

  changes(): readonly Change[] {
    return notThereYet();
  }

  keyHistory(): HistoryPage {
    return notThereYet();
  }

  lease(): LeaseInfo | undefined {
    return notThereYet();
  }

  leases(): IterableIterator<LeaseInfo> {
    return notThereYet();
  }

  leaseKeys(): readonly Uint8Array[] {
    return notThereYet();
  }

  requestState(): 'known' | 'expired' | 'new' {
    return notThereYet();
  }

  sizeInUseBytes(): number {
    return this.sizeBytes();
  }

  hashKv(): Promise<KvHash> {
    return notThereYet();
  }

  spaceReclaimed(): Promise<void> {
    return Promise.resolve();
  }

  addListener(): void {
    notThereYet();
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

  checkpoint(): Promise<number> {
    assert(!this.#failed, 'nothing is made durable after a failure');
    return this.#medium.checkpoint();
  }

  takeSnapshot(): Promise<Snapshot> {
    assert(!this.#failed, 'nothing is copied after a failure');
    return this.#medium.takeSnapshot();
  }

  receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver> {
    assert(offer.last.index > 0 && offer.last.term > 0, 'a snapshot stands for an entry');
    return this.#medium.receiveSnapshot(offer);
  }

  install(last: LogPosition): Promise<void> {
    assert(!this.#failed && this.#installing === undefined, 'one snapshot is installed at a time');
    assert(last.index > this.#counters.appliedIndex, 'a snapshot moves the state forward (N3)');
    this.#installing = this.#install(last);
    return this.#installing;
  }

  close(): Promise<void> {
    this.#failed = true;
    const close = (): Promise<void> => this.#medium.close(this.#store);
    return this.#installing === undefined ? close() : this.#installing.then(close, close);
  }

  async #install(last: LogPosition): Promise<void> {
    // All that takes long happens beside the old state, which goes on answering reads.
    const received = this.#medium.openReceived(last);
    const index = await buildIndexInSteps(received, () => this.#pause()).finally(() => {
      received.close();
    });
    await this.#medium.prepareSwitch();
    await this.#pause();
    this.#failed = true;
    this.#store = this.#medium.switchTo(last, this.#store);
    assertInstalled(this.#store, last);
    this.#index = index;
    this.#counters = this.#store.loaded;
    this.#failed = false;
    this.#installing = undefined;
  }

  /**
   * Lets whatever waits for the thread have its turn.
   *
   * @throws QuorateError `stopping` when the state was closed meanwhile: the next opening completes the installation
   */
  async #pause(): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve));
    if (this.#failed) throw new QuorateError('stopping', 'the state was closed while a snapshot was installed');
  }

  #applyEntry(entry: Entry, draft: Draft): Result | undefined {
    assert(entry.index === draft.appliedIndex + 1, 'entries are applied one after the other, without a gap');
    assert(entry.term >= draft.appliedTerm, 'terms of applied entries never fall');
    draft.appliedIndex = entry.index;
    draft.appliedTerm = entry.term;
    switch (entry.kind) {
      case 'command':
        return this.#applyCommand(decodeCommand(entry.payload).command, draft);
      case 'no-op':
      case 'configuration':
        return undefined;
      default:
        return unreachable(entry.kind);
    }
  }

  #applyCommand(command: PlainCommand, draft: Draft): Result {
    switch (command.kind) {
      case 'put':
        return this.#put(command, draft);
      case 'delete':
        return this.#delete(command, draft);
      default:
        return notThereYet();
    }
  }

  #put({ key, value, form }: PutOperation, draft: Draft): PutResult {
    const revision = nextRevision(draft);
    const row = ++draft.lastRow;
    const flags = RowFlags.put | (form === 'text' ? RowFlags.textValue : 0) | keyFlags(key);
    const { createRevision, version } = this.#index.put(keyToString(key), { row, revision, flags });
    this.#store.insert({ row, revision, sub: 0, createRevision, version, flags, key, value });
    return { kind: 'put', revision, createRevision, version, previous: undefined };
  }

  #delete({ range }: DeleteOperation, draft: Draft): DeleteResult {
    assert(isSingleKey(range), 'ranges are not deleted yet');
    const deleted = this.#index.delete(keyToString(range.start));
    if (!deleted) return { kind: 'delete', revision: draft.revision, deleted: 0, previous: [] };
    const revision = nextRevision(draft);
    this.#store.insert(tombstone(range.start, revision, ++draft.lastRow));
    return { kind: 'delete', revision, deleted: 1, previous: [] };
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

function notThereYet(): never {
  throw new AssertionError('this part of the store is not there yet');
}

/** What a batch adds to the write-ahead log, roughly: its rows, and the pages that every transaction writes anew. */
function writtenBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { payload }) => sum + payload.length + rowOverheadBytes, transactionBytes);
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
  return {
    key,
    value,
    form: formOf(version.flags),
    createRevision,
    modRevision,
    version: version.version,
    lease: noLease,
  };
}
