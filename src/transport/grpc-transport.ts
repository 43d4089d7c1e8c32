/** The transport of production: gRPC between members. */
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import type { MemberId } from '../raft';
import { AppendEntriesEncoder } from './append-entries-codec';
import { GrpcPeerClient } from './grpc-peer-client';
import { GrpcPeerServer } from './grpc-peer-server';
import type { GrpcTransportOptions } from './grpc-transport-options';
import { credentialsFor, type PeerTls } from './peer-tls';
import { isAnswer } from './transport';
import type { OutgoingSnapshot, PeerAddress, PeerMessage, Transport, TransportHandler } from './transport';

/** A peer, and the link to it once the transport is started. */
interface Peer {
  readonly address: string;
  readonly client: GrpcPeerClient | undefined;
}

/**
 * Each member opens one connection to each peer and sends on it; answers come back on the same connection:
 * AppendEntries and forwarded calls on a long-lived stream each, votes as unary calls. A snapshot opens another.
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #encoder: AppendEntriesEncoder;
  readonly #peers = new Map<MemberId, Peer>();
  /** Links to former peers and former addresses that still have something to send. */
  readonly #leaving = new Set<GrpcPeerClient>();
  #handler: TransportHandler | undefined;
  #server: GrpcPeerServer | undefined;
  #boundPort: number | undefined;
  #isStopped = false;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.#encoder = new AppendEntriesEncoder(options.selfId);
  }

  get #tls(): PeerTls | undefined {
    const { tls, allowedNames = [] } = this.#options;
    return tls === undefined ? undefined : { source: tls, allowedNames };
  }

  /** The port it listens on, once started. */
  get boundPort(): number | undefined {
    return this.#boundPort;
  }

  /** @throws QuorateError `refused-to-start` if the address cannot be listened on */
  async start(handler: TransportHandler): Promise<void> {
    assert(this.#server === undefined, 'a transport is started once');
    const { selfId, clusterId, incarnation, listenAddress, tuning, logger } = this.#options;
    const door = { clusterId, selfId, incarnation };
    this.#server = new GrpcPeerServer({ listenAddress, door, tuning, tls: this.#tls, logger, handler });
    this.#boundPort = await this.#server.start();
    this.#handler = handler;
    for (const [id, { address }] of this.#peers) this.#connect({ id, address });
  }

  updatePeers(peers: readonly PeerAddress[]): void {
    const addresses = new Map(peers.map(({ id, address }) => [id, address]));
    assert(addresses.size === peers.length, 'a peer is listed once');
    assert(!addresses.has(this.#options.selfId), 'a member is not its own peer');
    for (const [id, { client }] of this.#peers) {
      if (addresses.has(id)) continue;
      this.#leave(client);
      this.#peers.delete(id);
    }
    for (const peer of peers) this.#connect(peer);
  }

  send(to: MemberId, message: PeerMessage): boolean {
    if (isAnswer(message)) return this.#server?.send(to, message) ?? false;
    return this.#peers.get(to)?.client?.send(message) ?? false;
  }

  async sendSnapshot(to: MemberId, snapshot: OutgoingSnapshot): Promise<void> {
    if (this.#isStopped) throw new QuorateError('stopping', 'the transport is stopped');
    const client = this.#peers.get(to)?.client;
    if (client === undefined) throw new QuorateError('unreachable', `member ${to} is no peer of this member`);
    await client.sendSnapshot(snapshot);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { client } of this.#peers.values()) client?.stop();
    for (const client of this.#leaving) client.stop();
    this.#peers.clear();
    await this.#server?.stop();
  }

  /** Connects to a peer that is not, or not at this address; only remembers it while there is nobody to tell. */
  #connect({ id, address }: PeerAddress): void {
    const known = this.#peers.get(id);
    const handler = this.#isStopped ? undefined : this.#handler;
    if (known?.address === address && (known.client !== undefined || handler === undefined)) return;
    this.#leave(known?.client);
    const client = handler === undefined ? undefined : this.#open({ id, address }, handler);
    // What went to the old address may be lost.
    if (known?.client !== undefined) client?.assumeLoss();
    this.#peers.set(id, { address, client });
  }

  #leave(client: GrpcPeerClient | undefined): void {
    if (client === undefined) return;
    this.#leaving.add(client);
    client.leave(() => this.#leaving.delete(client));
  }

  #open({ id, address }: PeerAddress, handler: TransportHandler): GrpcPeerClient {
    const { clusterId, selfId, incarnation, tuning, logger } = this.#options;
    const context = {
      address,
      identity: { clusterId, from: selfId, to: id, incarnation },
      admit: (found: Incarnation | undefined) => handler.admit(id, found),
      tuning,
      encoder: this.#encoder,
      credentials: (onEnd?: (reason: string) => void) => {
        const bounds = { timeoutMs: tuning.handshakeTimeoutMs };
        return credentialsFor(address, this.#tls, onEnd === undefined ? bounds : { ...bounds, onEnd });
      },
    };
    return new GrpcPeerClient(context, handler, logger);
  }
}
