/** Members in one process: messages wait in the open until the caller delivers, drops or repeats them. For tests and simulation. */
import { assert, required } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import type { MemberId } from '../raft';
import { MemorySnapshots, type SnapshotMessage } from './memory-snapshots';
import { isAnswer, isTooLarge, type PeerMessage, type Transport, type TransportHandler } from './transport';

/** A message, or a step of a snapshot transfer, on its way. */
export interface Packet {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly message: PeerMessage | SnapshotMessage;
}

/** A member from its start to its stop. */
interface Life {
  readonly handler: TransportHandler;
  readonly incarnation: Incarnation | undefined;
  /** Of those that sent it something: whether they may. Asked once for each. */
  readonly verdicts: WeakMap<Life, boolean>;
  /** To whom something was delivered, and of whom it was not told since that they are gone. */
  readonly reached: Set<MemberId>;
}

interface SentPacket extends Packet {
  readonly sender: Life;
}

/** Settings of a `MemoryNetwork`. */
export interface MemoryNetworkOptions {
  /** Bytes of a snapshot in one packet. Default 256 KiB, at least 1. */
  readonly snapshotChunkBytes?: number;
}

/** Joins the members. No timers, no chance: the same calls give the same deliveries. */
export class MemoryNetwork {
  /** Started members. */
  readonly #lives = new Map<MemberId, Life>();
  readonly #packets: SentPacket[] = [];
  readonly #snapshots: MemorySnapshots;

  constructor({ snapshotChunkBytes = 256 * 1024 }: MemoryNetworkOptions = {}) {
    this.#snapshots = new MemorySnapshots((packet) => {
      const sender = required(this.#lives.get(packet.from), 'a transfer ends with either of its members');
      this.#packets.push({ ...packet, sender });
    }, snapshotChunkBytes);
  }

  /**
   * A transport for one member; several in turn for a member that restarts. Addresses mean nothing here.
   *
   * @param incarnation what the peers are told; nothing, if there is none
   */
  transport(id: MemberId, incarnation?: Incarnation): Transport {
    let peers: ReadonlySet<MemberId> = new Set();
    return {
      start: (handler) => {
        assert(!this.#lives.has(id), 'a member is started once at a time');
        this.#lives.set(id, { handler, incarnation, verdicts: new WeakMap(), reached: new Set() });
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
        const sender = this.#lives.get(id);
        if (sender === undefined || !(peers.has(to) || isAnswer(message)) || isTooLarge(message)) return false;
        this.#packets.push({ from: id, to, message, sender });
        return true;
      },
      sendSnapshot: async (to, snapshot) => {
        if (!this.#lives.has(id)) throw new QuorateError('stopping', 'the transport is stopped');
        if (!peers.has(to)) throw new QuorateError('unreachable', `member ${to} is no peer of this member`);
        await this.#snapshots.send(id, to, snapshot);
      },
      stop: () => {
        this.#lives.delete(id);
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

  /**
   * Delivers one packet, by its place in `packets`. To a member that is not there, or does not admit its sender: tells the
   * sender `unreachable`, and of one that was there before also that it is `gone`.
   */
  deliver(at = 0): void {
    const packet = this.#take(at);
    const { from, to, message, sender } = packet;
    const receiver = this.#lives.get(to);
    const isTaken = receiver !== undefined && this.#admits(receiver, packet);
    if (isTaken && !sender.reached.has(to)) {
      sender.reached.add(to);
      this.#lives.get(from)?.handler.reached(to);
    }
    if (message.kind === 'snapshot') {
      if (isTaken) this.#snapshots.deliver({ from, to, message }, receiver.handler);
      else this.#breakOff(message);
    } else if (isTaken) {
      receiver.handler.receive(from, message);
    } else {
      this.#lives.get(from)?.handler.unreachable(to);
      if (receiver === undefined && sender.reached.delete(to)) this.#lives.get(from)?.handler.gone(to);
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
    this.#lives.get(a)?.handler.unreachable(b);
    this.#lives.get(b)?.handler.unreachable(a);
  }

  #admits({ handler, verdicts }: Life, { from, to, sender }: SentPacket): boolean {
    const known = verdicts.get(sender);
    if (known !== undefined) return known;
    const verdict = handler.admit(from, sender.incarnation);
    verdicts.set(sender, verdict);
    if (!verdict && this.#lives.get(from) === sender) sender.handler.refused(to);
    return verdict;
  }

  #take(at: number): SentPacket {
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
