/** The storage worker: owns the only connection to raft.db, so that an fsync never stalls the main thread. */
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { required } from '../base/assert';
import { QuorateError } from '../base/error';
import { decodeGroup, encodeRecords } from './entry-codec';
import { explained, toQuorateError } from './sqlite-connection';
import { createLogIfMissing, logPath, syncDirectory } from './sqlite-directory';
import { SqliteLog } from './sqlite-log';
import type { Reply, Request, WorkerOptions } from './sqlite-protocol';
import { checkWitness, Witness } from './sqlite-witness';

/** Everything the worker has open. */
interface Opened {
  readonly log: SqliteLog;
  readonly witness: Witness;
}

function main(port: MessagePort, options: WorkerOptions): void {
  let opened: Opened | undefined;
  let failed = false;
  const guarded = (action: () => void): void => {
    // After a failure the outcome of the last write is unknown; whatever still arrives is left undone.
    if (failed) return;
    try {
      action();
    } catch (error) {
      failed = true;
      const { code, message } = asFailure(options.directory, error, opened !== undefined);
      reply(port, { kind: 'failed', code, message });
    }
  };
  guarded(() => (opened = open(port, options)));
  port.on('message', (request: Request) => {
    guarded(() => {
      handle(port, options, required(opened, 'the log is open before requests come'), request);
    });
  });
}

function open(port: MessagePort, options: WorkerOptions): Opened {
  const { directory, identity, synchronous } = options;
  const created = createLogIfMissing(directory, identity, options.initialConfiguration);
  const log = new SqliteLog({ path: logPath(directory), identity, synchronous });
  const witness = explained(directory, () => {
    const path = join(directory, 'raft.witness');
    checkWitness(path, log.writeNumber);
    const made = new Witness(path, log.writeNumber);
    // Makes the names of the witness and of the write-ahead log durable before anything is written to them.
    syncDirectory(directory);
    return made;
  });
  reply(port, { kind: 'opened', created, found: log.found, tail: encodeRecords(log.readTail(options.maxTailBytes)) });
  return { log, witness };
}

function handle(port: MessagePort, options: WorkerOptions, opened: Opened, request: Request): void {
  if (request instanceof ArrayBuffer) {
    write(port, opened, request);
    return;
  }
  switch (request.kind) {
    case 'read': {
      const records = opened.log.read(request.range);
      reply(port, { kind: 'read', entries: records && encodeRecords(records) });
      return;
    }
    case 'truncate-prefix': {
      const done = opened.log.truncatePrefix(request.index, options.maxTruncationRows);
      reply(port, { kind: 'truncated', done });
      opened.log.checkpointIfDue();
      return;
    }
    case 'note-peer':
      opened.log.notePeer(request.peer, request.incarnation);
      reply(port, { kind: 'noted' });
      return;
    case 'condemn':
      opened.log.condemn();
      reply(port, { kind: 'noted' });
      return;
    case 'close':
      opened.log.close();
      opened.witness.close();
      reply(port, { kind: 'closed' });
      port.close();
  }
}

function write(port: MessagePort, { log, witness }: Opened, encoded: ArrayBuffer): void {
  log.write(decodeGroup(encoded));
  witness.record(log.writeNumber);
  reply(port, { kind: 'written' });
  log.checkpointIfDue();
}

function reply(port: MessagePort, message: Reply): void {
  port.postMessage(message, transferred(message));
}

function transferred(message: Reply): ArrayBuffer[] {
  if (message.kind === 'opened') return [message.tail];
  return message.kind === 'read' && message.entries !== undefined ? [message.entries] : [];
}

/** While opening, a refusal keeps its code; afterwards every failure is final and means `damaged`. */
function asFailure(directory: string, error: unknown, isOpen: boolean): QuorateError {
  const known = toQuorateError(logPath(directory), error);
  if (!isOpen || known.code === 'damaged') return known;
  return new QuorateError('damaged', `${known.message} The log failed while in use.`);
}

main(required(parentPort ?? undefined, 'this file runs as a worker thread'), workerData as WorkerOptions);
