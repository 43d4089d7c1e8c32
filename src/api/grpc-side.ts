/** The side of the port that speaks gRPC: what it is made of, and what any way of serving it can do. */
import type { Socket } from 'node:net';
import type { Server, ServerOptions } from '@grpc/grpc-js';
import { type ApiLimits, maxRequestBytes } from './limits';
import type { ApiService } from './strict-service';

/** Takes services, as grpc-js's server does. */
export type ServiceTaker = Pick<Server, 'addService'>;

/** A service that brings its own definition, such as health or reflection. */
export interface ServiceAddition {
  addToServer(server: ServiceTaker): void;
}

/** What is served, and within which bounds. */
export interface GrpcSideOptions {
  readonly limits: ApiLimits;
  /** Most streams of one connection; a client beyond it waits. */
  readonly maxStreamsPerConnection: number;
  /** Of all APIs; their requests are read strictly. */
  readonly services: readonly ApiService[];
  readonly additions: readonly ServiceAddition[];
}

/** Processes that serve connections beside the member's own. */
export interface FrontEndCounts {
  readonly running: number;
  /** How often one was started in the place of one that had ended. */
  readonly restarts: number;
}

/** Takes the connections of the port that speak HTTP/2, and serves gRPC on them. */
export interface GrpcSide {
  readonly frontEnds: FrontEndCounts;
  /**
   * Returns once connections can be taken.
   *
   * @param httpPath the socket at which the member takes what turns out to be no gRPC, in the clear
   * @throws QuorateError `refused-to-start`
   */
  start(httpPath: string | undefined): Promise<void>;
  take(socket: Socket): void;
  /** Takes a connection of which nothing is read, and opens the TLS in it. Absent where the port must do that. */
  readonly takeSealed?: ((socket: Socket) => void) | undefined;
  /** Takes no more calls, and closes each connection once its calls are answered. Returns when none is left elsewhere. */
  retire(): Promise<void>;
  /** Closes what is left, and returns when nothing of it remains. */
  close(): Promise<void>;
}

/** A connection on which nothing came back for this long is closed, so that the streams of a vanished client end. */
const keepalive = { everyMs: 30_000, timeoutMs: 10_000 } as const;

/** The bounds in grpc-js's words: plain data. */
export function grpcServerOptions(options: GrpcSideOptions): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxRequestBytes(options.limits),
    // Our own limits bound what is sent.
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
    'grpc.keepalive_time_ms': keepalive.everyMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // Counters of each call that nobody can ask for here: a tenth of the CPU of a bare call. Without them grpc-js forgets its
    // connections (`InjectedConnections` does not).
    'grpc.enable_channelz': 0,
  };
}
