/** The peer listener: takes the calls of other members, and sends answers back on the streams they opened. */
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type MethodDefinition,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { unreachable } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { ForwardServiceService } from '../gen/quorate/peer/v1/forward';
import { RaftServiceService } from '../gen/quorate/peer/v1/raft';
import type { MemberId } from '../raft';
import { decodeAppendEntries } from './append-entries-codec';
import { Complaints } from './complaints';
import { GrpcSnapshotReceiver } from './grpc-snapshot-receiver';
import { serverOptions, type GrpcTransportTuning } from './grpc-transport-options';
import { IncomingStreams } from './incoming-streams';
import {
  decodeForwardQuestion,
  decodeRequestVote,
  decodeTimeoutNow,
  encodeAppendEntriesResponse,
  encodeForwardAnswer,
  encodeRequestVoteResponse,
} from './message-codec';
import { admit, answerMetadata, incarnationOf, refusedMetadata, type Admission, type Door } from './peer-identity';
import { PendingVotes } from './pending-votes';
import { PeerServerCredentials, refusalOf, watchHandshakes, type PeerTls } from './peer-tls';
import type { CallError } from './snapshot-errors';
import { isTooLarge, type AnswerMessage, type PeerMessage, type TransportHandler } from './transport';
import { passBytes } from './wire';

type Call = ServerUnaryCall<Buffer, Buffer>;
type Stream = ServerDuplexStream<Buffer, Buffer>;
type Upload = ServerReadableStream<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;
type Incoming = Pick<Call, 'metadata' | 'sendMetadata' | 'getAuthContext'>;
type Refusal = CallError & { readonly metadata?: Metadata };

/** What a `GrpcPeerServer` needs. */
export interface GrpcPeerServerOptions {
  readonly listenAddress: string;
  readonly door: Door;
  readonly tuning: GrpcTransportTuning;
  readonly tls: PeerTls | undefined;
  readonly logger: Logger;
  readonly handler: TransportHandler;
}

const empty = Buffer.alloc(0);

/** The incoming half of the links to all peers. Every byte that comes in is checked before the handler sees it. */
export class GrpcPeerServer {
  readonly #options: GrpcPeerServerOptions;
  readonly #server: Server;
  readonly #complaints: Complaints;
  readonly #appendEntries: IncomingStreams;
  readonly #forward: IncomingStreams;
  readonly #votes: PendingVotes;
  readonly #snapshots: GrpcSnapshotReceiver;
  #isStopped = false;

