/** Members in one process: messages wait in the open until the caller delivers, drops or repeats them. For tests and simulation. */
import { assert, required, unreachable } from '../base/assert';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import { MemorySnapshots, type SnapshotMessage } from './memory-snapshots';
import { isTooLarge, type PeerMessage, type Transport, type TransportHandler } from './transport';

/** A message, or a step of a snapshot transfer, on its way. */
export interface Packet {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly message: PeerMessage | SnapshotMessage;
}

/** Settings of a `MemoryNetwork`. */
export interface MemoryNetworkOptions {
  /** Bytes of a snapshot in one packet. Default 256 KiB, at least 1. */
  readonly snapshotChunkBytes?: number;
}

/** Joins the members. No timers, no chance: the same calls give the same deliveries. */
export class MemoryNetwork {
  /** Started members. */
  readonly #handlers = new Map<MemberId, TransportHandler>();
  readonly #packets: Packet[] = [];
  readonly #snapshots: MemorySnapshots;

  constructor({ snapshotChunkBytes = 256 * 1024 }: MemoryNetworkOptions = {}) {
    this.#snapshots = new MemorySnapshots((packet) => {
      this.#packets.push(packet);
    }, snapshotChunkBytes);
  }

  /** A transport for one member; several in turn for a member that restarts. Addresses mean nothing here. */
  transport(id: MemberId): Transport {
    let peers: ReadonlySet<MemberId> = new Set();
    return {
      start: (handler) => {
        assert(!this.#handlers.has(id), 'a member is started once at a time');
        this.#handlers.set(id, handler);
        return Promise.resolve();
      },
      updatePeers: (list) => {
        assert(!list.some((peer) => peer.id === id), 'a member is not its own peer');
        peers = new Set(list.map((peer) => peer.id));
        const isGone = (transfer: { from: MemberId; to: MemberId }): boolean =>
          transfer.from === id && !peers.has(transfer.to);
        this.#snapshots.breakOff(isGone, new QuorateError('stopping', 'the peer is none any more'));
      },
      send: (to, message) => {
        if (!this.#handlers.has(id) || !(peers.has(to) || isAnswer(message)) || isTooLarge(message)) return false;
        this.#packets.push({ from: id, to, message });
        return true;
      },
      sendSnapshot: async (to, snapshot) => {
        if (!this.#handlers.has(id)) throw new QuorateError('stopping', 'the transport is stopped');
        if (!peers.has(to)) throw new QuorateError('unreachable', `member ${to} is no peer of this member`);
        await this.#snapshots.send(id, to, snapshot);
      },
      stop: () => {
        this.#handlers.delete(id);
        this.#snapshots.breakOff(({ from }) => from === id, new QuorateError('stopping', 'the transport is stopping'));
        this.#snapshots.breakOff(({ to }) => to === id, brokenOff());
        return Promise.resolve();
      },
    };
  }

  /** What is on its way, in the order in which it was sent. */
  get packets(): readonly Packet[] {
    return this.#packets;
  }

  /** Delivers one packet, by its place in `packets`. To a member that is not there: tells its sender `unreachable`. */
  deliver(at = 0): void {
    const { from, to, message } = this.#take(at);
    const receiver = this.#handlers.get(to);
    if (message.kind === 'snapshot') {
      if (receiver === undefined) this.#breakOff(message);
      else this.#snapshots.deliver({ from, to, message }, receiver);
    } else if (receiver === undefined) {
      this.#handlers.get(from)?.unreachable(to);
    } else {
      receiver.receive(from, message);
    }
  }

  /** Delivers what is on its way now, and not what is sent meanwhile. */
  deliverRound(): void {
    for (let left = this.#packets.length; left > 0; left--) this.deliver();
  }

  /**
   * Delivers until nothing is on its way.
   *
   * @param maxDeliveries messages that answer each other for ever are a bug
   */
  deliverAll(maxDeliveries = 100_000): void {
    for (let count = 0; this.#packets.length > 0; count++) {
      assert(count < maxDeliveries, 'messages come to rest');
      this.deliver();
    }
  }

  /** Loses one packet, by its place in `packets`. One of a snapshot transfer breaks that off at both ends. */
  drop(at = 0): Packet {
    const packet = this.#take(at);
    if (packet.message.kind === 'snapshot') this.#breakOff(packet.message);
    return packet;
  }

  /**
   * Has one packet arrive twice: the core bears it, though no transport does it, and a snapshot transfer refuses it. Not
   * for what is forwarded to be done.
   */
  duplicate(at = 0): void {
    const packet = required(this.#packets[at], 'there is a packet in this place');
    const { kind } = packet.message;
    assert(kind !== 'forward-proposals' && kind !== 'forward-change', 'what is forwarded arrives at most once');
    this.#packets.push(packet);
  }

  /** Loses everything on its way between two members, and tells both. */
  disconnect(a: MemberId, b: MemberId): void {
    const isBetween = ({ from, to }: Pick<Packet, 'from' | 'to'>): boolean =>
      (from === a && to === b) || (from === b && to === a);
    const kept = this.#packets.filter((packet) => !isBetween(packet));
    this.#packets.splice(0, this.#packets.length, ...kept);
    this.#snapshots.breakOff(isBetween, brokenOff());
    this.#handlers.get(a)?.unreachable(b);
    this.#handlers.get(b)?.unreachable(a);
  }

  #take(at: number): Packet {
    const [packet] = this.#packets.splice(at, 1);
    return required(packet, 'there is a packet in this place');
  }

  #breakOff({ transfer }: SnapshotMessage): void {
    this.#snapshots.breakOff(({ id }) => id === transfer, brokenOff());
  }
}

function brokenOff(): QuorateError {
  return new QuorateError('unreachable', 'the connection to the peer was lost');
}

/** Goes to whoever asked, peer or not. */
export function isAnswer({ kind }: PeerMessage): boolean {
  switch (kind) {
    case 'append-entries-response':
    case 'request-vote-response':
    case 'forward-read-index':
    case 'forward-change-result':
    case 'forward-refused':
      return true;
    case 'append-entries':
    case 'request-vote':
    case 'timeout-now':
    case 'forward-proposals':
    case 'forward-read':
    case 'forward-change':
      return false;
    default:
      return unreachable(kind);
  }
}
