/** The worker of the state database: what has to wait for the disk, so that the main thread never does. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { assert, required, unreachable } from '../base/assert';
import { QuorateError, type ErrorCode } from '../base/error';
import type { LogPosition } from '../raft';
import { checkRows, type RowRange } from './row-check';
import { SqliteGuard } from './sqlite-guard';
import { HistoryRows } from './sqlite-history';
import type { StateReply, StateRequest, StateRequests, StateWorkerOptions } from './sqlite-state-protocol';
import { busyTimeoutMs, checkSnapshot, openSqliteStore } from './sqlite-store';
import { vacuumPages } from './sqlite-vacuum';
import { keepReceived, syncPath } from './state-files';

/** Pages in the write-ahead log from which on it should begin anew: 32 MiB. */
const restartPages = 8192;
/** Pages from which on its file is also cut: 256 MiB. */
const truncatePages = 65_536;
/** Pages from which on the writer waits, however slow the disk is: 1 GiB. */
const anyPricePages = 262_144;
/** Longest wait of the writer up to there, as far as the pass before can tell. */
const maxWaitMs = 5;
/** Most passes in search of one that is short enough. */
const maxPasses = 5;
/** Pages given back at a time: the writer waits meanwhile, for less than a millisecond. */
const vacuumStepPages = 32;
/** How much of a file is read at a time. */
const chunkBytes = 1 << 20;

/** As SQLite reports a checkpoint. */
interface CheckpointRow {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

type Answer<Kind extends keyof StateRequests> = StateRequests[Kind]['answer'];

/** Has a connection of its own, opened when it is needed. Rows are changed on the main thread alone. */
class StateWorker {
  readonly #options: StateWorkerOptions;
  #connection: Database.Database | undefined;

  constructor(options: StateWorkerOptions) {
    this.#options = options;
  }

  handle(request: StateRequest): object {
    switch (request.kind) {
      case 'checkpoint':
        return this.#checkpoint();
      case 'vacuum':
        return vacuumPages(this.#connected(), vacuumStepPages);
      case 'check':
        return this.#check(request);
      case 'copy':
        return this.#copy(request.to);
      case 'keep':
        return this.#keep(request);
      case 'release':
        this.#connection?.close();
        this.#connection = undefined;
        return {};
      default:
        return unreachable(request);
    }
  }

  #check(range: RowRange): Answer<'check'> {
    return checkRows(new HistoryRows(this.#connected(), new SqliteGuard(this.#options.path)), range);
  }

  #checkpoint(): Answer<'checkpoint'> {
    const connection = this.#connected();
    const appliedIndex: unknown = connection.prepare('SELECT applied_index FROM meta').pluck().get();
    assert(typeof appliedIndex === 'number', 'the state has an applied index');
    // What was read is in the write-ahead log, or in the database and was synced there before the log began anew.
    // (Never done with the database itself: closing any descriptor of it would drop the locks that SQLite holds on it.)
    syncPath(`${this.#options.path}-wal`);
    this.#boundLog(connection);
    return { appliedIndex };
  }

  /**
   * Beside a busy writer a checkpoint never reaches the end of the write-ahead log, which then never begins anew. Each pass
   * leaves only what was written during it, so a few in a row come close; and after a short one the writer may wait for
   * one more, which takes about as long.
   */
  #boundLog(connection: Database.Database): void {
    for (let passes = 1; passes <= maxPasses; passes++) {
      const startedAt = performance.now();
      const { log } = passCheckpoint(connection, 'PASSIVE');
      if (log < restartPages) return;
      const isShort = performance.now() - startedAt <= maxWaitMs;
      if (!isShort && (passes < maxPasses || log < anyPricePages)) continue;
      passCheckpoint(connection, log < truncatePages ? 'RESTART' : 'TRUNCATE');
      return;
    }
  }

  /** One read transaction: entries that are applied meanwhile are not in the copy. It need not survive a power cut. */
  #copy(to: string): Answer<'copy'> {
    try {
      this.#connected().prepare('VACUUM INTO ?').run(to);
      const last = positionOf(to, this.#options);
      return { last, sizeBytes: statSync(to).size, sha256: hashFile(to) };
    } catch (error) {
      rmSync(to, { force: true });
      throw asError(error, 'snapshot-failed', 'the state could not be copied');
    }
  }

  #keep({ path, received, last }: StateRequests['keep']['ask']): Answer<'keep'> {
    checkSnapshot({ path, clusterId: this.#options.clusterId }, last);
    try {
      keepReceived(path, received);
    } catch (error) {
      throw asError(error, 'snapshot-failed', 'a received snapshot could not be made durable');
    }
    return {};
  }

  #connected(): Database.Database {
    if (this.#connection !== undefined) return this.#connection;
    const connection = new Database(this.#options.path, { fileMustExist: true, timeout: busyTimeoutMs });
    // A checkpoint syncs as this says; on macOS only so does it reach the platter.
    connection.pragma('synchronous = FULL');
    connection.pragma('fullfsync = ON');
    connection.pragma('checkpoint_fullfsync = ON');
    connection.pragma('wal_autocheckpoint = 0');
    // The names of the database and of its log must survive as well; SQLite itself syncs them only for who made them.
    syncPath(dirname(this.#options.path));
    this.#connection = connection;
    return connection;
  }
}

function passCheckpoint(connection: Database.Database, mode: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): CheckpointRow {
  const row = connection.prepare<[], CheckpointRow>(`PRAGMA wal_checkpoint(${mode})`).get();
  return required(row, 'a checkpoint reports its pages');
}

function positionOf(path: string, { clusterId }: StateWorkerOptions): LogPosition {
  const store = openSqliteStore({ path, clusterId, isSnapshot: true });
  const { appliedIndex, appliedTerm } = store.loaded;
  store.close();
  return { index: appliedIndex, term: appliedTerm };
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const descriptor = openSync(path, 'r');
  try {
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

/** Our own errors pass as they are; so does damage of the state, whatever was being done. */
function asError(error: unknown, code: ErrorCode, what: string): QuorateError {
  if (error instanceof QuorateError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  return new QuorateError(cause.includes('CORRUPT') ? 'damaged' : code, `${what}: ${reason} (${cause})`, {
    cause: error,
  });
}

function main(port: MessagePort, options: StateWorkerOptions): void {
  const worker = new StateWorker(options);
  port.on('message', (request: StateRequest) => {
    let reply: StateReply;
    try {
      reply = { ok: true, answer: worker.handle(request) };
    } catch (error) {
      const { code, message } = asError(error, 'damaged', `the state database ${options.path} failed`);
      reply = { ok: false, code, message };
    }
    port.postMessage(reply);
  });
}

main(required(parentPort ?? undefined, 'this file runs as a worker thread'), workerData as StateWorkerOptions);
