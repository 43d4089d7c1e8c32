/** The listener that clients talk to. */
import type { Socket } from 'node:net';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { variableOf } from '../base/names';
import type { TlsSource } from '../base/tls';
import type { LastingCalls } from './call-ends';
import type { GrpcSide } from './grpc-side';
import { listenPrivately, type PrivateSocket } from './private-place';
import { type Entrance, SharedPort, type SharedPortOptions } from './shared-port';
import { logFailedHandshake, TlsDoor } from './tls-door';
import type { UnaryCalls } from './unary-calls';

/** What the listener is made of. */
export interface ClientServerOptions {
  /** `host:port` to listen on. */
  readonly address: string;
  /** With it, connections that do not begin with TLS are closed. */
  readonly tls: TlsSource | undefined;
  /** This member's own, for the socket through which it reaches itself. */
  readonly directory: string;
  readonly scheduler: SharedPortOptions['scheduler'];
  readonly logger: Logger;
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
  /** @param path the socket where this member's own gRPC API is reached */
  start(path: string): void;
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
  #door: TlsDoor | undefined;
  #private: PrivateSocket | undefined;

  constructor(options: ClientServerOptions) {
    this.#options = options;
    this.#port = new SharedPort({
      scheduler: options.scheduler,
      http2: (socket) => {
        options.grpc.take(socket);
      },
      http1: (socket) => {
        if (options.http === undefined) socket.destroy();
        else options.http.take(socket);
      },
    });
  }

  /** Where this member reaches itself, in the clear, while it listens. */
  get ownSocket(): string | undefined {
    return this.#private?.path;
  }

  /**
   * Starts to listen.
   *
   * @returns the port
   * @throws QuorateError `refused-to-start` when the address is in use or not ours, or gRPC cannot be served
   */
  async listen(): Promise<number> {
    const { address, grpc, http } = this.#options;
    const path = http === undefined ? undefined : await this.#listenPrivately(http);
    await grpc.start(path);
    try {
      return await this.#port.listen(address, this.#entrance());
    } catch (error) {
      throw refusedListener(address, error, { field: 'client-listen', who: 'for clients' });
    }
  }

  /**
   * Accepts no more connections and calls, waits at most `maxMs` for those in flight, then closes what is left (streams
   * that never end, such as health watches, among it).
   */
  async drain(maxMs: number): Promise<void> {
    const { calls, lasting, grpc, http } = this.#options;
    this.#door?.close();
    const closed = Promise.all([grpc.retire(), this.#port.close()]);
    const ends = lasting.map((it) => it.stop());
    const answered = Promise.all([calls.idle(), ...ends]).then(() => delay(lastWordsMs));
    await Promise.race([closed, answered, delay(maxMs)]);
    http?.stop();
    await grpc.close();
    this.#private?.remove();
  }

  /** The member calls itself, and its front ends call it, where no TLS is in the way and nobody else gets in. */
  async #listenPrivately(http: HttpSide): Promise<string> {
    this.#private = await listenPrivately(this.#options.directory, (path) => this.#port.listenAtPath(path));
    http.start(this.#private.path);
    return this.#private.path;
  }

  /** What a connection passes before its protocol is told. */
  #entrance(): Entrance | undefined {
    const { tls, grpc, logger } = this.#options;
    if (tls === undefined) return undefined;
    if (grpc.takeSealed !== undefined) return grpc.takeSealed;
    const door = new TlsDoor({
      identity: tls.current,
      onOpen: (socket) => {
        this.#port.decide(socket);
      },
      onFailed: (failure) => {
        logFailedHandshake(logger, failure);
      },
    });
    tls.onChange(() => {
      door.replace(tls.current);
    });
    this.#door = door;
    return (socket) => {
      door.take(socket);
    };
  }
}

/** The error of a listener that cannot be opened, which names its option. */
export function refusedListener(
  address: string,
  cause: unknown,
  { field, who }: { readonly field: string; readonly who: string },
): QuorateError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const inUse = message.includes('EADDRINUSE');
  const why = inUse ? 'another program listens there' : message;
  const fix = `choose another with --${field} (${variableOf(field)})`;
  return new QuorateError('refused-to-start', `cannot listen ${who} on ${address}: ${why}; ${fix}`, {
    details: { field, actual: address },
    cause,
  });
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
