/** Members in one process: messages wait in the open until the caller delivers, drops or repeats them. For tests and simulation. */
import { assert, required } from '../base/assert';
import type { MemberId } from '../raft';
import type { PeerMessage, Transport, TransportHandler } from './transport';

/** A message on its way. */
export interface Packet {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly message: PeerMessage;
}

/** Joins the members. No timers, no chance: the same calls give the same deliveries. */
export class MemoryNetwork {
  /** Started members. */
  readonly #handlers = new Map<MemberId, TransportHandler>();
  readonly #packets: Packet[] = [];

  /** A transport for one member; several in turn for a member that restarts. */
  transport(id: MemberId): Transport {
    return {
      start: (handler) => {
        assert(!this.#handlers.has(id), 'a member is started once at a time');
        this.#handlers.set(id, handler);
        return Promise.resolve();
      },
      send: (to, message) => {
        if (!this.#handlers.has(id)) return false;
        this.#packets.push({ from: id, to, message });
        return true;
      },
      stop: () => {
        this.#handlers.delete(id);
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
    const { from, to, message } = this.drop(at);
    const receiver = this.#handlers.get(to);
    if (receiver === undefined) this.#handlers.get(from)?.unreachable(to);
    else receiver.receive(from, message);
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

  /** Loses one packet, by its place in `packets`. */
  drop(at = 0): Packet {
    const [packet] = this.#packets.splice(at, 1);
    return required(packet, 'there is a packet in this place');
  }

  /** Has one packet arrive twice: the core bears it, though no transport does it. Not for forwarded proposals. */
  duplicate(at = 0): void {
    const packet = required(this.#packets[at], 'there is a packet in this place');
    assert(packet.message.kind !== 'forward-proposals', 'forwarded proposals arrive at most once');
    this.#packets.push(packet);
  }

  /** Loses everything on its way between two members, and tells both. */
  disconnect(a: MemberId, b: MemberId): void {
    const isBetween = ({ from, to }: Packet): boolean => (from === a && to === b) || (from === b && to === a);
    const kept = this.#packets.filter((packet) => !isBetween(packet));
    this.#packets.splice(0, this.#packets.length, ...kept);
    this.#handlers.get(a)?.unreachable(b);
    this.#handlers.get(b)?.unreachable(a);
  }
}
