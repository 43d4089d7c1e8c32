/** The replicated key-value store: applies committed commands to SQLite and the key index, and reads them back. */
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { ApplyUntil, Entry, LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver, StateMachine } from '../raft';
import { Batch } from './batch';
import { CommandApplier } from './command-applier';
import { decodeEntry } from './command-codec';
import { touchesMoreThan } from './command-extent';
import type { EarlyIndex } from './early-index';
import { FileMedium } from './file-medium';
import { KeyRecords } from './key-records';
import { loadState, loadStateInSteps, type KvState } from './kv-state';
import { MemoryMedium, MemoryStateDisk } from './memory-medium';
import { openReaching, assertInstalled } from './open-state';
import { requestRetention, type RequestRetention } from './request-table';
import type { ApplyListener, KvReader, Result } from './result';
import { SpaceSweep } from './space-sweep';
import { hashState } from './state-hash';
import type { Vacuumed } from './sqlite-vacuum';
import type { StateMedium } from './state-medium';
import { StateReads } from './state-reads';

/** Which store to open. */
export interface KvStateMachineOptions {
  /** The file; made if it is not there. `:memory:` for a store that lives as long as the process, or as its `disk`. */
  readonly path: string;
  /** 64 bits. A file of another cluster is refused. */
  readonly clusterId: bigint;
  /** The last entry that the log no longer holds: the state must reach to there, or a snapshot that was taken in. */
  readonly logStart?: LogPosition;
  /** The index, read before; of no use unless it is of just the state that is opened. Default: it is read now. */
  readonly early?: EarlyIndex | undefined;
  /** For `:memory:`: what was kept of an earlier life. Default: a new, empty one. */
  readonly disk?: MemoryStateDisk;
  /**
   * For a file: how long what was applied may wait for its commit, to share it with what comes next; milliseconds. A
   * process that is killed applies it from the log again. 0 for a commit after every `apply`. Default 20: a commit costs
   * 50 µs and more, whatever it holds.
   */
  readonly commitDelayMs?: number;
  /**
   * For a file: told of a failure between two calls, of a commit or a checkpoint. The member must stop: the next `apply` throws
   * it. Default: nobody is told before.
   */
  onFailure?(error: QuorateError): void;
  /** The same on every member, always. Default: `requestRetention`. */
  readonly retention?: RequestRetention;
  /** An entry that touches more keys takes long, as `apply` means it. Default 4000: some 40 ms, less than a heartbeat interval. */
  readonly longFromKeys?: number;
}

/** Whether there are more rows to be checked; `none` if there are not, and were not before. */
export type RowsChecked = 'none' | 'more' | 'checked';

/** The key-value state machine with its reads. All of it on one thread, never concurrently. */
export interface KvStateMachine extends StateMachine<Result>, KvReader {
  /**
   * SHA-256 in hex over everything that is replicated and not compacted: the history with its values, leases, remembered
   * requests, alarms, and the counters. Members at the same `appliedIndex` have the same hash. Computed on demand by
   * reading the whole database, checking every row on the way, and blocks for that long: for tests and offline checks.
   */
  hash(): string;
  /** Tells `listener` what is applied from now on. A listener must not throw. */
  addListener(listener: ApplyListener): void;
  /**
   * Removes some of the rows that compactions have left behind; takes about a millisecond. To be called again and again, with
   * pauses, while it returns true.
   *
   * @returns whether there may be more
   */
  compactStep(): boolean;
  /**
   * Gives some free pages back to the file system, beside applying entries, and keeps those that soon will be needed again.
   * To be called again and again, with pauses, while there are more.
   */
  vacuumStep(): Promise<Vacuumed>;
  /**
   * Checks some of the rows, beside applying entries, where the index was not made of them but had been saved. To be called
   * again and again, with pauses, while it resolves with `more`: until then no row may be removed.
   *
   * @throws QuorateError `damaged` when a row is missing, or is not whole, or not the one that was saved
   */
  checkStep(): Promise<RowsChecked>;
}

/**
 * Opens the store, or makes an empty one at revision 1, and rebuilds the key index from it. If a crash interrupted an
 * `install`, it is completed. Snapshots that are worth nothing any more are removed.
 *
 * @throws QuorateError `refused-to-start` when the file is another cluster's, newer, or cannot be used, or does not
 *   reach to `logStart`; `damaged` when it fails a check
 */
export function openKvStateMachine(options: KvStateMachineOptions): KvStateMachine {
  const { path, clusterId, logStart = { index: 0, term: 0 }, retention = requestRetention } = options;
  const { commitDelayMs = 20, longFromKeys = 4000 } = options;
  const onFailure = (error: QuorateError): void => options.onFailure?.(error);
  const medium =
    path === ':memory:'
      ? new MemoryMedium(options.disk ?? new MemoryStateDisk(), clusterId)
      : new FileMedium({ path, clusterId, commitDelayMs, onFailure });
  const store = openReaching(logStart, medium);
  try {
    const state = loadState(store, retention, options.early);
    return new SqliteKvStateMachine(medium, state, { retention, longFromKeys });
  } catch (error) {
    store.close();
    throw error;
  }
}

/** What an entry adds to the write-ahead log beside its payload, and what every transaction may: pages written anew. */
const rowOverheadBytes = 64;
const transactionBytes = 8192;

class SqliteKvStateMachine extends StateReads implements KvStateMachine {
  readonly #medium: StateMedium;
  readonly #retention: RequestRetention;
  readonly #longFromKeys: number;
  readonly #listeners: ApplyListener[] = [];
  #state: KvState;
  #sweep: SpaceSweep;
  /** Who waits until nothing is left of what was compacted. */
  readonly #awaitingSpace: Deferred<void>[] = [];
  /** After a failed `apply` the index may know what the store does not: nothing may be asked any more. */
  #failed = false;
  /** The installation under way, or the one that failed: then the member must stop. */
  #installing: Promise<void> | undefined;

