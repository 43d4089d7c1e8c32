/** The simulated network: every directed pair of members has a link of its own, with its own troubles. */
import { assert, required } from '../../base/assert';
import { QuorateError } from '../../base/error';
import { between, type Rng } from '../../base/rng';
import type { MemberId } from '../../raft';
import { MemorySnapshots, type SnapshotMessage } from '../../transport/memory-snapshots';
import {
  isAnswer,
  isTooLarge,
  type OutgoingSnapshot,
  type PeerMessage,
  type Transport,
  type TransportHandler,
} from '../../transport/transport';
import type { Agenda } from './agenda';
import { exponential, isLucky, pick, real } from './chance';

/** A message, or a step of a snapshot transfer. */
export type Carried = PeerMessage | SnapshotMessage;

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
  /** The sender was told that it reaches the receiver. */
  isOpen: boolean;
  /** Packets wait until it is opened again. */
  clogged: boolean;
  /** As `clogged`, but for snapshots, which have a stream of their own. */
  jammed: boolean;
  readonly held: Carried[];
  /** On top of the quality of the network. */
  lossRate: number;
  extraDelayMs: number;
  /** When the latest packet arrives: the next one in order arrives no earlier. */
  lastArrivalAt: number;
}

/** What the world wants to know of the network. */
export interface NetworkObserver {
  sent(from: MemberId, to: MemberId, message: PeerMessage): void;
  /** A member is told that a peer is gone, which may be wrong. */
  gone(member: MemberId, peer: MemberId): void;
  /** Hands a message to a member that listens. */
  deliver(from: MemberId, to: MemberId, arrive: () => void, message: Carried): void;
}

export interface NetworkVolume {
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  /** Transfers of snapshots that arrived, and that did not. */
  transfers: number;
  brokenTransfers: number;
}

/** A connection is opened, or opened again once it broke, after so long. */
const reconnectMs = 50;

/** A stream repairs most of what a packet suffers: its transfers break so much more rarely. */
const streamRepair = 10;

export class Network {
  readonly volume: NetworkVolume = {
    ...{ delivered: 0, lost: 0, duplicated: 0, reordered: 0 },
    ...{ transfers: 0, brokenTransfers: 0 },
  };
  quality: NetworkQuality;
  /** How many parts of snapshots are damaged. */
  corruptionRate = 0;
  readonly links: Link[] = [];
  readonly #byPair = new Map<MemberId, Map<MemberId, Link>>();
  readonly #agenda: Agenda;
  readonly #rng: Rng;
  readonly #observer: NetworkObserver;
  readonly #handlers = new Map<MemberId, TransportHandler>();
  readonly #peers = new Map<MemberId, ReadonlySet<MemberId>>();
  readonly #snapshots: MemorySnapshots;

