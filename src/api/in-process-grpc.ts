/** gRPC served by the member's own process. */
import type { Socket } from 'node:net';
import { type ConnectionInjector, Server } from '@grpc/grpc-js';
import { connectionInjector } from './connection-injector';
import { type GrpcSide, grpcServerOptions, type GrpcSideOptions } from './grpc-side';
import { strictService } from './strict-service';

export class InProcessGrpc implements GrpcSide {
  readonly frontEnds = { running: 0, restarts: 0 };
  readonly #server: Server;
  readonly #connections: ConnectionInjector;

  constructor(options: GrpcSideOptions) {
    this.#server = new Server(grpcServerOptions(options));
    for (const { definition, handlers } of options.services) {
      this.#server.addService(strictService(definition), handlers);
    }
    for (const addition of options.additions) addition.addToServer(this.#server);
    this.#connections = connectionInjector(this.#server);
  }

  async start(): Promise<void> {}

  take(socket: Socket): void {
    this.#connections.injectConnection(socket);
  }

  /** Its connections are still the port's, which tells when they are closed. */
  async retire(): Promise<void> {
    // Its callback tells nothing: on Node 24 it comes while calls are still in flight. Closed connections do.
    this.#server.tryShutdown(() => undefined);
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
  }
}
