/** gRPC served by the member's own process. */
import type { Socket } from 'node:net';
import { Server } from '@grpc/grpc-js';
import { InjectedConnections } from './injected-connections';
import { type GrpcSide, grpcServerOptions, type GrpcSideOptions } from './grpc-side';
import { strictService } from './strict-service';

export class InProcessGrpc implements GrpcSide {
  readonly frontEnds = { running: 0, restarts: 0 };
  readonly #connections: InjectedConnections;

  constructor(options: GrpcSideOptions) {
    const server = new Server(grpcServerOptions(options));
    for (const { definition, handlers } of options.services) {
      server.addService(strictService(definition), handlers);
    }
    for (const addition of options.additions) addition.addToServer(server);
    this.#connections = new InjectedConnections(server);
  }

  async start(): Promise<void> {}

  take(socket: Socket): void {
    this.#connections.take(socket);
  }

  /** Its connections are still the port's, which tells when they are closed. */
  async retire(): Promise<void> {
    this.#connections.retire();
  }

  async close(): Promise<void> {
    this.#connections.close();
  }
}
