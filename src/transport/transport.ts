/** How members reach each other. */
import { unreachable } from '../base/assert';
import type { Incarnation } from '../base/incarnation';
import type { MemberId, SentMessage, SnapshotDescription } from '../raft';

/** What a follower asks of the leader for its own clients, and the answers. Beside Raft, not part of it. */
export type ForwardMessage =
  /**
   * Append these payloads as commands, together and in order, if you lead in exactly this term. Not answered when done:
   * the sender sees them applied. (The term makes the outcome decidable: once an entry of a later term is applied,
   * whatever was not applied before it never will be.) Must not be delivered twice.
   */
  | {
      readonly kind: 'forward-proposals';
      readonly requestId: number;
      readonly term: number;
      readonly payloads: readonly Uint8Array[];
    }
  /** Confirm leadership and tell the commit index (thesis §6.4). A fresh `requestId` for every attempt. */
  | { readonly kind: 'forward-read'; readonly requestId: number }
  | { readonly kind: 'forward-read-index'; readonly requestId: number; readonly readIndex: number }
  /**
   * Do for me as the leader what is no entry of mine: change the members, hand over leadership. Opaque here, at most
   * `maxForwardChangeBytes`. Must not be delivered twice: if no answer comes, the outcome is unknown.
   */
  | { readonly kind: 'forward-change'; readonly requestId: number; readonly payload: Uint8Array }
  /** What became of it; opaque here, at most `maxForwardChangeBytes`. */
  | { readonly kind: 'forward-change-result'; readonly requestId: number; readonly payload: Uint8Array }
  /** Nothing was done for this request and nothing will be. */
  | { readonly kind: 'forward-refused'; readonly requestId: number; readonly reason: 'not-leader' | 'overloaded' };

/** Most payload bytes of a forwarded change and of its result; a larger one is dropped by its sender. */
export const maxForwardChangeBytes = 64 * 1024;

/** True for a forwarded change or a result that may not be sent. */
export function isTooLarge(message: PeerMessage): boolean {
  const isChange = message.kind === 'forward-change' || message.kind === 'forward-change-result';
  return isChange && message.payload.length > maxForwardChangeBytes;
}

/**
 * What travels as a message. A snapshot does not: it goes by `sendSnapshot`, and its receiver posts `install-snapshot` to
 * its own core.
 */
export type PeerMessage = SentMessage | ForwardMessage;

/** What answers a question of another member. */
export type AnswerMessage = Extract<
  PeerMessage,
  {
    readonly kind:
      | 'append-entries-response'
      | 'request-vote-response'
      | 'forward-read-index'
      | 'forward-change-result'
      | 'forward-refused';
  }
>;

/** True for what goes to whoever asked, peer or not; false for what goes to peers only. */
export function isAnswer(message: PeerMessage): message is AnswerMessage {
  switch (message.kind) {
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
      return unreachable(message);
  }
}

/** A peer and where it listens. */
export interface PeerAddress {
  readonly id: MemberId;
  /** `host:port`; the name is resolved anew for every connection. */
  readonly address: string;
}

/** What a leader announces before the bytes of a snapshot. */
export interface SnapshotOffer {
  /** The leader's term. */
  readonly term: number;
  readonly description: SnapshotDescription;
  readonly sizeBytes: number;
  /** Of all bytes: 32 bytes. */
  readonly sha256: Uint8Array;
}

/** A snapshot to be sent. */
export interface OutgoingSnapshot extends SnapshotOffer {
  /**
   * The bytes from `offset` on: at least one, at most `maxBytes`. Called in order, one call at a time. A rejection ends
   * the transfer.
   */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
}

/**
 * Takes the bytes of one snapshot. One call at a time: the next is made when the promise of the last has settled. Of
 * `finish` and `abort` exactly one is called, once, and nothing after it.
 */
export interface SnapshotSink {
  /**
   * The next bytes, in order; the transport has checked that they are those that were sent. Nothing more is read off
   * the wire until the promise resolves, so that a slow sink slows the sender. If it rejects, `abort` follows.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * All `sizeBytes` were written. Checks the whole against `sha256`, and resolves once the snapshot is taken: the sender
   * is told of success then, and of a rejection otherwise. Whoever rejects has tidied up.
   */
  finish(): Promise<void>;
  /** The transfer broke off, was malformed or stalled. What was written is of no use. May not throw. */
  abort(): void;
}

