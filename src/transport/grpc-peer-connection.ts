/** One connection to a peer, from the first packet to its end: two streams and the unary calls beside them. */
import {
  Client,
  connectivityState,
  status,
  type ChannelCredentials,
  type ClientDuplexStream,
  type Metadata,
} from '@grpc/grpc-js';
import { unreachable } from '../base/assert';
import type { Incarnation } from '../base/incarnation';
import { ForwardServiceService } from '../gen/quorate/peer/v1/forward';
import { RaftServiceService } from '../gen/quorate/peer/v1/raft';
import type { AppendEntries, RequestVote, TimeoutNow } from '../raft';
import type { AppendEntriesEncoder } from './append-entries-codec';
import { channelOptions, maxMessageBytes, type GrpcTransportTuning } from './grpc-transport-options';
import {
  decodeAppendEntriesResponse,
  decodeForwardAnswer,
  decodeRequestVoteResponse,
  encodeForwardQuestion,
  encodeRequestVote,
  encodeTimeoutNow,
  type ForwardQuestion,
} from './message-codec';
import { identityMetadata, incarnationOf, isRefusedIncarnation, type PeerIdentity } from './peer-identity';
import { StreamSender } from './stream-sender';
import { isRefusal, probeTcp } from './tcp-probe';
import { isTooLarge, type PeerMessage } from './transport';
import { passBytes } from './wire';

/** What goes out on a connection this member opened; answers to a peer's calls travel on the connection it opened. */
export type OutgoingMessage = AppendEntries | RequestVote | TimeoutNow | ForwardQuestion;

/** What all connections to one peer have in common. */
export interface ConnectionContext {
  readonly address: string;
  readonly identity: PeerIdentity;
  /** Asked about whoever answers, before anything it says is looked at. */
  readonly admit: (incarnation: Incarnation | undefined) => boolean;
  readonly tuning: GrpcTransportTuning;
  /** Of this moment, for one connection; tells `onEnd` why that fails or ends, if it is one of TLS. */
  readonly credentials: (onEnd?: (reason: string) => void) => ChannelCredentials;
  /** Shared by the connections to all peers. */
  readonly encoder: AppendEntriesEncoder;
}

/**
 * Why a connection ended: nobody listens there; nobody answered; somebody answered, but not in HTTP/2, or not in TLS that
 * suits both; it broke off; the peer wants nothing to do with this member; it has another incarnation than it should have; or,
 * as it finds, this member has.
 */
export interface ConnectionEnd {
  readonly kind: 'not-listening' | 'not-reached' | 'not-understood' | 'lost' | 'refused' | 'not-admitted' | 'disowned';
  readonly reason: string;
}

/** Told by a connection; never during a call of `send` or `close`, but for `tooLarge`. */
export interface ConnectionEvents {
  /** The peer let this member in. */
  accepted(): void;
  received(message: PeerMessage): void;
  /** A message was dropped that the peer would not take: the bounds of this member do not agree with each other. */
  tooLarge(message: OutgoingMessage, bytes: number): void;
  /** The last thing a connection tells. Not told after `close`. */
  ended(end: ConnectionEnd): void;
}

interface UnaryCall {
  readonly path: string;
  readonly bytes: Buffer;
  readonly onReply: (bytes: Buffer) => void;
}

/** Begins to connect when made; takes messages from the start and sends them once it is connected. */
export class GrpcPeerConnection {
  readonly #context: ConnectionContext;
  readonly #events: ConnectionEvents;
  readonly #appendEntries: StreamSender;
  readonly #forward: StreamSender;
  readonly #giveUp = new AbortController();
  /** Undoes what is under way: timers, streams, calls. */
  readonly #cleanups = new Set<() => void>();
  #waitingCalls: UnaryCall[] = [];
  #runningCalls = 0;
  #client: Client | undefined;
  #isOpen = false;
  #isClosed = false;
  #isFinishing = false;
  /** Why the connection came to nothing, as TLS tells. */
  #tlsFailure: string | undefined;
  #streamsToAccept = 2;
  #streamsToEnd = 2;

  constructor(context: ConnectionContext, events: ConnectionEvents) {
    this.#context = context;
    this.#events = events;
    this.#appendEntries = new StreamSender(context.tuning);
    this.#forward = new StreamSender(context.tuning);
    void this.#connect(); // Ends with `ended` if it fails.
  }

