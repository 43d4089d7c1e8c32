/** Everything this member sends to one peer: keeps a connection, opens a new one when it breaks, tells what may be lost. */
import { performance } from 'node:perf_hooks';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { Complaints } from './complaints';
import {
  GrpcPeerConnection,
  type ConnectionContext,
  type ConnectionEnd,
  type OutgoingMessage,
} from './grpc-peer-connection';
import { sendSnapshot } from './grpc-snapshot-sender';
import type { OutgoingSnapshot, TransportHandler } from './transport';

/** A connection that held this long was a good one: the next attempt comes soon. */
const goodConnectionMs = 1000;

/** The outgoing half of the link to one peer. */
export class GrpcPeerClient {
  readonly #context: ConnectionContext;
  readonly #handler: TransportHandler;
  readonly #logger: Logger;
  readonly #complaints: Complaints;
  #connection: GrpcPeerConnection | undefined;
  /** Gives up the snapshot that is being sent. */
  #snapshotGiveUp: AbortController | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #reconnectDelayMs: number;
  #acceptedAt: number | undefined;
  /** The peer was reached, and nobody was told since that it is gone. */
  #wasReached = false;
  /** Something was handed over since `unreachable` was last told. */
  #mayHaveLost = false;
  /** Something was dropped since then. */
  #hasDropped = false;
  #isReportDue = false;
  #isStopped = false;

  constructor(context: ConnectionContext, handler: TransportHandler, logger: Logger) {
    this.#context = context;
    this.#handler = handler;
    this.#logger = logger;
    this.#complaints = new Complaints(context.tuning.complaintIntervalMs);
    this.#reconnectDelayMs = context.tuning.minReconnectDelayMs;
    this.#connect();
  }

  /**
   * Sends, queues or drops; never calls the handler before it returns.
   *
   * @returns false if the message was surely dropped
   */
  send(message: OutgoingMessage): boolean {
    this.#mayHaveLost = true;
    if (this.#connection === undefined) {
      // Told with the outcome of the next attempt, or a leader that tries again at once would spin.
      this.#hasDropped = true;
      return false;
    }
    const isTaken = this.#connection.send(message);
    // A heartbeat is always taken: only bulk data tells whether there is room again.
    if (message.kind === 'append-entries' && message.entries.length > 0) {
      if (isTaken) this.#isReportDue = false;
      else this.#reportOverflow();
    }
    return isTaken;
  }

  /** What was sent to this peer before, at another address, may be lost: tells so with the outcome of the first attempt. */
  assumeLoss(): void {
    this.#mayHaveLost = true;
    this.#hasDropped = true;
  }

  /** See `Transport.sendSnapshot`. */
  async sendSnapshot(snapshot: OutgoingSnapshot): Promise<void> {
    if (this.#snapshotGiveUp !== undefined) {
      throw new QuorateError('overloaded', 'a snapshot is being sent to this peer already');
    }
    const giveUp = new AbortController();
    this.#snapshotGiveUp = giveUp;
    try {
      await sendSnapshot(this.#context, snapshot, giveUp.signal);
    } finally {
      this.#snapshotGiveUp = undefined;
    }
  }

  /** Drops everything. */
  stop(): void {
    this.#giveUp('the transport is stopping');
    this.#connection?.close();
    this.#connection = undefined;
  }

  /**
   * Disconnects, with a bounded chance to leave for what was handed over. Tells nothing more but messages that arrive.
   *
   * @param onGone called when nothing is left to `stop`
   */
  leave(onGone: () => void): void {
    this.#giveUp('the peer is no longer reached at this address');
    if (this.#connection === undefined) onGone();
    else this.#connection.finish(onGone);
  }

  #giveUp(reason: string): void {
    this.#isStopped = true;
    clearTimeout(this.#reconnectTimer);
    this.#snapshotGiveUp?.abort(new QuorateError('stopping', reason));
  }

  #connect(): void {
    this.#connection = new GrpcPeerConnection(this.#context, {
      accepted: () => {
        this.#onAccepted();
      },
      received: (message) => {
        this.#handler.receive(this.#context.identity.to, message);
      },
      tooLarge: (message, bytes) => {
        if (!this.#complaints.isNew(`too large: ${message.kind}`)) return;
        this.#logger.error({ ...this.#logFields(), kind: message.kind, bytes }, 'dropped a message that is too large');
      },
      ended: (end) => {
        this.#onEnded(end);
      },
    });
  }

  #onAccepted(): void {
    this.#acceptedAt = performance.now();
    this.#wasReached = true;
    if (this.#complaints.isNew('connected')) this.#logger.info(this.#logFields(), 'connected to the peer');
    if (this.#hasDropped) this.#report();
    this.#handler.reached(this.#context.identity.to);
  }

  #onEnded(end: ConnectionEnd): void {
    this.#connection = undefined;
    if (this.#isStopped) return;
    const wasGood = this.#acceptedAt !== undefined && performance.now() - this.#acceptedAt >= goodConnectionMs;
    this.#acceptedAt = undefined;
    if (wasGood) {
      this.#complaints.reset();
      this.#reconnectDelayMs = this.#context.tuning.minReconnectDelayMs;
    }
    this.#complain(end);
    if (end.kind === 'disowned') this.#handler.refused(this.#context.identity.to);
    this.#reconnectTimer = setTimeout(() => {
      this.#connect();
    }, this.#nextDelayMs(end));
    if (this.#mayHaveLost) this.#report();
    if (end.kind === 'not-listening' && this.#wasReached) {
      this.#wasReached = false;
      this.#handler.gone(this.#context.identity.to);
    }
  }

  /** Doubles up to the bound. */
  #nextDelayMs(end: ConnectionEnd): number {
    const { maxReconnectDelayMs, refusedReconnectDelayMs } = this.#context.tuning;
    if (!isOutage(end)) return refusedReconnectDelayMs;
    const delayMs = this.#reconnectDelayMs;
    this.#reconnectDelayMs = Math.min(2 * delayMs, maxReconnectDelayMs);
    return delayMs;
  }

  #complain({ kind, reason }: ConnectionEnd): void {
    // Why a peer is not reached changes with every attempt; that it is not reached is said once.
    if (!this.#complaints.isNew(isAbsence(kind) ? 'not reached' : reason)) return;
    const fields = { ...this.#logFields(), reason };
    // Whoever does not admit a peer has said so itself.
    if (kind === 'not-admitted') return;
    if (kind === 'refused' || kind === 'disowned') this.#logger.error(fields, 'the peer refuses this member');
    else if (kind === 'lost') this.#logger.warn(fields, 'lost the connection to the peer; trying again');
    else this.#logger.warn(fields, 'cannot reach the peer; trying again');
  }

  /** Once for a run of dropped messages, and not within the call that dropped one. */
  #reportOverflow(): void {
    if (this.#isReportDue) return;
    this.#isReportDue = true;
    setImmediate(() => {
      this.#report();
    });
  }

  #report(): void {
    this.#mayHaveLost = false;
    this.#hasDropped = false;
    if (!this.#isStopped) this.#handler.unreachable(this.#context.identity.to);
  }

  #logFields(): { readonly peer: bigint; readonly address: string } {
    return { peer: this.#context.identity.to, address: this.#context.address };
  }
}

/** Nobody was there to be talked to. */
function isAbsence(kind: ConnectionEnd['kind']): boolean {
  return kind === 'not-reached' || kind === 'not-listening';
}

/** It may be better in a moment. */
function isOutage({ kind }: ConnectionEnd): boolean {
  return kind === 'lost' || kind === 'not-understood' || isAbsence(kind);
}
