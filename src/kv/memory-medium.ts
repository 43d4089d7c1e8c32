/** The state database in memory, for tests and the simulator: no worker, no files, the same snapshots. */
import { createHash } from 'node:crypto';
import { assert, required } from '../base/assert';
import type { LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver } from '../raft';
import type { KvState } from './kv-state';
import { ReceivedBytes } from './received-bytes';
import { checkRows, type CheckedRows, type RowRange } from './row-check';
import { checkSnapshot, openSqliteStore, type SqliteStore } from './sqlite-store';
import { positionName, receiverSuperseded, snapshotFailed } from './snapshot-failure';
import type { Vacuumed } from './sqlite-vacuum';
import type { StateMedium } from './state-medium';

/** Pages given back at a time. */
const vacuumPages = 64;

/**
 * What survives a crash. It outlives the state machines opened on it, one after the other: each finds what the one before
 * it had at its last `checkpoint`, or at its `close`.
 */
export class MemoryStateDisk {
  /** The state that is durable; `undefined` before the first checkpoint. */
  state: Buffer | undefined;
  /** Snapshots that were taken in and not installed, by position. */
  readonly received = new Map<string, Buffer>();
}

/**
 * Everything happens within the call, and every promise is settled when it is returned: the same calls give the same
 * results in the same order. Equal states give equal snapshots, byte for byte.
 */
export class MemoryMedium implements StateMedium {
  readonly #disk: MemoryStateDisk;
  readonly #clusterId: bigint;
  #store: SqliteStore | undefined;
  #receiver: MemoryReceiver | undefined;

  constructor(disk: MemoryStateDisk, clusterId: bigint) {
    this.#disk = disk;
    this.#clusterId = clusterId;
  }

  open(): SqliteStore {
    this.#store = this.#openImage(this.#disk.state);
    return this.#store;
  }

  hasReceived(last: LogPosition): boolean {
    return this.#disk.received.has(positionName(last));
  }

  openReceived(last: LogPosition): SqliteStore {
    return this.#openImage(required(this.#disk.received.get(positionName(last)), 'a snapshot waits to be installed'));
  }

  removeReceived(): void {
    this.#disk.received.clear();
  }

  onWritten(): void {
    this.#current.commit();
  }

  checkpoint(): Promise<number> {
    this.#disk.state = this.#current.serialize();
    return Promise.resolve(this.#current.readFacts().appliedIndex);
  }

  vacuum(): Promise<Vacuumed> {
    return Promise.resolve(this.#current.vacuum(vacuumPages));
  }

  takeSnapshot(): Promise<Snapshot> {
    const { appliedIndex, appliedTerm } = this.#current.readFacts();
    return Promise.resolve(new MemorySnapshot(this.#current.serialize(), { index: appliedIndex, term: appliedTerm }));
  }

  receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver> {
    this.#receiver?.supersede();
    this.#receiver = new MemoryReceiver(offer, this.#disk, this.#clusterId);
    return Promise.resolve(this.#receiver);
  }

  checkRows(range: RowRange): Promise<CheckedRows> {
    return Promise.resolve(checkRows(this.#current.history, range));
  }

  prepareSwitch(): Promise<void> {
    return Promise.resolve();
  }

  switchTo(last: LogPosition, old: SqliteStore): SqliteStore {
    const name = positionName(last);
    this.#disk.state = required(this.#disk.received.get(name), 'a snapshot waits to be installed');
    this.#disk.received.delete(name);
    old.close();
    return this.open();
  }

  close({ store }: KvState): Promise<void> {
    this.#receiver?.supersede();
    this.#disk.state = store.serialize();
    store.close();
    this.#store = undefined;
    return Promise.resolve();
  }

  get #current(): SqliteStore {
    return required(this.#store, 'the state is open');
  }

  #openImage(image: Buffer | undefined): SqliteStore {
    return openSqliteStore({ path: ':memory:', clusterId: this.#clusterId, image });
  }
}

class MemorySnapshot implements Snapshot {
  readonly last: LogPosition;
  readonly sizeBytes: number;
  readonly sha256: string;
  #content: Buffer | undefined;

  constructor(content: Buffer, last: LogPosition) {
    this.last = last;
    this.sizeBytes = content.length;
    this.sha256 = createHash('sha256').update(content).digest('hex');
    this.#content = content;
  }

  read(offset: number, maxBytes: number): Promise<Uint8Array> {
    assert(offset >= 0 && maxBytes > 0, 'a part of a snapshot begins within it and has bytes');
    if (this.#content === undefined) return Promise.reject(snapshotFailed('the snapshot was released'));
    return Promise.resolve(Buffer.from(this.#content.subarray(offset, offset + maxBytes)));
  }

  release(): Promise<void> {
    this.#content = undefined;
    return Promise.resolve();
  }
}

class MemoryReceiver implements SnapshotReceiver {
  readonly #offer: SnapshotOffer;
  readonly #disk: MemoryStateDisk;
  readonly #clusterId: bigint;
  readonly #bytes: ReceivedBytes;
  #parts: Buffer[] = [];
  #phase: 'receiving' | 'finished' | 'ended' = 'receiving';

  constructor(offer: SnapshotOffer, disk: MemoryStateDisk, clusterId: bigint) {
    this.#offer = offer;
    this.#disk = disk;
    this.#clusterId = clusterId;
    this.#bytes = new ReceivedBytes(offer);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#guarded(() => {
      this.#bytes.add(bytes);
      this.#parts.push(Buffer.from(bytes));
    });
  }

  finish(): Promise<void> {
    return this.#guarded(() => {
      this.#bytes.check();
      const image = Buffer.concat(this.#parts);
      checkSnapshot({ path: ':memory:', clusterId: this.#clusterId, image }, this.#offer.last);
      this.#disk.received.set(positionName(this.#offer.last), image);
      this.#parts = [];
      this.#phase = 'finished';
    });
  }

  discard(): Promise<void> {
    if (this.#phase === 'finished') this.#disk.received.delete(positionName(this.#offer.last));
    this.supersede();
    return Promise.resolve();
  }

  /** What was finished stays: it may be about to be installed. */
  supersede(): void {
    this.#phase = 'ended';
    this.#parts = [];
  }

  #guarded(work: () => void): Promise<void> {
    if (this.#phase !== 'receiving') return Promise.reject(receiverSuperseded());
    try {
      work();
      return Promise.resolve();
    } catch (error) {
      this.supersede();
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