  constructor(
    medium: StateMedium,
    state: KvState,
    { retention, longFromKeys }: { readonly retention: RequestRetention; readonly longFromKeys: number },
  ) {
    super();
    this.#medium = medium;
    this.#retention = retention;
    this.#longFromKeys = longFromKeys;
    this.#state = state;
    this.#sweep = new SpaceSweep(state);
  }

  get appliedIndex(): number {
    return this.#state.facts.appliedIndex;
  }

  get appliedTerm(): number {
    return this.#state.facts.appliedTerm;
  }

  protected override get readable(): KvState {
    assert(!this.#failed, 'nothing is read after a failure');
    return this.#state;
  }

  override get revision(): number {
    return this.#state.facts.revision;
  }

  override sizeBytes(): number {
    return this.#state.store.sizeBytes();
  }

  addListener(listener: ApplyListener): void {
    this.#listeners.push(listener);
  }

  apply(entries: readonly Entry[], until: ApplyUntil = 'end'): readonly (Result | undefined)[] {
    assert(!this.#failed, 'nothing is applied after a failure');
    assert(this.#installing === undefined, 'nothing is applied while a snapshot is installed');
    if (entries.length === 0) return [];
    const batch = new Batch(this.#state.facts, this.#listeners.length > 0);
    const records = new KeyRecords(this.#state);
    const applier = new CommandApplier(this.#state, records, batch);
    const context = { records, leases: this.#state.leases };
    const results: (Result | undefined)[] = [];
    this.#failed = true;
    this.#state.store.write(() => {
      for (const entry of entries) {
        const commands = entry.kind === 'command' ? decodeEntry(entry.payload) : undefined;
        if (until === 'long' && commands !== undefined && touchesMoreThan(this.#longFromKeys, commands, context)) break;
        moveTo(entry, batch);
        results.push(commands === undefined ? undefined : applier.apply(commands, entry));
      }
      applier.finish();
      return batch.facts;
    });
    this.#medium.onWritten(writtenBytes(entries.slice(0, results.length)));
    this.#failed = false;
    this.#state.facts = batch.facts;
    for (const listener of this.#listeners) batch.tell(listener);
    return results;
  }

  compactStep(): boolean {
    assert(!this.#failed, 'nothing is removed after a failure');
    // The state is about to be replaced: the new one has its own rows to be removed.
    if (this.#installing !== undefined) return false;
    assert(this.#state.check?.isDone !== false, 'rows are checked before any of them is removed');
    this.#failed = true;
    const writtenBytes = this.#sweep.step();
    this.#medium.onWritten(writtenBytes);
    this.#failed = false;
    if (!this.#sweep.isDone) return true;
    for (const waiting of this.#awaitingSpace.splice(0)) waiting.resolve();
    return false;
  }

  vacuumStep(): Promise<Vacuumed> {
    assert(!this.#failed, 'nothing is given back after a failure');
    if (this.#installing !== undefined) return Promise.resolve({ given: 0, more: false });
    return this.#medium.vacuum();
  }

  async checkStep(): Promise<RowsChecked> {
    assert(!this.#failed, 'nothing is checked after a failure');
    const { check, store } = this.#state;
    // A state that is installed is read row by row.
    if (check === undefined || check.isDone || this.#installing !== undefined) return 'none';
    try {
      return check.add(await this.#medium.checkRows(check.next), store.guard) ? 'checked' : 'more';
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  spaceReclaimed(): Promise<void> {
    if (this.#sweep.isDone) return Promise.resolve();
    const waiting = deferred<void>();
    this.#awaitingSpace.push(waiting);
    return waiting.promise;
  }

  hash(): string {
    return hashState(this.readable);
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
    assert(last.index > this.appliedIndex, 'a snapshot moves the state forward (N3)');
    this.#installing = this.#install(last);
    return this.#installing;
  }

  close(): Promise<void> {
    const isWhole = !this.#failed && this.#installing === undefined;
    this.#failed = true;
    const stopped = new QuorateError('stopping', 'the state is closed');
    for (const waiting of this.#awaitingSpace.splice(0)) waiting.reject(stopped);
    const close = (): Promise<void> => this.#medium.close(this.#state, isWhole);
    return this.#installing === undefined ? close() : this.#installing.then(close, close);
  }

  async #install(last: LogPosition): Promise<void> {
    // All that takes long happens beside the old state, which goes on answering reads.
    const received = this.#medium.openReceived(last);
    const loaded = await loadStateInSteps(received, this.#retention, () => this.#pause()).finally(() => {
      received.close();
    });
    await this.#medium.prepareSwitch();
    await this.#pause();
    this.#failed = true;
    const store = this.#medium.switchTo(last, this.#state.store);
    assertInstalled(store, last);
    this.#state = { ...loaded, store };
    this.#sweep = new SpaceSweep(this.#state);
    this.#failed = false;
    this.#installing = undefined;
    for (const listener of this.#listeners) listener.onReplaced();
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
}

function moveTo({ index, term }: Entry, { facts }: Batch): void {
  assert(index === facts.appliedIndex + 1, 'entries are applied one after the other, without a gap');
  assert(term >= facts.appliedTerm, 'terms of applied entries never fall');
  facts.appliedIndex = index;
  facts.appliedTerm = term;
}

/** What a batch adds to the write-ahead log, roughly. */
function writtenBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { payload }) => sum + payload.length + rowOverheadBytes, transactionBytes);
}
