/** The sender's side of one snapshot transfer: a connection of its own, and a chunk at a time. */
import { Client, type ClientWritableStream, type Metadata } from '@grpc/grpc-js';
import { deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import { RaftServiceService } from '../gen/quorate/peer/v1/raft';
import type { ConnectionContext } from './grpc-peer-connection';
import { channelOptions } from './grpc-transport-options';
import { identityMetadata, incarnationOf } from './peer-identity';
import { encodeSnapshotChunk, encodeSnapshotHeader } from './snapshot-codec';
import { checkRead, readErrorOf, transferErrorOf } from './snapshot-errors';
import { probeTcp } from './tcp-probe';
import type { OutgoingSnapshot } from './transport';
import { passBytes } from './wire';

/**
 * Sends a snapshot; see `Transport.sendSnapshot`. A `read` may still be running when it rejects.
 *
 * @param signal gives up, with its reason
 */
export async function sendSnapshot(
  context: ConnectionContext,
  snapshot: OutgoingSnapshot,
  signal: AbortSignal,
): Promise<void> {
  const { address, tuning } = context;
  try {
    await probeTcp(address, tuning.connectTimeoutMs, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new QuorateError('unreachable', `cannot reach the peer at ${address}: ${String(cause)}`, { cause });
  }
  // Never shared with messages: the streams of a connection share its flow control, and its socket.
  const client = new Client(`dns:${address}`, context.credentials(), channelOptions(tuning));
  try {
    await new Transfer(context, snapshot, client).run(signal);
  } finally {
    // Not at once, and after the call was cancelled: see GrpcPeerConnection.close.
    setImmediate(() => {
      client.close();
    });
  }
}

/** One call, from its header to its answer. */
class Transfer {
  readonly #context: ConnectionContext;
  readonly #snapshot: OutgoingSnapshot;
  readonly #stream: ClientWritableStream<Buffer>;
  readonly #outcome = deferred<void>();
  readonly #stallTimer: NodeJS.Timeout;
  #isOver = false;

  constructor(context: ConnectionContext, snapshot: OutgoingSnapshot, client: Client) {
    this.#context = context;
    this.#snapshot = snapshot;
    const { snapshotStallTimeoutMs } = context.tuning;
    this.#stallTimer = setTimeout(() => {
      this.#fail(new QuorateError('unreachable', `the snapshot transfer stood still for ${snapshotStallTimeoutMs} ms`));
    }, snapshotStallTimeoutMs);
    const { path } = RaftServiceService.installSnapshot;
    const metadata = identityMetadata(context.identity);
    this.#stream = client.makeClientStreamRequest(path, passBytes, passBytes, metadata, (error) => {
      if (error === null) this.#outcome.resolve();
      else this.#outcome.reject(transferErrorOf(error));
    });
    this.#stream.on('error', () => undefined); // The call's answer says the same.
    this.#stream.on('metadata', (answered: Metadata) => {
      if (context.admit(incarnationOf(answered))) return;
      this.#fail(new QuorateError('unreachable', 'the peer has another incarnation than it should have'));
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => {
      this.#fail(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    // Not awaited: when the call ends early, what this waits for may never come.
    this.#sendAll().catch((error: unknown) => {
      this.#fail(readErrorOf(error));
    });
    try {
      await this.#outcome.promise;
    } finally {
      this.#isOver = true;
      clearTimeout(this.#stallTimer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Reads a chunk while the one before leaves, and holds no more than these two. */
  async #sendAll(): Promise<void> {
    const { sizeBytes } = this.#snapshot;
    let flushed = this.#write(encodeSnapshotHeader(this.#snapshot, this.#context.identity.from));
    for (let offset = 0; offset < sizeBytes;) {
      const data = await this.#read(offset);
      await flushed;
      if (this.#isOver) return;
      flushed = this.#write(encodeSnapshotChunk(offset, data));
      offset += data.length;
    }
    await flushed;
    this.#stream.end();
  }

  async #read(offset: number): Promise<Uint8Array> {
    const { sizeBytes } = this.#snapshot;
    const maxBytes = Math.min(this.#context.tuning.snapshotChunkBytes, sizeBytes - offset);
    const data = await this.#snapshot.read(offset, maxBytes);
    checkRead(data, offset, maxBytes);
    return data;
  }

  /** Resolves when the bytes are on their way, which the peer's flow control decides; never, if the call has ended. */
  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.write(bytes, (error: unknown) => {
        if (error !== null && error !== undefined) return;
        this.#stallTimer.refresh();
        resolve();
      });
    });
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#outcome.reject(error);
    // Not at once: see GrpcPeerConnection.close.
    setImmediate(() => {
      this.#stream.cancel();
    });
  }
}
