/** How members reach each other. */
import type { MemberId, Message } from '../raft';

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
  /** Nothing was done for this request and nothing will be. */
  | { readonly kind: 'forward-refused'; readonly requestId: number; readonly reason: 'not-leader' | 'overloaded' };

export type PeerMessage = Message | ForwardMessage;

/** A peer and where it listens. */
export interface PeerAddress {
  readonly id: MemberId;
  /** `host:port`; the name is resolved anew for every connection. */
  readonly address: string;
}

/** Told by the transport. Neither may throw. */
export interface TransportHandler {
  /** A message came from a member of this cluster, checked as to form and sender. */
  receive(from: MemberId, message: PeerMessage): void;
  /** What was sent to this peer and not answered may be lost. */
  unreachable(peer: MemberId): void;
}

/**
 * Sends messages between members: in order per pair and kind, at most once, possibly never.
 *
 * Bounded: what a peer does not take in time is dropped, oldest kind of traffic last; heartbeats are never queued behind
 * more than one bulk message (the HTTP/2 flow control of separate streams).
 */
export interface Transport {
  /** Starts to listen and to deliver. */
  start(handler: TransportHandler): Promise<void>;
  /**
   * Hands a message over; returns at once.
   *
   * @returns false if the message was surely dropped, as when there is no connection or the queue is full; true if it is
   *   on its way, where it may still be lost
   */
  send(to: MemberId, message: PeerMessage): boolean;
  /** Stops delivering, closes every connection. */
  stop(): Promise<void>;
}