  constructor(
    parts: { readonly agenda: Agenda; readonly rng: Rng; readonly observer: NetworkObserver },
    setup: { readonly quality: NetworkQuality; readonly snapshotChunkBytes: number },
  ) {
    this.#agenda = parts.agenda;
    this.#rng = parts.rng;
    this.#observer = parts.observer;
    this.quality = setup.quality;
    this.#snapshots = new MemorySnapshots(({ from, to, message }) => {
      this.#put(this.link(from, to), message);
    }, setup.snapshotChunkBytes);
  }

  /** A member that may be reached from now on. */
  add(id: MemberId): void {
    const row = new Map<MemberId, Link>();
    for (const [other, itsRow] of this.#byPair) {
      const [there, back] = [newLink(id, other), newLink(other, id)];
      row.set(other, there);
      itsRow.set(id, back);
      this.links.push(there, back);
    }
    this.#byPair.set(id, row);
  }

  link(from: MemberId, to: MemberId): Link {
    return required(this.#byPair.get(from)?.get(to), 'two members have a link');
  }

  /** @param notify tells the process something: now, when it wakes up, or never if it has ended */
  transport(id: MemberId, notify: (tell: () => void) => void): Transport {
    return {
      start: (handler) => {
        assert(!this.#handlers.has(id), 'a member is started once at a time');
        this.#handlers.set(id, handler);
        for (const link of this.links) if (link.from === id || link.to === id) this.#connect(link);
        return Promise.resolve();
      },
      updatePeers: (list) => {
        assert(!list.some((peer) => peer.id === id), 'a member is not its own peer');
        const peers = new Set(list.map((peer) => peer.id));
        const before = this.#peers.get(id);
        this.#peers.set(id, peers);
        for (const link of this.links) if (link.from === id && before?.has(link.to) !== true) this.#connect(link);
        const stopping = new QuorateError('stopping', 'the peer is none any more');
        this.#snapshots.breakOff(({ from, to }) => from === id && !peers.has(to), stopping);
      },
      send: (to, message) => this.#send(id, to, message),
      sendSnapshot: (to, snapshot) => {
        const refusal = this.#refusal(id, to);
        if (refusal !== undefined) return Promise.reject(refusal);
        const sent = this.#snapshots.send(id, to, this.#perhapsDamaged(snapshot));
        return new Promise((resolve, reject) => {
          sent.then(
            () => {
              this.volume.transfers++;
              notify(resolve);
            },
            (error: unknown) => {
              this.volume.brokenTransfers++;
              notify(() => reject(error instanceof Error ? error : new Error(String(error))));
            },
          );
        });
      },
      stop: () => {
        this.unplug(id);
        return Promise.resolve();
      },
    };
  }

  /**
   * The process behind the transport is gone. If its machine is not, those that reach it learn it soon; otherwise when they
   * send.
   */
  unplug(id: MemberId, answers = false): void {
    this.#handlers.delete(id);
    for (const link of this.links) if (link.from === id || link.to === id) link.isOpen = false;
    if (answers) for (const { from, to, cut } of this.links) if (to === id && !cut) this.#notReopened({ from, to });
    this.#peers.delete(id);
    this.#snapshots.breakOff(({ from, to }) => from === id || to === id, brokenOff());
  }

  /** A message that its sender's driver did not send, though it might have; it surely arrives. */
  inject(from: MemberId, to: MemberId, message: PeerMessage): void {
    this.#agenda.after(this.quality.minDelayMs, () => this.#hand(this.link(from, to), message));
  }

  /** A link works, or does not. `refused`: the sender learns at once that nothing gets through. */
  setCut(link: Link, cut: boolean, refused = false): void {
    link.cut = cut;
    link.refused = cut && refused;
    if (cut) link.isOpen = false;
    else this.#connect(link);
    if (!refused) return;
    this.#tellUnreachable(link.from, link.to);
    // Whoever is refused takes the peer for gone, which it need not be.
    this.#tellGone(link);
    const ends = [link.from, link.to];
    this.#snapshots.breakOff(({ from, to }) => ends.includes(from) && ends.includes(to), brokenOff());
  }

  setClogged(link: Link, clogged: boolean): void {
    link.clogged = clogged;
    if (!clogged) this.#release(link);
  }

  /** The oldest answer of a core that waits on a link goes on its way. */
  letAnswerThrough(link: Link): void {
    const at = link.held.findIndex(({ kind }) => kind === 'append-entries-response');
    for (const answer of at < 0 ? [] : link.held.splice(at, 1)) this.#carry(link, answer);
  }

  setJammed(link: Link, jammed: boolean): void {
    link.jammed = jammed;
    if (!jammed) this.#release(link);
  }

  /** Every link works as the quality of the network says. */
  heal(links: readonly Link[] = this.links): void {
    for (const link of links) {
      this.setCut(link, false);
      link.lossRate = 0;
      link.extraDelayMs = 0;
      this.setClogged(link, false);
      this.setJammed(link, false);
    }
  }

  #send(from: MemberId, to: MemberId, message: PeerMessage): boolean {
    if (!this.#handlers.has(from) || isTooLarge(message)) return false;
    const isAddressed = this.#peers.get(from)?.has(to) === true || isAnswer(message);
    const link = this.#byPair.get(from)?.get(to);
    if (!isAddressed || link === undefined || link.refused) return false;
    this.#observer.sent(from, to, message);
    this.#put(link, message);
    return true;
  }

  #perhapsDamaged(snapshot: OutgoingSnapshot): OutgoingSnapshot {
    const read = async (offset: number, maxBytes: number): Promise<Uint8Array> => {
      const bytes = await snapshot.read(offset, maxBytes);
      if (!isLucky(this.#rng, this.corruptionRate)) return bytes;
      return damage(bytes, this.#rng);
    };
    return { ...snapshot, read };
  }

  #refusal(from: MemberId, to: MemberId): QuorateError | undefined {
    if (!this.#handlers.has(from)) return new QuorateError('stopping', 'the transport is stopped');
    const isPeer = this.#peers.get(from)?.has(to) === true;
    return isPeer && this.#byPair.get(from)?.get(to)?.refused === false ? undefined : brokenOff();
  }

  #put(link: Link, message: Carried): void {
    if (isHeldBy(link, message)) link.held.push(message);
    else this.#carry(link, message);
  }

  /** What nothing holds any more goes on its way, in the order in which it came. */
  #release(link: Link): void {
    for (const message of link.held.splice(0)) this.#put(link, message);
  }

  #carry(link: Link, message: Carried): void {
    const rng = this.#rng;
    const { lossRate, duplicationRate, reorderRate } = this.quality;
    const repair = message.kind === 'snapshot' ? streamRepair : 1;
    if (isLucky(rng, (lossRate + link.lossRate) / repair)) {
      this.#lose(message);
      return;
    }
    const mayOvertake = isOfCore(message) && isLucky(rng, reorderRate);
    this.#arriveLater(link, message, mayOvertake);
    if (!isLucky(rng, duplicationRate / repair) || mustArriveOnce(message)) return;
    this.volume.duplicated++;
    this.#arriveLater(link, message, isOfCore(message));
  }

  #lose(message: Carried): void {
    this.volume.lost++;
    if (message.kind === 'snapshot') this.#snapshots.breakOff(({ id }) => id === message.transfer, brokenOff());
  }

  #arriveLater(link: Link, message: Carried, mayOvertake: boolean): void {
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
    this.#agenda.at(at, () => {
      if (link.cut) this.#lose(message);
      else this.#hand(link, message);
    });
  }

  #hand(link: Link, message: Carried): void {
    const receiver = this.#handlers.get(link.to);
    if (receiver === undefined) {
      this.#lose(message);
      this.#tellUnreachable(link.from, link.to);
      return;
    }
    this.volume.delivered++;
    const { from, to } = link;
    const arrive = (): void => {
      if (this.#handlers.get(to) !== receiver) return;
      if (message.kind === 'snapshot') this.#snapshots.deliver({ from, to, message }, receiver);
      else receiver.receive(from, message);
    };
    this.#observer.deliver(from, to, arrive, message);
  }

  #tellUnreachable(from: MemberId, to: MemberId): void {
    this.#tell(from, to, (handler) => {
      handler.unreachable(to);
    });
  }

  /** Opens a connection, if both ends are there by then. */
  #connect(link: Link): void {
    this.#agenda.after(reconnectMs, () => {
      if (link.cut || link.isOpen || !this.#handlers.has(link.from) || !this.#handlers.has(link.to)) return;
      link.isOpen = true;
      this.#tell(link.from, link.to, (handler) => {
        handler.reached(link.to);
      });
    });
  }

  /** The connection that broke cannot be opened again, unless the process is back by then. */
  #notReopened(link: Pick<Link, 'from' | 'to'>): void {
    this.#agenda.after(reconnectMs, () => {
      if (!this.#handlers.has(link.to)) this.#tellGone(link);
    });
  }

  #tellGone({ from, to }: Pick<Link, 'from' | 'to'>): void {
    this.#tell(from, to, (handler) => {
      this.#observer.gone(from, to);
      handler.gone(to);
    });
  }

  #tell(from: MemberId, about: MemberId, tell: (handler: TransportHandler) => void): void {
    this.#agenda.after(this.quality.minDelayMs, () => {
      const handler = this.#handlers.get(from);
      if (handler !== undefined && this.#peers.get(from)?.has(about) === true) tell(handler);
    });
  }
}

