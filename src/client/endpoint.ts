/** One member as a client sees it: a channel, and unary calls that never throw but tell how they ended. */
import {
  Channel,
  Client,
  connectivityState,
  credentials,
  Metadata,
  status as grpcStatus,
  type ChannelCredentials,
  type ChannelOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { splitAddress } from '../base/names';
import { ClusterServiceService } from '../gen/quorate/v1/cluster';
import { dialCredentials } from '../tls/dialing';
import { closedAfterHandshake, dialFailure } from '../tls/failures';
import type { AttemptBounds, AttemptResult } from './attempts';
import { decodeFailure, type Failure } from './failure';
import { MessageExchange, MessageStream, SilenceError } from './message-stream';
import { MAX_ANSWER_BYTES } from './options';
import type { ResolvedTls } from './tls';

/** How long to wait for the reason of a connection that is already known to have failed. */
const REASON_TIMEOUT_MS = 100;

/** A TLS handshake that takes longer is given up, and another tried. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

const channelOptions: ChannelOptions = {
  // A channel of its own, closed with its client.
  'grpc.use_local_subchannel_pool': 1,
  // Retries are decided here and nowhere else, whatever a DNS record says.
  'grpc.service_config_disable_resolution': 1,
  // A member that was restarted is found again soon, at its new address.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // A peer that vanished without a word is noticed while a call waits for it.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
};

/** A method as the generated service definitions describe it. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** A stream whose first message has come; `undefined` if it ended without one. */
export interface OpenedStream<Message> {
  readonly first: Message | undefined;
  readonly rest: MessageStream<Message>;
}

/** A member over one connection, opened when first needed and again when it is lost. */
export class Endpoint {
  readonly address: string;
  readonly #channel: Channel;
  readonly #client: Client;
  readonly #isSecure: boolean;
  // A closed channel that is asked for its state would connect again.
  #closed = false;

  constructor(address: string, tls?: ResolvedTls) {
    this.address = address;
    this.#isSecure = tls !== undefined;
    const shown = credentialsFor(address, tls);
    this.#channel = new Channel(address, shown, channelOptions);
    this.#client = new Client(address, shown, { channelOverride: this.#channel });
  }

  /**
   * Calls a method once. The connection is opened first, so that a failure to connect, where surely nothing was sent, is
   * never taken for a failure of the call.
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    bounds: AttemptBounds,
  ): Promise<AttemptResult<Response>> {
    const startedAt = performance.now();
    if (!(await this.#connect(bounds.connectTimeoutMs))) return this.#notConnected();
    const left = Math.max(1, bounds.timeoutMs - (performance.now() - startedAt));
    const outcome = await this.#unary(method, request, left);
    if (outcome.kind === 'answer') return outcome;
    return { kind: 'failure', failure: this.#decode(outcome.error) };
  }

  /** Opens a stream, and waits for its first message as long as for an answer. After that there is no bound here. */
  async open<Request, Message>(
    method: Method<Request, Message>,
    request: Request,
    bounds: AttemptBounds,
  ): Promise<AttemptResult<OpenedStream<Message>>> {
    if (!(await this.#connect(bounds.connectTimeoutMs))) return this.#notConnected();
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const rest = new MessageStream(call);
    try {
      return { kind: 'answer', answer: { first: await rest.next(bounds.timeoutMs), rest } };
    } catch (error) {
      return { kind: 'failure', failure: this.failureOf(error) };
    }
  }

  /** Opens a stream in both directions. Nothing was sent if that fails; whether the member takes it, its messages tell. */
  async exchange<Request, Message>(
    method: Method<Request, Message>,
    connectTimeoutMs: number,
  ): Promise<AttemptResult<MessageExchange<Request, Message>>> {
    if (!(await this.#connect(connectTimeoutMs))) return this.#notConnected();
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    return { kind: 'answer', answer: new MessageExchange(call) };
  }

  /** What an error of a stream means. */
  failureOf(error: unknown): Failure {
    if (!(error instanceof SilenceError)) return this.#decode(error as ServiceError);
    return { kind: 'bare', address: this.address, grpcCode: grpcStatus.DEADLINE_EXCEEDED, message: error.message };
  }

  /** Closes the connection, once the calls in flight have ended; there are no new ones. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.close();
  }

  #connect(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    return new Promise((resolve) => {
      const look = () => {
        if (this.#closed) {
          resolve(false);
          return;
        }
        const state = this.#channel.getConnectivityState(true);
        if (state === connectivityState.READY) {
          resolve(true);
        } else if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
          resolve(false);
        } else {
          this.#channel.watchConnectivityState(state, deadline, (error) => {
            if (error === undefined) look();
            else resolve(false);
          });
        }
      };
      look();
    });
  }

  async #notConnected(): Promise<AttemptResult<never>> {
    const message = await this.#reasonForNoConnection();
    return { kind: 'failure', failure: { kind: 'not-connected', address: this.address, message } };
  }

  /** A harmless call on the failed channel fails at once and brings the text that its state does not have. */
  async #reasonForNoConnection(): Promise<string> {
    if (this.#closed) return 'this client was closed';
    const outcome = await this.#unary(ClusterServiceService.getStatus, {}, REASON_TIMEOUT_MS);
    if (outcome.kind === 'answer') return 'it was not there at first';
    const match = /Last error: (?:Error: )?(.*?)\. Resolution note/s.exec(outcome.error.details);
    const reason = match?.[1] ?? 'no connection within the time allowed';
    return this.#isSecure ? secureReason(reason) : plainReason(reason);
  }

  #decode(error: ServiceError): Failure {
    const [details] = error.metadata.get('grpc-status-details-bin');
    return decodeFailure({
      address: this.address,
      grpcCode: error.code,
      message: error.details,
      statusDetails: details instanceof Uint8Array ? details : undefined,
    });
  }

  #unary<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<UnaryOutcome<Response>> {
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + timeoutMs };
      const answered = (error: ServiceError | null, response?: Response) => {
        if (error === null) resolve({ kind: 'answer', answer: response as Response });
        else resolve({ kind: 'error', error });
      };
      const metadata = new Metadata();
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, answered);
    });
  }
}

function credentialsFor(address: string, tls: ResolvedTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const serverName = tls.serverName ?? splitAddress(address).host;
  return dialCredentials({ ...tls, serverName, timeoutMs: HANDSHAKE_TIMEOUT_MS });
}

/** What gRPC says when a connection is closed before the other side has said anything in HTTP/2. */
const closedEarly = /^Failed to connect|Protocol error/;

function secureReason(reason: string): string {
  return closedEarly.test(reason) ? closedAfterHandshake : dialFailure(reason);
}

function plainReason(reason: string): string {
  if (!closedEarly.test(reason)) return reason;
  return `it does not speak gRPC there, or expects TLS (write https://, or give the option tls): ${reason}`;
}

type UnaryOutcome<Response> =
  { readonly kind: 'answer'; readonly answer: Response } | { readonly kind: 'error'; readonly error: ServiceError };
