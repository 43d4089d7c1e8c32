/** The listener that clients talk to. */
import type { Socket } from 'node:net';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { QuorateError } from '../base/error';
import type { LastingCalls } from './call-ends';
import { type ApiLimits, maxRequestBytes } from './limits';
import { SharedPort } from './shared-port';
import { type ApiService, type Handlers, strictService } from './strict-service';
import type { UnaryCalls } from './unary-calls';

/** A service that brings its own definition, such as health or reflection. */
export interface ServiceAddition {
  addToServer(server: Server): void;
}

/** What the listener is made of. */
export interface ClientServerOptions {
  /** `host:port` to listen on. */
  readonly address: string;
  readonly limits: ApiLimits;
  /** Most streams of one connection; a client beyond it waits. */
  readonly maxStreamsPerConnection: number;
  readonly calls: UnaryCalls;
  /** Of all APIs; their requests are read strictly. */
  readonly services: readonly ApiService[];
  /** What must be told when the listener closes. */
  readonly lasting: readonly LastingCalls[];
  readonly additions: readonly ServiceAddition[];
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

/** A connection on which nothing came back for this long is closed, so that the streams of a vanished client end. */
const keepalive = { everyMs: 30_000, timeoutMs: 10_000 } as const;

/** Once no call is in flight, what was written last still has this long to reach its clients. */
const lastWordsMs = 250;

/** The client API of one member on one address. */
export class ClientServer {
  readonly #server: Server;
  readonly #port: SharedPort;
  readonly #options: ClientServerOptions;

  constructor(options: ClientServerOptions) {
    this.#options = options;
    // Channelz stays on: without it, grpc-js 1.14 forgets its connections and `forceShutdown` closes none.
    this.#server = new Server({
      'grpc.max_receive_message_length': maxRequestBytes(options.limits),
      // Our own limits bound what is sent.
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.keepalive_time_ms': keepalive.everyMs,
      'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    });
    for (const { definition, handlers } of options.services) this.#add(definition, handlers);
    for (const addition of options.additions) addition.addToServer(this.#server);
    const grpc = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#port = new SharedPort({
      http2: (socket) => {
        grpc.injectConnection(socket);
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
   * @throws QuorateError `refused-to-start` when the address is in use or not ours
   */
  async listen(): Promise<number> {
    const { address } = this.#options;
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
    // Its callback tells nothing: on Node 24 it comes while calls are still in flight. Closed connections do.
    this.#server.tryShutdown(() => undefined);
    const closed = this.#port.close();
    const { calls, lasting } = this.#options;
    const ends = lasting.map((it) => it.stop());
    const answered = Promise.all([calls.idle(), ...ends]).then(() => delay(lastWordsMs));
    await Promise.race([closed, answered, delay(maxMs)]);
    this.#options.http?.stop();
    this.#server.forceShutdown();
  }

  #add(service: ServiceDefinition, handlers: Handlers): void {
    this.#server.addService(strictService(service), handlers);
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
