/** One member as a client sees it: a channel, and unary calls that never throw but tell how they ended. */
import {
  Channel,
  connectivityState,
  credentials,
  Metadata,
  status as grpcStatus,
  type CallOptions,
  type ChannelOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { ClusterServiceClient } from '../gen/quorate/v1/cluster';
import { KVServiceClient } from '../gen/quorate/v1/kv';
import { MaintenanceServiceClient } from '../gen/quorate/v1/maintenance';
import type { AttemptBounds, AttemptResult } from './attempts';
import { decodeFailure, type Failure } from './failure';
import { MessageStream, SilenceError } from './message-stream';

/** How long to wait for the reason of a connection that is already known to have failed. */
const REASON_TIMEOUT_MS = 100;

/** The largest answer taken, in bytes: more than any member sends in one page. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

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

/** A unary method of a generated client. */
type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** A server-streaming method of a generated client. */
type StreamMethod<Request, Message> = (request: Request) => ClientReadableStream<Message>;

/** A stream whose first message has come; `undefined` if it ended without one. */
export interface OpenedStream<Message> {
  readonly first: Message | undefined;
  readonly rest: MessageStream<Message>;
}

/** A member's services over one connection, opened when first needed and again when it is lost. */
export class Endpoint {
  readonly address: string;
  readonly kv: KVServiceClient;
  readonly cluster: ClusterServiceClient;
  readonly maintenance: MaintenanceServiceClient;
  readonly #channel: Channel;
  // A closed channel that is asked for its state would connect again.
  #closed = false;

  constructor(address: string) {
    this.address = address;
    const insecure = credentials.createInsecure();
    this.#channel = new Channel(address, insecure, channelOptions);
    this.kv = new KVServiceClient(address, insecure, { channelOverride: this.#channel });
    this.cluster = new ClusterServiceClient(address, insecure, { channelOverride: this.#channel });
    this.maintenance = new MaintenanceServiceClient(address, insecure, { channelOverride: this.#channel });
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
    const outcome = await unary(method, request, left);
    if (outcome.kind === 'answer') return outcome;
    return { kind: 'failure', failure: this.#decode(outcome.error) };
  }

  /** Opens a stream, and waits for its first message as long as for an answer. After that there is no bound here. */
  async open<Request, Message>(
    method: StreamMethod<Request, Message>,
    request: Request,
    bounds: AttemptBounds,
  ): Promise<AttemptResult<OpenedStream<Message>>> {
    if (!(await this.#connect(bounds.connectTimeoutMs))) return this.#notConnected();
    const rest = new MessageStream(method(request));
    try {
      return { kind: 'answer', answer: { first: await rest.next(bounds.timeoutMs), rest } };
    } catch (error) {
      return { kind: 'failure', failure: this.failureOf(error) };
    }
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
    const outcome = await unary(
      this.cluster.getStatus.bind(this.cluster) as Method<object, unknown>,
      {},
      REASON_TIMEOUT_MS,
    );
    if (outcome.kind === 'answer') return 'it was not there at first';
    const match = /Last error: (?:Error: )?(.*?)\. Resolution note/.exec(outcome.error.details);
    return match?.[1] ?? 'no connection within the time allowed';
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
}

type UnaryOutcome<Response> =
  { readonly kind: 'answer'; readonly answer: Response } | { readonly kind: 'error'; readonly error: ServiceError };

function unary<Request, Response>(
  method: Method<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<UnaryOutcome<Response>> {
  return new Promise((resolve) => {
    method(request, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) => {
      resolve(error === null ? { kind: 'answer', answer: response } : { kind: 'error', error });
    });
  });
}
