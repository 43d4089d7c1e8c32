/** The log in memory, for tests and the simulator: the caller decides when a write completes, and what a crash leaves. */
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import {
  decodeConfiguration,
  simpleConfiguration,
  type ConfigurationAt,
  type ConfigurationPayload,
  type Entry,
  type HardState,
  type LogPosition,
  type MemberId,
  type Persist,
  type TermRun,
} from '../raft';
import { LogBounds } from './log-bounds';
import type { EntryRange, Identity, LoadedLog, Storage } from './storage';

export interface MemoryStorageOptions {
  /** What was written earlier, and survives. Default: a new, empty one. */
  readonly disk?: MemoryDisk;
  readonly identity: Identity;
  /** Written when the disk is used for the first time; later openings return that one. */
  readonly initialConfiguration: ConfigurationPayload;
  /** Most payload bytes in `loaded.tail`. */
  readonly maxTailBytes: number;
  /**
   * Called once for each write with the function that completes one; call it when the write should become durable.
   * Whichever is called, the oldest waiting write completes: the order is kept. Default: at once.
   */
  readonly schedule?: (complete: () => void) => void;
}

/** What is durable. It outlives the storages opened on it, one after the other. */
export class MemoryDisk {
  identity: Identity | undefined;
  /** In force at the beginning of the log. */
  configuration: ConfigurationAt = { index: 0, configuration: simpleConfiguration([]), context: new Uint8Array(0) };
  hardState: HardState = { term: 0, votedFor: undefined };
  /** Position of the newest entry that the log no longer holds: removed from the front, or stood for by a snapshot. */
  lastRemoved: LogPosition = { index: 0, term: 0 };
  /** Invariant: consecutive, from `lastRemoved.index + 1` on. */
  readonly entries: Entry[] = [];
  /** What this disk is told apart from others by. */
  readonly id: bigint;
  /** How often a storage was opened on it. */
  boots = 0;
  readonly peerIncarnations = new Map<MemberId, Incarnation>();
  /** No storage may be opened on it any more. */
  isCondemned = false;
  /** A storage is open on it. */
  inUse = false;

  /** @param id not 0; a copy of a disk has the id of its original. Default: counted */
  constructor(id = countedId()) {
    this.id = id;
  }

  get lastIndex(): number {
    return this.lastRemoved.index + this.entries.length;
  }
}

// Numbers are only compared: what they are does not show in a run that is repeated.
let ids = 0n;

function countedId(): bigint {
  return ++ids;
}

/** One write that is not durable yet. */
interface PendingWrite {
  readonly apply: () => void;
  readonly done: Deferred<void>;
}

/**
 * Opens a log in memory. It checks as strictly as the one on disk, and refuses for the same reasons.
 *
 * @throws QuorateError `refused-to-start` for a disk of another member or cluster, or one that is in use, `damaged` for
 *   one that was condemned
 */
export function openMemoryStorage(options: MemoryStorageOptions): MemoryStorage {
  const disk = options.disk ?? new MemoryDisk();
  if (disk.inUse) throw new QuorateError('refused-to-start', 'the disk is in use. Close the other storage first.');
  const { clusterId, memberId } = options.identity;
  if (disk.identity === undefined) {
    disk.identity = options.identity;
    disk.configuration = { index: 0, ...options.initialConfiguration };
  } else if (disk.identity.clusterId !== clusterId || disk.identity.memberId !== memberId) {
    throw new QuorateError('refused-to-start', 'the disk belongs to another member. Give this member its own.');
  }
  if (disk.isCondemned)
    throw new QuorateError('damaged', 'the disk was condemned. Give this member a new id and disk.');
  disk.inUse = true;
  disk.boots++;
  return new MemoryStorage(disk, options);
}

/** A `Storage` without I/O and without a clock: the same calls give the same promises in the same order. */
export class MemoryStorage implements Storage {
  readonly loaded: LoadedLog;
  readonly #disk: MemoryDisk;
  readonly #schedule: (complete: () => void) => void;
  readonly #bounds: LogBounds;
  readonly #failed = deferred<Error>();
  #pending: PendingWrite[] = [];
  #refusal: QuorateError | undefined;

  /** Use `openMemoryStorage`. */
  constructor(disk: MemoryDisk, options: MemoryStorageOptions) {
    this.#disk = disk;
    this.#schedule =
      options.schedule ??
      ((complete) => {
        complete();
      });
    this.loaded = load(disk, options.maxTailBytes);
    this.#bounds = new LogBounds(this.loaded);
  }

  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** Writes handed over and not durable yet. */
  get pendingWrites(): number {
    return this.#pending.length;
  }