/** Flips a bit where something stands: most of a small database is empty, and what happens there nobody would notice. */
function damage(bytes: Uint8Array, rng: Rng): Uint8Array {
  const damaged = Buffer.from(bytes);
  const places = [...damaged.keys()].filter((at) => damaged[at] !== 0);
  if (places.length === 0) return damaged;
  const at = pick(rng, places);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << between(rng, 0, 7));
  return damaged;
}

/** Messages between cores bear any order; what is asked beside them keeps it (transport/transport.ts). */
function isOfCore({ kind }: Carried): boolean {
  return kind !== 'snapshot' && !kind.startsWith('forward-');
}

function isHeldBy({ clogged, jammed }: Link, { kind }: Carried): boolean {
  return clogged || (jammed && kind !== 'snapshot');
}

function mustArriveOnce({ kind }: Carried): boolean {
  return kind === 'forward-proposals' || kind === 'forward-change';
}

function brokenOff(): QuorateError {
  return new QuorateError('unreachable', 'the connection to the peer was lost');
}

function newLink(from: MemberId, to: MemberId): Link {
  const links = { cut: false, refused: false, isOpen: false, clogged: false, jammed: false, held: [] };
  return { from, to, ...links, lossRate: 0, extraDelayMs: 0, lastArrivalAt: 0 };
}
