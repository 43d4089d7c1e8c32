/** A member's simulated disk: what is durable, what is on its way, and what can go wrong with both. */
import { assert } from '../../base/assert';
import { deferred } from '../../base/deferred';
import { QuorateError } from '../../base/error';
import type { Rng } from '../../base/rng';
import type {
  ConfigurationAt,
  ConfigurationPayload,
  Entry,
  HardState,
  LogPosition,
  MemberId,
  Persist,
} from '../../raft';
import { MemoryDisk, openMemoryStorage, type MemoryStorage } from '../../storage/memory-storage';
import type { Incarnation } from '../../base/incarnation';
import type { EntryRange, LoadedLog, Storage } from '../../storage/storage';
import type { Agenda, Appointment } from './agenda';
import { exponential } from './chance';

/** How quick a disk is while nothing is wrong with it. */
export interface DiskQuality {
  readonly meanWriteMs: number;
  readonly meanReadMs: number;
}

/** What the world wants to know of a disk. */
export interface DiskObserver {
  /** Handed over by the member. */
  given(persist: Persist): void;
  /** Would survive a power cut from now on; the member does not know it yet. */
  durable(persist: Persist): void;
  /** The log begins after `index` from now on, since the state stands for what was before. */
  cut(index: number): void;
  /** The process is told something: at once, when it wakes up, or never if it has ended. */
  notify(tell: () => void): void;
}

export interface DiskParts {
  readonly id: MemberId;
  readonly agenda: Agenda;
  readonly rng: Rng;
  readonly quality: DiskQuality;
  readonly observer: DiskObserver;
}

/** Survives its processes. One storage at a time is open on it. */
export class SimDisk {
  readonly parts: DiskParts;
  memory = new MemoryDisk();
  /** There is no room for snapshots; the log has its own. */
  isFull = false;
  /** A write or a read has failed since the log was opened: what is called damaged otherwise was let into the state. */
  hasFailed = false;
  #slowness = 1;
  /** Nothing completes. */
  isStalled = false;
  /** Entries whose bytes are no longer what was written. Found when they are read. */
  readonly rotten = new Set<number>();
  /** The storage that is open, if any. */
  storage: SimStorage | undefined;
  /** What waits for the disk while it stalls. */
  readonly #waiting: (() => void)[] = [];

  constructor(parts: DiskParts) {
    this.parts = parts;
  }

  /**
   * Opens the log.
   *
   * @throws QuorateError `damaged` when an entry fails its check
   */
  open(initialConfiguration: ConfigurationPayload, maxTailBytes: number): SimStorage {
    if (this.rotten.size > 0) throw new QuorateError('damaged', 'an entry of the log fails its checksum');
    this.hasFailed = false;
    this.storage = new SimStorage(this, { initialConfiguration, maxTailBytes });
    return this.storage;
  }

  get hardState(): HardState {
    return this.memory.hardState;
  }

  get lastIndex(): number {
    return this.memory.lastIndex;
  }

  get lastRemoved(): LogPosition {
    return this.memory.lastRemoved;
  }

  get configuration(): ConfigurationAt {
    return this.memory.configuration;
  }

  entryAt(index: number): Entry | undefined {
    return this.memory.entries[index - 1 - this.memory.lastRemoved.index];
  }

  /** Reads and writes take this many times as long. */
  get slowness(): number {
    return this.#slowness;
  }

  setSlowness(slowness: number): void {
    this.#slowness = slowness;
    this.storage?.resume();
  }

  setStalled(isStalled: boolean): void {
    this.isStalled = isStalled;
    if (isStalled) return;
    this.storage?.resume();
    for (const run of this.#waiting.splice(0)) run();
  }

  /** Something beside the log, such as the state database, comes to its turn on the disk. */
  later(run: () => void): void {
    const { agenda, rng, quality } = this.parts;
    agenda.after(exponential(rng, quality.meanWriteMs * this.slowness), () => {
      if (this.isStalled) this.#waiting.push(run);
      else run();
    });
  }

  /** What is no longer part of the log, or was written anew, cannot be read wrongly. */
  forgetRot(isReplaced: (index: number) => boolean): void {
    const { index: removed } = this.lastRemoved;
    for (const index of this.rotten) if (index <= removed || isReplaced(index)) this.rotten.delete(index);
  }

  /** Everything is gone, or was never there. */
  wipe(): void {
    assert(this.storage === undefined, 'nobody uses a disk that is wiped');
    this.memory = new MemoryDisk();
    this.rotten.clear();
  }
}

/** The storage contract on a simulated disk: groups of writes, one after the other, each taking its time. */
export class SimStorage implements Storage {
  readonly loaded: LoadedLog;
  readonly #disk: SimDisk;
  readonly #inner: MemoryStorage;
  /** Handed over and not durable, oldest first; `undefined` for what is not a `Persist`. */
  #given: (Persist | undefined)[] = [];
  /** Writes that gather for the next group, and those of the group on its way to the disk. */
  #gathering: (() => void)[] = [];
  #writing: (() => void)[] = [];
  /** When the group on its way arrives. */
  #completion: Appointment | undefined;
  #hasEnded = false;
  readonly #failed = deferred<Error>();

