/** The simulated network: every directed pair of members has a link of its own, with its own troubles. */
import { assert, required } from '../../base/assert';
import type { Rng } from '../../base/rng';
import type { MemberId } from '../../raft';
import type { PeerMessage, Transport, TransportHandler } from '../../transport/transport';
import type { Agenda } from './agenda';
import { exponential, isLucky, real } from './chance';

/** How good the network is while nothing is broken. */
export interface NetworkQuality {
  readonly minDelayMs: number;
  /** On top of that, mostly small, sometimes many times as much. */
  readonly meanJitterMs: number;
  readonly lossRate: number;
  readonly duplicationRate: number;
  /** How many packets may overtake those before them. */
  readonly reorderRate: number;
}

/** One direction between two members. */
export interface Link {
  readonly from: MemberId;
  readonly to: MemberId;
  /** Everything is lost. */
  cut: boolean;
  /** The sender knows that it is cut. */
  refused: boolean;
  /** Packets wait until it is opened again. */
  clogged: boolean;
  readonly held: PeerMessage[];
  /** On top of the quality of the network. */
  lossRate: number;
  extraDelayMs: number;
  /** When the latest packet arrives: the next one in order arrives no earlier. */
  lastArrivalAt: number;
}

/** What the world wants to know of the network. */
export interface NetworkObserver {
  sent(from: MemberId, to: MemberId, message: PeerMessage): void;
  /** Hands a message to a member that listens. */
  deliver(from: MemberId, to: MemberId, arrive: () => void, message: PeerMessage): void;
}

export interface NetworkVolume {
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
}

export class Network {
  readonly volume: NetworkVolume = { delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
  quality: NetworkQuality;
  readonly links: readonly Link[];
  readonly #byPair = new Map<MemberId, Map<MemberId, Link>>();
  readonly #agenda: Agenda;
  readonly #rng: Rng;
  readonly #observer: NetworkObserver;
  readonly #handlers = new Map<MemberId, TransportHandler>();

  constructor(
    parts: { readonly agenda: Agenda; readonly rng: Rng; readonly observer: NetworkObserver },
    setup: {
      readonly ids: readonly MemberId[];
      readonly quality: NetworkQuality;
    },
  ) {
    this.#agenda = parts.agenda;
    this.#rng = parts.rng;
    this.#observer = parts.observer;
    this.quality = setup.quality;
    for (const from of setup.ids) {
      const row = new Map<MemberId, Link>();
      for (const to of setup.ids) if (to !== from) row.set(to, newLink(from, to));
      this.#byPair.set(from, row);
    }
    this.links = [...this.#byPair.values()].flatMap((row) => [...row.values()]);
  }

  link(from: MemberId, to: MemberId): Link {
    return required(this.#byPair.get(from)?.get(to), 'two members have a link');
  }

  transport(id: MemberId): Transport {
    return {
      start: (handler) => {
        assert(!this.#handlers.has(id), 'a member is started once at a time');
        this.#handlers.set(id, handler);
        return Promise.resolve();
      },
      send: (to, message) => this.#send(id, to, message),
      stop: () => {
        this.#handlers.delete(id);
        return Promise.resolve();
      },
    };
  }

  /** The process behind the transport is gone; its peers learn it when they send. */
  unplug(id: MemberId): void {
    this.#handlers.delete(id);
  }

  /** A message that its sender's driver did not send, though it might have; it surely arrives. */
  inject(from: MemberId, to: MemberId, message: PeerMessage): void {
    this.#agenda.after(this.quality.minDelayMs, () => this.#hand(this.link(from, to), message));
  }

  /** A link works, or does not. `refused`: the sender learns at once that nothing gets through. */
  setCut(link: Link, cut: boolean, refused = false): void {
    link.cut = cut;
    link.refused = cut && refused;
    if (refused) this.#tellUnreachable(link.from, link.to);
  }

  setClogged(link: Link, clogged: boolean): void {
    link.clogged = clogged;
    if (clogged) return;
    for (const message of link.held.splice(0)) this.#carry(link, message);
  }

  /** Every link works as the quality of the network says. */
  heal(links: readonly Link[] = this.links): void {
    for (const link of links) {
      this.setCut(link, false);
      link.lossRate = 0;
      link.extraDelayMs = 0;
      this.setClogged(link, false);
    }
  }

  #send(from: MemberId, to: MemberId, message: PeerMessage): boolean {
    if (!this.#handlers.has(from)) return false;
    const link = this.link(from, to);
    if (link.refused) return false;
    this.#observer.sent(from, to, message);
    if (link.clogged) link.held.push(message);
    else this.#carry(link, message);
    return true;
  }

  #carry(link: Link, message: PeerMessage): void {
    const rng = this.#rng;
    const { lossRate, duplicationRate, reorderRate } = this.quality;
    if (isLucky(rng, lossRate + link.lossRate)) {
      this.volume.lost++;
      return;
    }
    const mayOvertake = isOfCore(message) && isLucky(rng, reorderRate);
    this.#arriveLater(link, message, mayOvertake);
    if (!isLucky(rng, duplicationRate) || message.kind === 'forward-proposals') return;
    this.volume.duplicated++;
    this.#arriveLater(link, message, isOfCore(message));
  }

  #arriveLater(link: Link, message: PeerMessage, mayOvertake: boolean): void {
    const { minDelayMs, meanJitterMs } = this.quality;
    const delayMs = minDelayMs + link.extraDelayMs + exponential(this.#rng, meanJitterMs);
    let at = this.#agenda.now + delayMs;
    if (mayOvertake) {
      this.volume.reordered++;
      at += real(this.#rng, 0, 10 * (minDelayMs + meanJitterMs));
    } else {
      at = Math.max(at, link.lastArrivalAt);
      link.lastArrivalAt = at;
    }
    this.#agenda.at(at, () => this.#arrive(link, message));
  }

  #arrive(link: Link, message: PeerMessage): void {
    if (link.cut) {
      this.volume.lost++;
      return;
    }
    this.#hand(link, message);
  }

  #hand(link: Link, message: PeerMessage): void {
    const receiver = this.#handlers.get(link.to);
    if (receiver === undefined) {
      this.volume.lost++;
      this.#tellUnreachable(link.from, link.to);
      return;
    }
    this.volume.delivered++;
    const arrive = (): void => {
      if (this.#handlers.get(link.to) === receiver) receiver.receive(link.from, message);
    };
    this.#observer.deliver(link.from, link.to, arrive, message);
  }

  #tellUnreachable(from: MemberId, to: MemberId): void {
    this.#agenda.after(this.quality.minDelayMs, () => this.#handlers.get(from)?.unreachable(to));
  }
}

/** Messages between cores bear any order; what is asked beside them keeps it (transport/transport.ts). */
function isOfCore({ kind }: PeerMessage): boolean {
  return !kind.startsWith('forward-');
}

function newLink(from: MemberId, to: MemberId): Link {
  const links = { cut: false, refused: false, clogged: false, held: [] };
  return { from, to, ...links, lossRate: 0, extraDelayMs: 0, lastArrivalAt: 0 };
}
