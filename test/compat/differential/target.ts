/** One of the two servers that are compared: takes steps, tells outcomes. */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { LeaseService, type LeaseKeepAliveResponse } from '../../../src/gen/etcd/etcdserverpb/lease';
import type { WatchCreateRequest } from '../../../src/gen/etcd/etcdserverpb/watch';
import { LeaseAliases } from './leases';
import { type Call, methods, type Outcome } from './step';
import { WatchStream } from './watch-stream';

/** No call takes this long, ms: that is a failure of its own. */
const deadlineMs = 20_000;

/** The codec of a call, whatever its method. */
interface AnyMethod {
  readonly path: string;
  readonly requestSerialize: (value: unknown) => Buffer;
  readonly responseDeserialize: (value: Buffer) => unknown;
}

export class Target {
  readonly name: string;
  readonly #client: Client;
  readonly #leases = new LeaseAliases();

  constructor(name: string, address: string) {
    this.name = name;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
      // Two targets at one address are two connections.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  async call(call: Call): Promise<Outcome> {
    const outcome = await this.#unary(
      methods[call.method] as unknown as AnyMethod,
      this.#leases.toServer(call.request),
    );
    if (!('reply' in outcome)) return outcome;
    if (call.method === 'leaseGrant' && call.request.ID === 0n) {
      const reply = outcome.reply as { readonly ID: bigint };
      return { reply: { ...reply, ID: this.#leases.add(reply.ID) } };
    }
    return { reply: this.#leases.fromServer(outcome.reply) };
  }

  #unary({ path, requestSerialize, responseDeserialize }: AnyMethod, message: unknown): Promise<Outcome> {
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + deadlineMs };
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        new Metadata(),
        options,
        (error, reply) => resolve(error === null ? { reply } : failure(error)),
      );
    });
  }

  /** Renews a lease once; the outcome is the reply, or how the stream ended. */
  keepAlive(id: bigint): Promise<Outcome> {
    const { path, requestSerialize, responseDeserialize } = LeaseService.leaseKeepAlive;
    const options = { deadline: Date.now() + deadlineMs };
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, options);
    return new Promise((resolve) => {
      stream.on('data', (reply: LeaseKeepAliveResponse) => {
        resolve({ reply: this.#leases.fromServer(reply) });
        stream.end();
      });
      stream.on('error', (error: ServiceError) => resolve(failure(error)));
      stream.on('end', () => resolve({ code: status.OK, message: 'ended without a reply' }));
      stream.write(this.#leases.toServer({ ID: id }));
    });
  }

  /** A watch stream with these watches on it, each one's creation answered. */
  async open(creates: readonly WatchCreateRequest[]): Promise<WatchStream> {
    const stream = new WatchStream(this.name, this.#client, (response) => this.#leases.fromServer(response));
    for (const create of creates) await stream.create(create);
    return stream;
  }

  close(): void {
    this.#client.close();
  }
}

function failure({ code, details }: ServiceError): Outcome {
  return { code, message: details };
}