  /** Use `SimDisk.open`. */
  constructor(
    disk: SimDisk,
    options: { readonly initialConfiguration: ConfigurationPayload; readonly maxTailBytes: number },
  ) {
    this.#disk = disk;
    this.#inner = openMemoryStorage({
      disk: disk.memory,
      identity: { clusterId: 1n, memberId: disk.parts.id },
      ...options,
      schedule: (complete) => {
        this.#gathering.push(complete);
        this.#beginGroup();
      },
    });
    this.loaded = this.#inner.loaded;
    void this.#inner.failed.then((error) => {
      this.#notify(() => this.#failed.resolve(error));
    });
  }

  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  get pendingWrites(): number {
    return this.#inner.pendingWrites;
  }

  persist(persist: Persist): Promise<void> {
    this.#disk.parts.observer.given(persist);
    if (!this.#hasEnded) this.#given.push(persist);
    return this.#whenAwake(this.#inner.persist(persist));
  }

  readEntries(range: EntryRange): Promise<readonly Entry[]> {
    const { agenda, rng, quality } = this.#disk.parts;
    const found = deferred<readonly Entry[]>();
    agenda.after(exponential(rng, quality.meanReadMs * this.#disk.slowness), () => {
      if (this.#hasEnded) return;
      for (let index = range.firstIndex; index <= range.lastIndex; index++) {
        if (this.#disk.rotten.has(index)) {
          this.fail(0);
          break;
        }
      }
      this.#inner.readEntries(range).then(
        (entries) => found.resolve(entries),
        (error: unknown) => found.reject(asError(error)),
      );
    });
    return this.#whenAwake(found.promise);
  }

  truncatePrefix(index: number): Promise<void> {
    if (!this.#hasEnded) this.#given.push(undefined);
    return this.#whenAwake(this.#inner.truncatePrefix(index));
  }

  notePeer(peer: MemberId, incarnation: Incarnation): Promise<void> {
    if (!this.#hasEnded) this.#given.push(undefined);
    return this.#whenAwake(this.#inner.notePeer(peer, incarnation));
  }

  condemn(): Promise<void> {
    if (!this.#hasEnded) this.#given.push(undefined);
    return this.#whenAwake(this.#inner.condemn());
  }

  sizeBytes(): number {
    return this.#inner.sizeBytes();
  }

  async close(): Promise<void> {
    this.#end();
    await this.#inner.close();
  }

  /** The process or its power is gone: the oldest `survivors` of the pending writes have reached the disk. */
  crash(survivors: number): void {
    if (this.#hasEnded) return;
    const written = this.#given.slice(0, survivors);
    this.#end();
    this.#inner.crash(survivors);
    this.#tell(written);
  }

  /** A write fails, whatever of it may be found later. */
  fail(survivors: number): void {
    if (this.#hasEnded) return;
    this.#disk.hasFailed = true;
    const written = this.#given.slice(0, survivors);
    this.#end();
    this.#inner.fail(survivors);
    this.#tell(written);
  }

  /** The disk is as quick as it now is, also with what it is writing. */
  resume(): void {
    if (this.#completion?.run === undefined) this.#beginGroup();
    else {
      this.#completion.run = undefined;
      this.#planEnd();
    }
  }

  #beginGroup(): void {
    const disk = this.#disk;
    if (disk.isStalled || this.#writing.length > 0 || this.#gathering.length === 0) return;
    this.#writing = this.#gathering;
    this.#gathering = [];
    this.#planEnd();
  }

  #planEnd(): void {
    const { parts, slowness } = this.#disk;
    const { agenda, rng, quality } = parts;
    this.#completion = agenda.after(exponential(rng, quality.meanWriteMs * slowness), () => this.#endGroup());
  }

  #endGroup(): void {
    if (this.#hasEnded) return;
    if (this.#disk.isStalled) {
      // It was nearly done; it goes on with what gathers when the disk works again.
      this.#gathering = [...this.#writing, ...this.#gathering];
      this.#writing = [];
      return;
    }
    const group = this.#writing;
    this.#writing = [];
    for (const complete of group) {
      const written = this.#given.shift();
      complete();
      this.#tell([written]);
    }
    this.#beginGroup();
  }

  #tell(written: readonly (Persist | undefined)[]): void {
    for (const persist of written) {
      const first = persist?.entries[0]?.index ?? Infinity;
      this.#disk.forgetRot((index) => index >= first);
      const { observer } = this.#disk.parts;
      if (persist === undefined) observer.cut(this.#disk.lastRemoved.index);
      else observer.durable(persist);
    }
  }

  /** What the disk has done is one thing, that the process learns of it another. */
  #whenAwake<T>(work: Promise<T>): Promise<T> {
    const told = deferred<T>();
    work.then(
      (value) => this.#notify(() => told.resolve(value)),
      (error: unknown) => this.#notify(() => told.reject(asError(error))),
    );
    return told.promise;
  }

  #notify(tell: () => void): void {
    this.#disk.parts.observer.notify(tell);
  }

  #end(): void {
    assert(this.#disk.storage === this, 'only the storage that is open ends');
    this.#hasEnded = true;
    this.#disk.storage = undefined;
    this.#given = [];
    this.#gathering = [];
    this.#writing = [];
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
