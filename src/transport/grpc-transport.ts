/** The transport of production: gRPC between members. */
import { credentials } from '@grpc/grpc-js';
import { assert, unreachable } from '../base/assert';
import type { MemberId } from '../raft';
import { AppendEntriesEncoder } from './append-entries-codec';
import { GrpcPeerClient } from './grpc-peer-client';
import { GrpcPeerServer } from './grpc-peer-server';
import type { GrpcTransportOptions } from './grpc-transport-options';
import type { PeerMessage, Transport, TransportHandler } from './transport';

/**
 * Each member opens one connection to each peer and sends on it; answers come back on the same connection:
 * AppendEntries and forwarded calls on a long-lived stream each, votes as unary calls.
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #clients = new Map<MemberId, GrpcPeerClient>();
  #server: GrpcPeerServer | undefined;
  #boundPort: number | undefined;

  constructor(options: GrpcTransportOptions) {
    const { peers, selfId } = options;
    assert(!peers.some(({ id }) => id === selfId), 'a member is not its own peer');
    this.#options = options;
  }

  /** The port it listens on, once started. */
  get boundPort(): number | undefined {
    return this.#boundPort;
  }

  /** @throws QuorateError `refused-to-start` if the address cannot be listened on */
  async start(handler: TransportHandler): Promise<void> {
    assert(this.#server === undefined, 'a transport is started once');
    const { selfId, clusterId, listenAddress, peers, tuning, logger, serverCredentials } = this.#options;
    const door = { clusterId, selfId, memberIds: new Set(peers.map(({ id }) => id)) };
    this.#server = new GrpcPeerServer({ listenAddress, door, tuning, credentials: serverCredentials, logger, handler });
    this.#boundPort = await this.#server.start();
    this.#openClients(handler);
  }

  send(to: MemberId, message: PeerMessage): boolean {
    switch (message.kind) {
      case 'append-entries':
      case 'request-vote':
      case 'timeout-now':
      case 'forward-proposals':
      case 'forward-read':
        return this.#clients.get(to)?.send(message) ?? false;
      case 'append-entries-response':
      case 'request-vote-response':
      case 'forward-read-index':
      case 'forward-refused':
        return this.#server?.send(to, message) ?? false;
      case 'install-snapshot':
        return false;
      default:
        return unreachable(message);
    }
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.stop();
    this.#clients.clear();
    await this.#server?.stop();
  }

  #openClients(handler: TransportHandler): void {
    const { peers, clusterId, selfId, tuning, logger, channelCredentials } = this.#options;
    const encoder = new AppendEntriesEncoder(selfId);
    for (const { id, address } of peers) {
      const identity = { clusterId, from: selfId, to: id };
      const context = {
        address,
        identity,
        tuning,
        encoder,
        credentials: channelCredentials ?? credentials.createInsecure(),
      };
      this.#clients.set(id, new GrpcPeerClient(context, handler, logger));
    }
  }
}
