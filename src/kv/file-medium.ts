/** The state database as a file, with a worker for what waits for the disk. */
import { rmSync } from 'node:fs';
import { QuorateError } from '../base/error';
import type { LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver } from '../raft';
import { FileReceiver } from './file-receiver';
import { openFileSnapshot } from './file-snapshot';
import type { KvState } from './kv-state';
import type { CheckedRows, RowRange } from './row-check';
import { saveIndex } from './saved-index';
import { snapshotFailed } from './snapshot-failure';
import { openSqliteStore, type SqliteStore } from './sqlite-store';
import { largeStateBytes, StateFiles, stateBytes } from './state-files';
import type { Vacuumed } from './sqlite-vacuum';
import type { StateMedium } from './state-medium';
import type { StateRequestKind, StateRequests } from './sqlite-state-protocol';
import { StateWorkerClient } from './state-worker-client';

/** Bytes written after which the write-ahead log is moved into the database behind the scenes. */
const checkpointBytes = 16 * 1024 * 1024;

/** What was written is committed after so many bytes, however recent it is, so that a commit stays short. */
const commitBytes = 1024 * 1024;

/** What giving a page back writes: another page moves to its place, and what refers to that one changes. */
const movedPageBytes = 3 * 4096;

export interface FileMediumOptions {
  readonly path: string;
  readonly clusterId: bigint;
  /** What was written is committed that much later, together with what came meanwhile. */
  readonly commitDelayMs: number;
  /** Told of a failure that no caller hears of before the next write, which throws it. */
  onFailure(error: QuorateError): void;
}

export class FileMedium implements StateMedium {
  readonly #options: FileMediumOptions;
  readonly #files: StateFiles;
  /** Started when it is first needed. */
  #worker: StateWorkerClient | undefined;
  #receiver: FileReceiver | undefined;
  #store: SqliteStore | undefined;
  #bytesSinceCommit = 0;
  #commitTimer: NodeJS.Timeout | undefined;
  /** What the worker does now. Meanwhile nothing is held back: it could be kept from the lock for long. */
  #asksUnderWay = 0;
  #bytesSinceCheckpoint = 0;
  #checkpointing = false;
  #failure: QuorateError | undefined;

  constructor(options: FileMediumOptions) {
    this.#options = options;
    this.#files = new StateFiles(options.path);
  }

  open(): SqliteStore {
    this.#store = this.#openState();
    this.#files.removeOutdated();
    return this.#store;
  }

  hasReceived(last: LogPosition): boolean {
    return this.#files.hasReceived(last);
  }

  openReceived(last: LogPosition): SqliteStore {
    const path = this.#files.receivedPath(last);
    return openSqliteStore({ path, clusterId: this.#options.clusterId, isSnapshot: true });
  }

  removeReceived(): void {
    this.#files.removeReceived();
  }

  onWritten(bytes: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#bytesSinceCommit += bytes;
    const { commitDelayMs } = this.#options;
    if (commitDelayMs === 0 || this.#asksUnderWay > 0 || this.#bytesSinceCommit >= commitBytes) this.#commit();
    else this.#commitTimer ??= setTimeout(this.#commitLate, commitDelayMs);
    this.#bytesSinceCheckpoint += bytes;
    if (this.#bytesSinceCheckpoint < checkpointBytes || this.#checkpointing) return;
    this.checkpoint().catch((error: unknown) => {
      this.#options.onFailure(this.#failed(error));
    });
  }

  async checkpoint(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#checkpointing = true;
    this.#bytesSinceCheckpoint = 0;
    try {
      return (await this.#ask('checkpoint', {})).appliedIndex;
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#checkpointing = false;
    }
  }

  async vacuum(): Promise<Vacuumed> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const vacuumed = await this.#ask('vacuum', {});
      this.onWritten(vacuumed.given * movedPageBytes);
      return vacuumed;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async takeSnapshot(): Promise<Snapshot> {
    if (this.#failure !== undefined) throw this.#failure;
    const path = this.#files.nextTaken();
    try {
      return await openFileSnapshot(path, await this.#ask('copy', { to: path }));
    } catch (error) {
      rmSync(path, { force: true });
      throw error instanceof QuorateError ? error : snapshotFailed('the copy of the state cannot be read', error);
    }
  }

  async receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver> {
    const earlier = this.#receiver;
    const receiver = new FileReceiver(offer, this.#files.nextReceiving(), async (path) => {
      const received = this.#files.receivedPath(offer.last);
      await this.#ask('keep', { path, received, last: offer.last });
      return received;
    });
    this.#receiver = receiver;
    await earlier?.supersede();
    await receiver.open();
    return receiver;
  }

  async checkRows(range: RowRange): Promise<CheckedRows> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#ask('check', range);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async prepareSwitch(): Promise<void> {
    // So that closing finds little left to move into the database.
    await this.checkpoint();
    await this.#ask('release', {});
  }

  switchTo(last: LogPosition, old: SqliteStore): SqliteStore {
    old.close();
    this.#files.switchTo(last);
    this.#bytesSinceCheckpoint = 0;
    this.#store = this.#openState();
    return this.#store;
  }

  async close(state: KvState, whole: boolean): Promise<void> {
    let isCommitted = whole && this.#failure === undefined;
    try {
      this.#commit();
    } catch {
      // The log still has it.
      isCommitted = false;
    }
    // First here: who closes last moves the write-ahead log into the database, and the worker has time for it.
    state.store.close();
    await this.#receiver?.supersede();
    await this.#worker?.close();
    if (isCommitted && stateBytes(this.#files.path) >= largeStateBytes) saveIndex(this.#files.path, state);
  }

  #openState(): SqliteStore {
    return openSqliteStore({ path: this.#files.path, clusterId: this.#options.clusterId });
  }

  /** Has the worker do something with all that was written so far. */
  async #ask<Kind extends StateRequestKind>(
    kind: Kind,
    request: StateRequests[Kind]['ask'],
  ): Promise<StateRequests[Kind]['answer']> {
    this.#commit();
    this.#worker ??= new StateWorkerClient({ path: this.#files.path, clusterId: this.#options.clusterId });
    this.#asksUnderWay++;
    try {
      return await this.#worker.ask(kind, request);
    } finally {
      this.#asksUnderWay--;
    }
  }

  #commit(): void {
    clearTimeout(this.#commitTimer);
    this.#commitTimer = undefined;
    this.#bytesSinceCommit = 0;
    this.#store?.commit();
  }

  readonly #commitLate = (): void => {
    try {
      this.#commit();
    } catch (error) {
      this.#options.onFailure(this.#failed(error));
    }
  };

  #failed(error: unknown): QuorateError {
    this.#failure ??=
      error instanceof QuorateError ? error : new QuorateError('damaged', String(error), { cause: error });
    return this.#failure;
  }
}
