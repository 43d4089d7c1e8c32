/** A stream of etcd's Watch service as a test reads it: requests, and responses by watch. */
import { type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  WatchClient,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from '../../src/gen/etcd/etcdserverpb/watch';

/** Everything, from now on. */
const standard: WatchCreateRequest = {
  key: Buffer.from('\0'),
  rangeEnd: Buffer.from('\0'),
  startRevision: 0n,
  progressNotify: false,
  filters: [],
  prevKv: false,
  watchId: 0n,
  fragment: false,
};

/** The end of the keys that begin with a text of ASCII. */
export function endOfPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

export class EtcdWatchStream {
  readonly stream: ClientDuplexStream<WatchRequest, WatchResponse>;
  readonly #client: WatchClient;
  readonly #responses: WatchResponse[] = [];
  readonly #waiting: (() => void)[] = [];
  /** How the stream ended; `undefined` while it is open. */
  failure: ServiceError | 'ended' | undefined;

  constructor(address: string, shown = credentials.createInsecure()) {
    // A connection for each stream: what one client reads slowly must not hold up another's.
    this.#client = new WatchClient(address, shown, { 'grpc.use_local_subchannel_pool': 1 });
    this.stream = this.#client.watch();
    this.stream.on('data', (response: WatchResponse) => {
      this.#responses.push(response);
      this.#wake();
    });
    this.stream.on('error', (error: ServiceError) => {
      this.failure = error;
      this.#wake();
    });
    this.stream.on('end', () => {
      this.failure ??= 'ended';
      this.#wake();
    });
  }

  create(request: Partial<WatchCreateRequest> = {}): void {
    this.stream.write({ requestUnion: { $case: 'createRequest', value: { ...standard, ...request } } });
  }

  cancel(watchId: bigint): void {
    this.stream.write({ requestUnion: { $case: 'cancelRequest', value: { watchId } } });
  }

  askProgress(): void {
    this.stream.write({ requestUnion: { $case: 'progressRequest', value: {} } });
  }

  /** The next response; `undefined` when the stream is over. */
  async next(): Promise<WatchResponse | undefined> {
    while (this.#responses.length === 0 && this.failure === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#responses.shift();
  }

  close(): void {
    this.stream.on('error', () => undefined);
    this.stream.cancel();
    this.#client.close();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
