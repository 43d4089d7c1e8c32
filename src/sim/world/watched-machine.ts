/** The state machine of one life of a member, with somebody looking on: what goes to the disk takes the time of a disk. */
import { deferred } from '../../base/deferred';
import { QuorateError } from '../../base/error';
import type { KvStateMachine } from '../../kv/state-machine';
import type { Result } from '../../kv/result';
import type { ApplyUntil, Entry, LogPosition, StateMachine } from '../../raft';
import type { Snapshot, SnapshotOffer, SnapshotReceiver } from '../../raft';
import { resultTexts, type ResultTexts } from '../model/result-text';
import type { StateDisk } from './state-disk';

export interface MachineObserver {
  beforeApply(): void;
  /** The results, one for each entry, are as text: equal for equal results. */
  applied(entries: readonly Entry[], results: readonly ResultTexts[]): void;
  /** A state that stands for everything up to `last` took the place of this one; `hash` is over all of it. */
  installed(last: LogPosition, hash: string): void;
  /** A copy of the state was made. */
  snapshotTaken(last: LogPosition): void;
}

export interface MachineParts {
  readonly inner: KvStateMachine;
  readonly disk: StateDisk;
  readonly observer: MachineObserver;
  /** Does something when the disk comes to it; never if the process has ended by then. */
  readonly whenDiskIsReady: (work: () => void) => void;
  /** The process is told: at once, when it wakes up, or never if it has ended. */
  readonly notify: (tell: () => void) => void;
  /** Nothing else happens in the world before this is done. */
  readonly atOnce: (work: Promise<void>) => void;
  /** There is no room for snapshots. */
  readonly isFull: () => boolean;
}

export class WatchedMachine implements StateMachine<Result> {
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  get appliedIndex(): number {
    return this.#parts.inner.appliedIndex;
  }

  get appliedTerm(): number {
    return this.#parts.inner.appliedTerm;
  }

  apply(entries: readonly Entry[], until?: ApplyUntil): readonly (Result | undefined)[] {
    const { inner, observer } = this.#parts;
    observer.beforeApply();
    const results = inner.apply(entries, until);
    observer.applied(entries.slice(0, results.length), results.map(resultTexts));
    return results;
  }

  /** Entries are applied while what was written before them is on its way to the disk. */
  async checkpoint(): Promise<number> {
    const { inner, disk } = this.#parts;
    const written = await this.#onDisk(async () => {
      await inner.checkpoint();
      return disk.written(inner);
    });
    return this.#onDisk(() => {
      disk.madeDurable(written);
      return Promise.resolve(written.index);
    });
  }

  async takeSnapshot(): Promise<Snapshot> {
    const { inner, observer } = this.#parts;
    const snapshot = await this.#onDisk(() => {
      this.#refuseIfFull();
      return inner.takeSnapshot();
    });
    observer.snapshotTaken(snapshot.last);
    const { last, sizeBytes, sha256 } = snapshot;
    return {
      ...{ last, sizeBytes, sha256 },
      read: (offset, maxBytes) => this.#onDisk(() => snapshot.read(offset, maxBytes)),
      release: () => this.#onDisk(() => snapshot.release()),
    };
  }

  async receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver> {
    const receiver = await this.#onDisk(() => this.#parts.inner.receiveSnapshot(offer));
    return {
      write: (bytes) => {
        // The caller may use its buffer again.
        const copy = Buffer.from(bytes);
        return this.#onDisk(() => {
          this.#refuseIfFull();
          return receiver.write(copy);
        });
      },
      finish: () => this.#onDisk(() => receiver.finish()),
      discard: () => this.#onDisk(() => receiver.discard()),
    };
  }

  /** A crash may come before the new state is in place, and before the process knows that it is. */
  async install(last: LogPosition): Promise<void> {
    const { inner, disk, observer } = this.#parts;
    await this.#onDisk(async () => {
      await inner.install(last);
      disk.madeDurable(disk.written(inner));
      observer.installed(last, inner.hash());
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #onDisk<T>(work: () => Promise<T>): Promise<T> {
    const { whenDiskIsReady, notify, atOnce } = this.#parts;
    const told = deferred<T>();
    whenDiskIsReady(() => {
      const done = attempt(work).then(
        (value) => notify(() => told.resolve(value)),
        (error: unknown) => notify(() => told.reject(error instanceof Error ? error : new Error(String(error)))),
      );
      atOnce(done);
    });
    return told.promise;
  }

  #refuseIfFull(): void {
    if (this.#parts.isFull()) throw new QuorateError('snapshot-failed', 'there is no space for a snapshot');
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return await work();
}