  /** @returns false if the message was dropped because too much is waiting */
  send(message: OutgoingMessage): boolean {
    switch (message.kind) {
      case 'append-entries':
        return this.#sendAppendEntries(message);
      case 'request-vote':
        return this.#sendRequestVote(message);
      case 'timeout-now': {
        const bytes = encodeTimeoutNow(message);
        return this.#call({ path: RaftServiceService.timeoutNow.path, bytes, onReply: () => undefined });
      }
      case 'forward-proposals':
      case 'forward-read':
      case 'forward-change':
        // Does not wait for a connection: the caller would rather hear at once that nothing was done.
        return this.#isOpen && this.#sendForward(message);
      default:
        return unreachable(message);
    }
  }

  /**
   * Sends what it has taken, then closes; after `leaveTimeoutMs` at the latest. Takes nothing more.
   *
   * @param onClosed called once it is closed, however that came
   */
  finish(onClosed: () => void): void {
    this.#cleanups.add(onClosed);
    this.#isFinishing = true;
    this.#appendEntries.end();
    this.#forward.end();
    this.#afterOrClose(this.#context.tuning.leaveTimeoutMs, () => {
      this.close();
    });
  }

  /** Drops everything. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveUp.abort();
    // Not at once: this may run inside an event of one of the streams, and to cancel another stream of the same session
    // there sends Node's HTTP/2 into an endless loop (seen with Node 20.20, when a session that was cut off is read).
    setImmediate(() => {
      for (const cleanup of this.#cleanups) cleanup();
      this.#client?.close();
    });
  }

  #sendForward(message: ForwardQuestion): boolean {
    if (this.#forward.isFull) return false;
    const bytes = encodeForwardQuestion(message);
    return this.#isSmallEnough(message, bytes) && this.#forward.send(bytes);
  }

  #sendAppendEntries(message: AppendEntries): boolean {
    if (message.entries.length > 0 && this.#appendEntries.isFull) return false;
    const bytes = this.#context.encoder.encode(message);
    if (!this.#isSmallEnough(message, bytes)) return false;
    if (message.entries.length > 0) return this.#appendEntries.send(bytes, message.prevLogIndex);
    this.#appendEntries.sendNewest(bytes, message.prevLogIndex);
    return true;
  }

  #isSmallEnough(message: OutgoingMessage, { length }: Buffer): boolean {
    if (length <= maxMessageBytes(this.#context.tuning) && !isTooLarge(message)) return true;
    this.#events.tooLarge(message, length);
    return false;
  }

  #sendRequestVote(message: RequestVote): boolean {
    return this.#call({
      path: RaftServiceService.requestVote.path,
      bytes: encodeRequestVote(message, this.#context.identity.from),
      onReply: (reply) => {
        this.#receive(() => decodeRequestVoteResponse(reply));
      },
    });
  }

  async #connect(): Promise<void> {
    const { address, tuning } = this.#context;
    try {
      await probeTcp(address, tuning.connectTimeoutMs, this.#giveUp.signal);
      if (this.#isClosed) return;
      // A new channel for each connection: it resolves the name anew, and has no backoff of its own to wait for.
      const credentials = this.#context.credentials((reason) => (this.#tlsFailure = reason));
      this.#client = new Client(`dns:${address}`, credentials, channelOptions(tuning));
      this.#afterOrClose(tuning.handshakeTimeoutMs, () => {
        if (!this.#isOpen)
          this.#end({ kind: 'not-reached', reason: 'the peer accepts connections but does not answer' });
      });
      this.#watchChannel(this.#client);
    } catch (error) {
      const kind = isRefusal(error) ? 'not-listening' : 'not-reached';
      this.#end({ kind, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  #watchChannel(client: Client): void {
    if (this.#isClosed) return;
    const channel = client.getChannel();
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) {
      this.#open(client);
    } else if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
      const reason = this.#tlsFailure ?? 'the peer does not speak HTTP/2 there, or expects TLS';
      this.#end({ kind: 'not-understood', reason });
    } else {
      channel.watchConnectivityState(state, Infinity, () => {
        this.#watchChannel(client);
      });
    }
  }

  #open(client: Client): void {
    this.#isOpen = true;
    const appendEntries = this.#openStream(client, RaftServiceService.appendEntries.path, decodeAppendEntriesResponse);
    this.#appendEntries.open(appendEntries);
    this.#forward.open(this.#openStream(client, ForwardServiceService.forward.path, decodeForwardAnswer));
    const calls = this.#waitingCalls;
    this.#waitingCalls = [];
    for (const call of calls) this.#call(call);
  }

  #openStream(
    client: Client,
    path: string,
    decode: (bytes: Buffer) => PeerMessage,
  ): ClientDuplexStream<Buffer, Buffer> {
    const stream = client.makeBidiStreamRequest(path, passBytes, passBytes, identityMetadata(this.#context.identity));
    this.#cleanups.add(() => {
      stream.cancel();
    });
    stream.on('metadata', (metadata: Metadata) => {
      if (!this.#admits(metadata)) return;
      if (--this.#streamsToAccept === 0 && !this.#isClosed) this.#events.accepted();
    });
    stream.on('data', (bytes: Buffer) => {
      this.#receive(() => decode(bytes));
    });
    stream.on('error', () => undefined); // The status says the same, and more.
    stream.on('status', ({ code, details, metadata }) => {
      this.#streamsToEnd--;
      if (this.#isFinishing && code === status.OK) {
        this.#closeIfFinished();
        return;
      }
      const kind = code === status.FAILED_PRECONDITION ? 'refused' : 'lost';
      this.#end({
        kind: isRefusedIncarnation(metadata) ? 'disowned' : kind,
        reason: `${status[code]}: ${details}`,
      });
    });
    return stream;
  }

  #call(call: UnaryCall): boolean {
    const { maxPendingCalls } = this.#context.tuning;
    if (this.#client === undefined || !this.#isOpen) {
      // An older vote is worth less than a newer one.
      if (this.#waitingCalls.push(call) > maxPendingCalls) this.#waitingCalls.shift();
      return true;
    }
    if (this.#runningCalls >= maxPendingCalls) return false;
    this.#start(this.#client, call);
    return true;
  }

  #start(client: Client, { path, bytes, onReply }: UnaryCall): void {
    this.#runningCalls++;
    const metadata = identityMetadata(this.#context.identity);
    const running = client.makeUnaryRequest(path, passBytes, passBytes, bytes, metadata, (error, reply) => {
      this.#runningCalls--;
      this.#cleanups.delete(cancel);
      clearTimeout(timer);
      this.#closeIfFinished();
      // A lost vote is as good as a refused one; a broken connection shows on the streams.
      if (error === null && reply !== undefined) onReply(reply);
    });
    // Comes before the reply, which a connection that this ends does not take.
    running.on('metadata', (answered) => {
      this.#admits(answered);
    });
    const cancel = (): void => {
      clearTimeout(timer);
      running.cancel();
    };
    // Not a gRPC deadline: grpc-js measures those by the wall clock, which may jump.
    const timer = setTimeout(cancel, this.#context.tuning.callTimeoutMs);
    this.#cleanups.add(cancel);
  }

  #closeIfFinished(): void {
    if (this.#isFinishing && this.#streamsToEnd === 0 && this.#runningCalls === 0) this.close();
  }

  /** Whether who answers is the peer; ends the connection if not. */
  #admits(metadata: Metadata): boolean {
    if (this.#isClosed) return false;
    if (this.#context.admit(incarnationOf(metadata))) return true;
    this.#end({ kind: 'not-admitted', reason: 'the peer has another incarnation than it should have' });
    return false;
  }

  #receive(decode: () => PeerMessage): void {
    if (this.#isClosed) return;
    let message: PeerMessage;
    try {
      message = decode();
    } catch (error) {
      this.#end({ kind: 'lost', reason: `the peer answered nonsense: ${String(error)}` });
      return;
    }
    this.#events.received(message);
  }

  #end(end: ConnectionEnd): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.ended(end);
  }

  #afterOrClose(delayMs: number, callback: () => void): void {
    const timer = setTimeout(callback, delayMs);
    this.#cleanups.add(() => {
      clearTimeout(timer);
    });
  }
}
