/** Calls the peer listener of a member with any bytes and any metadata, as a stranger or a broken member would. */
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';

/** The RPCs of the peer listener that take messages. */
export const unaryPaths = ['/quorate.peer.v1.RaftService/RequestVote', '/quorate.peer.v1.RaftService/TimeoutNow'];
export const streamPaths = ['/quorate.peer.v1.RaftService/AppendEntries', '/quorate.peer.v1.ForwardService/Forward'];
export const snapshotPath = '/quorate.peer.v1.RaftService/InstallSnapshot';
export const allPaths = [...unaryPaths, ...streamPaths, snapshotPath];

export interface Outcome {
  readonly code: status;
  readonly details: string;
}

const pass = (bytes: Buffer): Buffer => bytes;

export class PeerCaller {
  readonly #client: Client;

  constructor(address: string, shown = credentials.createInsecure()) {
    this.#client = new Client(address, shown, {
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    });
  }

  /** Sends one message on any RPC; how the call ended. A stream that takes the message is ended by us: OK. */
  call(path: string, bytes: Buffer, metadata: Metadata): Promise<Outcome> {
    return unaryPaths.includes(path) ? this.#unary(path, bytes, metadata) : this.stream(path, [bytes], metadata);
  }

  stream(path: string, messages: readonly Buffer[], metadata: Metadata): Promise<Outcome> {
    return new Promise((resolve) => {
      const stream = this.#client.makeBidiStreamRequest(path, pass, pass, metadata);
      stream.on('error', () => undefined);
      stream.on('data', () => undefined);
      stream.on('status', ({ code, details }) => resolve({ code, details }));
      for (const bytes of messages) stream.write(bytes);
      stream.end();
    });
  }

  #unary(path: string, bytes: Buffer, metadata: Metadata): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(path, pass, pass, bytes, metadata, (error: ServiceError | null) => {
        resolve(error ?? { code: status.OK, details: '' });
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Metadata with the given entries. */
export function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(values)) metadata.add(key, value);
  return metadata;
}
