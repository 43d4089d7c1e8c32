/** The durable log on a disk: the main-thread side, which gathers, hands over to the storage worker, and reports. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import type { Logger } from '../base/logger';
import type { ConfigurationPayload, Entry, MemberId, Persist } from '../raft';
import { decodeEntries, encodeGroup } from './entry-codec';
import { GroupQueue } from './group-queue';
import { LogBounds } from './log-bounds';
import { logFiles, prepareDirectory } from './sqlite-directory';
import { lockDirectory, type DirectoryLock } from './sqlite-lock';
import { startWorker, type ReplyOf, type WorkerClient } from './sqlite-worker-client';
import type { EntryRange, Identity, LoadedLog, Storage } from './storage';

export interface SqliteStorageOptions {
  /** Made when missing. Holds the log and its lock; one member, one directory. */
  readonly directory: string;
  /** Whose log it must be. */
  readonly identity: Identity;
  /** Written when the directory is used for the first time; later openings return that one. */
  readonly initialConfiguration: ConfigurationPayload;
  /** Most payload bytes in `loaded.tail`. */
  readonly maxTailBytes: number;
  /** Most encoded bytes written in one transaction; a larger `Persist` is written alone. Default 4 MiB. */
  readonly maxGroupBytes?: number;
  /** Most `Persist`s written in one transaction. Default 4096. */
  readonly maxGroupPersists?: number;
  /** Most entries removed from the front in one transaction. Default 1000, about 1 µs each. */
  readonly maxTruncationRows?: number;
  /**
   * Commits without syncing, so that a power cut loses acknowledged writes. Only for the test that proves that the
   * power-cut test can fail. Never set it otherwise.
   */
  readonly unsafeSynchronous?: 'NORMAL';
  readonly logger: Logger;
}

const defaults = { maxGroupBytes: 4 * 1024 * 1024, maxGroupPersists: 4096, maxTruncationRows: 1000 };

/**
 * Opens the log in a directory, or makes one. Checks every entry before it returns.
 *
 * Must be the first to touch a new directory: a directory with other data but no log is refused.
 *
 * @throws QuorateError `refused-to-start` (in use, not writable, another member's or cluster's, newer schema, no durable
 *   commits), `damaged` (a check failed); each message names the fix
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<Storage> {
  const { identity, initialConfiguration, maxTailBytes, logger } = options;
  const directory = resolve(options.directory);
  prepareDirectory(directory);
  const synchronous = options.unsafeSynchronous ?? 'FULL';
  if (synchronous !== 'FULL') {
    logger.error({ synchronous }, 'UNSAFE: the log is written without syncing; a power cut loses acknowledged writes');
  }
  const maxTruncationRows = options.maxTruncationRows ?? defaults.maxTruncationRows;
  const lock = lockDirectory(directory);
  const worker = startWorker({
    directory,
    identity,
    initialConfiguration,
    maxTailBytes,
    synchronous,
    maxTruncationRows,
  });
  try {
    const loaded = logged(await worker.opened, logger);
    return new SqliteStorage({ ...defaults, ...options, directory }, { loaded, lock, worker });
  } catch (error) {
    await worker.close();
    lock.release();
    throw error;
  }
}

function logged({ created, found, tail }: Opened, logger: Logger): LoadedLog {
  const { migrated, ...log } = found;
  const { firstIndex, lastIndex, hardState, incarnation } = log;
  if (migrated.length > 0) logger.info({ versions: migrated.join(',') }, 'log brought to a newer schema');
  logger.info(
    { created, firstIndex, lastIndex, term: hardState.term, boots: incarnation.boots },
    'log opened and checked',
  );
  return { ...log, tail: decodeEntries(tail) };
}

type Opened = ReplyOf<'opened'>;
type Settings = Required<Pick<SqliteStorageOptions, 'maxGroupBytes' | 'maxGroupPersists' | 'logger' | 'directory'>>;

interface Parts {
  readonly loaded: LoadedLog;
  readonly lock: DirectoryLock;
  readonly worker: WorkerClient;
}

class SqliteStorage implements Storage {
  readonly loaded: LoadedLog;
  readonly #settings: Settings;
  readonly #parts: Parts;
  readonly #bounds: LogBounds;
  readonly #queue: GroupQueue;
  readonly #failed = deferred<Error>();
  #failure: QuorateError | undefined;
  #closing: Promise<void> | undefined;
  /** Settles when nothing is waiting and nothing is being written; present while somebody wants to know. */
  #idle: Deferred<void> | undefined;

  constructor(settings: Settings, parts: Parts) {
    this.loaded = parts.loaded;
    this.#settings = settings;
    this.#parts = parts;
    this.#bounds = new LogBounds(parts.loaded);
    this.#queue = new GroupQueue({ maxBytes: settings.maxGroupBytes, maxPersists: settings.maxGroupPersists });
    void parts.worker.failed.then((error) => {
      this.#fail(error);
    });
  }

  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  persist(persist: Persist): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#bounds.accept(persist);
    const done = this.#queue.add(persist);
    this.#writeNext();
    return done;
  }

  async readEntries(range: EntryRange): Promise<readonly Entry[]> {
    this.#throwIfRefused();
    assert(range.firstIndex <= range.lastIndex, 'a range holds at least one entry');
    const reply = await this.#parts.worker.ask('read', { kind: 'read', range });
    if (reply.entries === undefined) throw notHeld(range);
    return decodeEntries(reply.entries);
  }

  async truncatePrefix(index: number): Promise<void> {
    this.#bounds.checkRemovable(index);
    for (let done = false; !done;) {
      this.#throwIfRefused();
      // One chunk at a time: a group that gathers meanwhile waits for one chunk at most.
      done = (await this.#parts.worker.ask('truncated', { kind: 'truncate-prefix', index })).done;
    }
    this.#bounds.removed(index);
  }

  async notePeer(peer: MemberId, incarnation: Incarnation): Promise<void> {
    this.#throwIfRefused();
    await this.#parts.worker.ask('noted', { kind: 'note-peer', peer, incarnation });
  }

  async condemn(): Promise<void> {
    this.#throwIfRefused();
    await this.#parts.worker.ask('noted', { kind: 'condemn' });
  }

  sizeBytes(): number {
    return logFiles(this.#settings.directory)
      .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size, 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Hands the next group over, unless one is being written: then it gathers until that one is durable. */
  #writeNext(): void {
    const group = this.#queue.next();
    if (group === undefined) {
      if (this.#queue.isEmpty) this.#idle?.resolve();
      return;
    }
    this.#parts.worker.write(encodeGroup(group), () => {
      this.#queue.complete();
      this.#writeNext();
    });
  }

  #fail(error: QuorateError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#settings.logger.error({ code: error.code, reason: error.message }, 'the log failed; this member must stop');
    this.#queue.rejectAll(error);
    this.#idle?.resolve();
    this.#failed.resolve(error);
  }

  async #close(): Promise<void> {
    if (!this.#queue.isEmpty && this.#failure === undefined) {
      this.#idle = deferred();
      await this.#idle.promise;
    }
    try {
      await this.#parts.worker.close();
    } finally {
      this.#parts.lock.release();
    }
  }

  #refusal(): QuorateError | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#closing && new QuorateError('stopping', 'the log is being closed');
  }

  #throwIfRefused(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }
}

function notHeld({ firstIndex, lastIndex }: EntryRange): QuorateError {
  const range = `${firstIndex} to ${lastIndex}`;
  return new QuorateError('superseded', `the entries ${range} are not held any more: removed or replaced meanwhile`);
}
