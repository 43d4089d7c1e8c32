/** The connections of a gRPC server, with what makes its calls cheaper. */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { repeatHeaders } from './repeated-headers';
import { untangle } from './untangled-sessions';
import { answerWhole } from './whole-answers';

/** Takes connections that are already open, and knows them: without channelz grpc-js 1.14 closes none by force. */
export class InjectedConnections {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(server: Server) {
    this.#server = server;
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    for (const http2Server of (server['http2Servers'] as Map<Http2Server, unknown>).keys()) {
      // Before grpc-js hears of the session, so before any stream is opened.
      http2Server.prependListener('session', (session) => {
        untangle(session);
        this.#keep(session);
      });
      // Before it answers the first stream.
      http2Server.prependOnceListener('stream', (stream) => {
        repeatHeaders(stream);
        answerWhole(stream);
      });
    }
  }

  take(socket: Socket): void {
    this.#injector.injectConnection(socket);
  }

  /** Takes no more calls, and closes each connection once its calls are answered. */
  retire(): void {
    // Its callback tells nothing: on Node 24 it comes while calls are still in flight. Closed connections do.
    this.#server.tryShutdown(() => undefined);
  }

  /** Closes all of them, whatever is under way. */
  close(): void {
    this.#server.forceShutdown();
    for (const session of this.#sessions) session.destroy();
  }

  #keep(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
  }
}