  persist(persist: Persist): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    this.#bounds.accept(persist);
    return this.#write(() => {
      applyPersist(this.#disk, persist);
    });
  }

  readEntries(range: EntryRange): Promise<readonly Entry[]> {
    const { firstIndex, lastIndex, maxBytes } = range;
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    assert(firstIndex <= lastIndex, 'a range holds at least one entry');
    const { lastRemoved, entries } = this.#disk;
    if (firstIndex <= lastRemoved.index || lastIndex > this.#disk.lastIndex) {
      return Promise.reject(new QuorateError('superseded', 'the entries are not held any more'));
    }
    const offset = lastRemoved.index + 1;
    return Promise.resolve(firstOf(entries.slice(firstIndex - offset, lastIndex - offset + 1), maxBytes));
  }

  async truncatePrefix(index: number): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#bounds.checkRemovable(index);
    await this.#write(() => {
      removePrefix(this.#disk, index);
    });
    this.#bounds.removed(index);
  }

  notePeer(peer: MemberId, incarnation: Incarnation): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return this.#write(() => {
      this.#disk.peerIncarnations.set(peer, incarnation);
    });
  }

  condemn(): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return this.#write(() => {
      this.#disk.isCondemned = true;
    });
  }

  sizeBytes(): number {
    return this.#disk.entries.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
  }

  /** Completes what is pending, then releases the disk. */
  close(): Promise<void> {
    while (this.#pending.length > 0) this.#completeOldest();
    this.#end(new QuorateError('stopping', 'the log is closed'));
    return Promise.resolve();
  }

  /**
   * Ends this storage as a power cut would: of the pending writes the oldest `survivors` are on the disk, the others are
   * gone, and nobody is told; their promises never settle. Open a new storage on the same disk to go on.
   */
  crash(survivors = 0): void {
    assert(survivors <= this.#pending.length, 'no more writes survive than are pending');
    for (const write of this.#pending.slice(0, survivors)) write.apply();
    this.#end(new QuorateError('stopping', 'the storage has crashed'));
  }

  /** Fails as a disk would: every pending and later call rejects. Of the pending writes `survivors` are there after a restart. */
  fail(survivors = 0): void {
    const rejected = this.#pending;
    this.crash(survivors);
    const error = new QuorateError('damaged', 'the disk failed', { outcome: 'unknown' });
    this.#refusal = error;
    for (const { done } of rejected) done.reject(error);
    this.#failed.resolve(error);
  }

  #write(apply: () => void): Promise<void> {
    const done: Deferred<void> = deferred();
    this.#pending.push({ apply, done });
    this.#schedule(() => {
      this.#completeOldest();
    });
    return done.promise;
  }

  /** A completion that comes after a crash, or after `close` did its work, finds nothing to do. */
  #completeOldest(): void {
    const write = this.#pending.shift();
    if (write === undefined) return;
    write.apply();
    write.done.resolve();
  }

  #end(refusal: QuorateError): void {
    this.#pending = [];
    if (this.#refusal !== undefined) return;
    this.#refusal = refusal;
    this.#disk.inUse = false;
  }
}

function load(disk: MemoryDisk, maxTailBytes: number): LoadedLog {
  return {
    hardState: disk.hardState,
    configuration: disk.configuration,
    incarnation: { disk: disk.id, boots: disk.boots, run: countedId() },
    peerIncarnations: new Map(disk.peerIncarnations),
    configurationEntries: disk.entries.filter(({ kind }) => kind === 'configuration'),
    firstIndex: disk.lastRemoved.index + 1,
    lastIndex: disk.lastIndex,
    termBeforeFirst: disk.lastRemoved.term,
    termRuns: termRunsOf(disk.entries),
    tail: firstOf(disk.entries.toReversed(), maxTailBytes).toReversed(),
  };
}

/** As many as fit into `maxBytes` of payload, but at least one if there is one. */
function firstOf(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let bytes = 0;
  const end = entries.findIndex((entry, position) => {
    bytes += entry.payload.byteLength;
    return bytes > maxBytes && position > 0;
  });
  return end === -1 ? entries : entries.slice(0, end);
}

function termRunsOf(entries: readonly Entry[]): readonly TermRun[] {
  const starts = entries.filter((entry, position) => entries[position - 1]?.term !== entry.term);
  return starts.map(({ index, term }) => ({ firstIndex: index, term }));
}

function applyPersist(disk: MemoryDisk, { hardState, snapshot, entries }: Persist): void {
  disk.hardState = hardState ?? disk.hardState;
  if (snapshot !== undefined) {
    disk.entries.length = 0;
    disk.lastRemoved = snapshot.last;
    disk.configuration = snapshot.configuration;
  }
  const first = entries[0];
  if (first === undefined) return;
  const kept = first.index - 1 - disk.lastRemoved.index;
  assert(kept >= 0 && kept <= disk.entries.length, 'entries leave no gap');
  disk.entries.length = kept;
  for (const entry of entries) disk.entries.push(entry);
}

function removePrefix(disk: MemoryDisk, index: number): void {
  const count = index - disk.lastRemoved.index;
  if (count <= 0) return;
  const last = disk.entries[count - 1];
  assert(last !== undefined, 'only entries that are held are removed from the front');
  disk.lastRemoved = { index, term: last.term };
  const newest = disk.entries.splice(0, count).findLast(({ kind }) => kind === 'configuration');
  if (newest !== undefined) disk.configuration = readConfiguration(newest);
}

function readConfiguration({ index, payload }: Entry): ConfigurationAt {
  const decoded = decodeConfiguration(payload);
  assert(decoded !== undefined, 'a configuration entry that becomes the beginning can be read');
  return { index, ...decoded };
}