  constructor(options: GrpcPeerServerOptions) {
    const { tuning } = options;
    this.#options = options;
    this.#complaints = new Complaints(tuning.complaintIntervalMs);
    this.#appendEntries = new IncomingStreams(tuning);
    this.#forward = new IncomingStreams(tuning);
    this.#votes = new PendingVotes(tuning.maxPendingCalls, tuning.callTimeoutMs);
    this.#snapshots = new GrpcSnapshotReceiver(options.handler, tuning, (peer, reason) => {
      if (!this.#complaints.isNew(reason)) return;
      options.logger.warn({ peer, reason }, 'did not take a snapshot of a peer');
    });
    this.#server = new Server(serverOptions(tuning));
    this.#addServices();
  }

  /**
   * Starts to listen.
   *
   * @returns the port
   * @throws QuorateError `refused-to-start`
   */
  async start(): Promise<number> {
    const { listenAddress } = this.#options;
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(listenAddress, this.#credentials(), (error, port) => {
        if (error === null) resolve(port);
        else reject(cannotListen(listenAddress, error));
      });
    });
    if (this.#options.tls !== undefined) this.#watchHandshakes();
    return port;
  }

  #watchHandshakes(): void {
    watchHandshakes(this.#server, (address, reason) => {
      if (!this.#complaints.isNew(`${address}: ${reason}`)) return;
      this.#options.logger.warn({ address, reason }, 'turned away a connection to the peer listener');
    });
  }

  /** @returns false if the answer was dropped, since the peer does not wait for it any more */
  send(to: MemberId, message: AnswerMessage): boolean {
    switch (message.kind) {
      case 'append-entries-response':
        return this.#appendEntries.sendNewest(to, encodeAppendEntriesResponse(message));
      case 'request-vote-response':
        return this.#votes.answer(to, message);
      case 'forward-change-result':
        return !isTooLarge(message) && this.#forward.send(to, encodeForwardAnswer(message));
      case 'forward-read-index':
      case 'forward-refused':
        return this.#forward.send(to, encodeForwardAnswer(message));
      default:
        return unreachable(message);
    }
  }

  /** Ends every call and closes every connection. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#votes.clear();
    this.#appendEntries.endAll();
    this.#forward.endAll();
    this.#snapshots.stop();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, this.#options.tuning.stopTimeoutMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #credentials(): ServerCredentials {
    const { tls, tuning, logger } = this.#options;
    if (tls === undefined) return ServerCredentials.createInsecure();
    return new PeerServerCredentials(tls.source, { logger, timeoutMs: tuning.handshakeTimeoutMs });
  }

  #addServices(): void {
    const { appendEntries, requestVote, timeoutNow, installSnapshot } = RaftServiceService;
    const limits = this.#options.tuning;
    this.#server.addService(
      {
        appendEntries: uncoded(appendEntries),
        requestVote: uncoded(requestVote),
        timeoutNow: uncoded(timeoutNow),
        installSnapshot: uncoded(installSnapshot),
      },
      {
        appendEntries: (stream: Stream) => {
          this.#onStream(stream, this.#appendEntries, (bytes, from) => decodeAppendEntries(bytes, from, limits));
        },
        requestVote: (call: Call, answer: Answer) => {
          this.#onRequestVote(call, answer);
        },
        timeoutNow: (call: Call, answer: Answer) => {
          this.#onTimeoutNow(call, answer);
        },
        installSnapshot: (stream: Upload, answer: Answer) => {
          const from = this.#admit(stream, answer);
          if (from !== undefined) this.#snapshots.receive(from, stream, answer);
        },
      },
    );
    this.#server.addService(
      { forward: uncoded(ForwardServiceService.forward) },
      {
        forward: (stream: Stream) => {
          this.#onStream(stream, this.#forward, (bytes) => decodeForwardQuestion(bytes, limits));
        },
      },
    );
  }

  #onStream(stream: Stream, streams: IncomingStreams, decode: (bytes: Buffer, from: MemberId) => PeerMessage): void {
    const from = this.#admit(stream, (error) => stream.emit('error', error));
    if (from === undefined) return;
    const incoming = streams.add(from, stream);
    stream.on('data', (bytes: Buffer) => {
      if (!incoming.isOpen || this.#isStopped) return;
      const message = this.#decode(from, () => decode(bytes, from), incoming.refuse);
      if (message !== undefined) this.#options.handler.receive(from, message);
    });
  }

  #onRequestVote(call: Call, answer: Answer): void {
    const refuse = (error: Refusal): void => {
      answer(error);
    };
    const from = this.#admit(call, refuse);
    if (from === undefined) return;
    const request = this.#decode(from, () => decodeRequestVote(call.request, from), refuse);
    if (request === undefined) return;
    const forget = this.#votes.add(from, request, {
      answer: (response) => {
        answer(null, encodeRequestVoteResponse(response));
      },
      giveUp: () => {
        refuse({ code: status.ABORTED, details: 'this member did not decide in time' });
      },
    });
    call.on('cancelled', forget);
    this.#options.handler.receive(from, request);
  }

  #onTimeoutNow(call: Call, answer: Answer): void {
    const refuse = (error: Refusal): void => {
      answer(error);
    };
    const from = this.#admit(call, refuse);
    if (from === undefined) return;
    const message = this.#decode(from, () => decodeTimeoutNow(call.request), refuse);
    if (message === undefined) return;
    this.#options.handler.receive(from, message);
    answer(null, empty);
  }

  /** Who calls, and is told that it was let in; undefined if the caller was refused. */
  #admit(call: Incoming, refuse: (error: Refusal) => void): MemberId | undefined {
    if (this.#isStopped) {
      refuse({ code: status.UNAVAILABLE, details: 'this member is stopping' });
      return undefined;
    }
    const { door, handler } = this.#options;
    const admission = this.#admission(call);
    if (admission.admitted) {
      const { from } = admission;
      if (handler.admit(from, incarnationOf(call.metadata))) {
        call.sendMetadata(answerMetadata(door));
        return from;
      }
      const details = `member ${door.selfId} knows another incarnation of member ${from}`;
      refuse({ code: status.FAILED_PRECONDITION, details, metadata: refusedMetadata() });
      return undefined;
    }
    if (this.#complaints.isNew(admission.reason)) {
      this.#options.logger.warn({ reason: admission.reason }, 'refused a stranger on the peer listener');
    }
    refuse({ code: status.FAILED_PRECONDITION, details: admission.reason });
    return undefined;
  }

  /** What the certificate and the metadata of a call say. */
  #admission(call: Incoming): Admission {
    const { tls, door } = this.#options;
    if (tls === undefined || tls.allowedNames.length === 0) return admit(call.metadata, door);
    const reason = refusalOf(call.getAuthContext().sslPeerCertificate, tls);
    return reason === undefined ? admit(call.metadata, door) : { admitted: false, reason };
  }

  /** The message; undefined if it was malformed and refused. */
  #decode<T>(from: MemberId, decode: () => T, refuse: (error: CallError) => void): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      if (this.#complaints.isNew(error.message)) {
        this.#options.logger.warn({ peer: from, reason: error.message }, 'refused a malformed message of a peer');
      }
      refuse({ code: status.INVALID_ARGUMENT, details: error.message });
      return undefined;
    }
  }
}

/** The method with its messages left as bytes: we decode them ourselves, to say what is wrong with one. */
function uncoded(
  method: Pick<MethodDefinition<never, never>, 'path' | 'requestStream' | 'responseStream'>,
): MethodDefinition<Buffer, Buffer> {
  const { path, requestStream, responseStream } = method;
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: passBytes,
    requestDeserialize: passBytes,
    responseSerialize: passBytes,
    responseDeserialize: passBytes,
  };
}

function cannotListen(address: string, cause: Error): QuorateError {
  return new QuorateError(
    'refused-to-start',
    `cannot listen for peers on ${address} (${cause.message}): is another process using it? Choose another --peer-listen`,
    { cause },
  );
}
