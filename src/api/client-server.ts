/** The listener that clients talk to. */
import type { Socket } from 'node:net';
import { QuorateError } from '../base/error';
import type { LastingCalls } from './call-ends';
import type { GrpcSide } from './grpc-side';
import { SharedPort } from './shared-port';
import type { UnaryCalls } from './unary-calls';

/** What the listener is made of. */
export interface ClientServerOptions {
  /** `host:port` to listen on. */
  readonly address: string;
  readonly calls: UnaryCalls;
  /** What must be told when the listener closes. */
  readonly lasting: readonly LastingCalls[];
  /** Serves the connections that speak HTTP/2. */
  readonly grpc: GrpcSide;
  /** What is served beside gRPC on the same port; without it, connections of HTTP/1.1 are closed. */
  readonly http: HttpSide | undefined;
}

/** Takes the connections of the port that do not speak HTTP/2. */
export interface HttpSide {
  /** @param address where this member's own gRPC API is reached */
  start(address: string): void;
  take(socket: Socket): void;
  /** Ends what is under way. */
  stop(): void;
}

/** Once no call is in flight, what was written last still has this long to reach its clients. */
const lastWordsMs = 250;

/** The client API of one member on one address. */
export class ClientServer {
  readonly #port: SharedPort;
  readonly #options: ClientServerOptions;

  constructor(options: ClientServerOptions) {
    this.#options = options;
    this.#port = new SharedPort({
      http2: (socket) => {
        options.grpc.take(socket);
      },
      http1: (socket) => {
        if (options.http === undefined) socket.destroy();
        else options.http.take(socket);
      },
    });
  }

  /**
   * Starts to listen.
   *
   * @returns the port
   * @throws QuorateError `refused-to-start` when the address is in use or not ours, or gRPC cannot be served
   */
  async listen(): Promise<number> {
    const { address, grpc } = this.#options;
    await grpc.start();
    try {
      const port = await this.#port.listen(address);
      this.#options.http?.start(loopbackOf(address, port));
      return port;
    } catch (error) {
      throw refusal(address, error);
    }
  }

  /**
   * Accepts no more connections and calls, waits at most `maxMs` for those in flight, then closes what is left (streams
   * that never end, such as health watches, among it).
   */
  async drain(maxMs: number): Promise<void> {
    const { calls, lasting, grpc, http } = this.#options;
    const closed = Promise.all([grpc.retire(), this.#port.close()]);
    const ends = lasting.map((it) => it.stop());
    const answered = Promise.all([calls.idle(), ...ends]).then(() => delay(lastWordsMs));
    await Promise.race([closed, answered, delay(maxMs)]);
    http?.stop();
    await grpc.close();
  }
}

/** Where this member reaches itself. */
function loopbackOf(address: string, port: number): string {
  const host = address.slice(0, address.lastIndexOf(':'));
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host;
  return `${reached}:${port}`;
}

function refusal(address: string, cause: unknown): QuorateError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const inUse = message.includes('EADDRINUSE');
  const why = inUse ? 'another program listens there' : message;
  const fix = 'choose another with --client-listen (QUORATE_CLIENT_LISTEN)';
  return new QuorateError('refused-to-start', `cannot listen for clients on ${address}: ${why}; ${fix}`, {
    details: { field: 'client-listen', actual: address },
    cause,
  });
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