/** Told by the transport. None may throw. */
export interface TransportHandler {
  /**
   * Is this the member of that id, or one that took its place with other data? Asked before anything of it is delivered:
   * once for a stream, for a call, or for a pair of members in one process. What is not admitted is not delivered, and if
   * it was the one that called, it is told so.
   *
   * @param incarnation undefined: the peer runs an earlier program, which tells none
   */
  admit(peer: MemberId, incarnation: Incarnation | undefined): boolean;
  /** A peer did not admit this member: it knows another incarnation of it. Told again with every attempt. */
  refused(by: MemberId): void;
  /**
   * A message came from a member of this cluster, checked as to form and sender. The sender need not be among the peers
   * this member knows: a new member hears of its leader before it has the configuration that names it.
   */
  receive(from: MemberId, message: PeerMessage): void;
  /** What was sent to this peer and not answered may be lost. Not told of a peer that `updatePeers` took away. */
  unreachable(peer: MemberId): void;
  /**
   * Nobody listens any more where this peer was reached before: its process has ended, most likely. Told soon after the
   * connection broke, at least once for each time; never of a peer whose machine says nothing.
   */
  gone(peer: MemberId): void;
  /** A connection to this peer stands: told each time, soon after it was opened, and once something was delivered at the latest. */
  reached(peer: MemberId): void;
  /**
   * A member wants to send a snapshot. The sink gets its bytes; a rejection refuses it, as one of the sink's does. The
   * sender gets the codes `overloaded`, `superseded` and `damaged` as they are, others as `unreachable`. At most one transfer per sender runs at a time: a newer
   * one aborts the older, before this is called for the newer.
   */
  acceptSnapshot(from: MemberId, offer: SnapshotOffer): Promise<SnapshotSink>;
}

/**
 * Sends messages between members: in order per pair and kind, at most once, possibly never.
 *
 * Bounded: what a peer does not take in time is dropped, oldest kind of traffic last; heartbeats are never queued behind
 * more than one bulk message (the HTTP/2 flow control of separate streams), and never behind a snapshot, which travels
 * on a connection of its own.
 */
export interface Transport {
  /** Starts to listen, to connect to the peers, and to deliver. */
  start(handler: TransportHandler): Promise<void>;
  /**
   * The peers to reach from now on: before `start` or at any time after it; none until the first call. New ones are
   * connected. Those no longer listed are disconnected, but what was handed over just before still gets a bounded
   * chance to leave: a removed member should hear that it was. A peer whose address changed is connected anew; the
   * others are not touched. Idempotent.
   *
   * Decides only whom this member calls: any member of the cluster may call it, and gets its answers.
   */
  updatePeers(peers: readonly PeerAddress[]): void;
  /**
   * Hands a message over; returns at once. Questions go to peers only, answers to whoever asked.
   *
   * @returns false if the message was surely dropped, as when there is no connection or the queue is full; true if it is
   *   on its way, where it may still be lost
   */
  send(to: MemberId, message: PeerMessage): boolean;
  /**
   * Sends a snapshot to a peer, in chunks and with bounded memory on both sides: the receiver's pace is the sender's
   * (which is at most some 20 chunks ahead). Delays no message. Tried once; one at a time per peer. Resolves when the
   * receiver has taken all of it.
   *
   * A rejection does not say that the receiver has not got it: the answer may have been lost.
   *
   * @throws QuorateError (as a rejection) `unreachable`: no such peer, no connection, the connection broke, or nothing
   *   moved for the configured time; `wrong-cluster`: the peer does not know this member; `overloaded`: a transfer to
   *   this peer runs already, or the receiver has too many; `superseded`: the receiver does not want it; `damaged`: it
   *   does not have the announced content, here or over there; `stopping`: the transport stopped, or `updatePeers` took
   *   the peer away or changed its address
   */
  sendSnapshot(to: MemberId, snapshot: OutgoingSnapshot): Promise<void>;
  /** Stops delivering, closes every connection. */
  stop(): Promise<void>;
}
