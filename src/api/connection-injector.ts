/** The entry for the connections of a gRPC server, with what makes its calls cheaper. */
import type { Http2Server } from 'node:http2';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { repeatHeaders } from './repeated-headers';
import { untangle } from './untangled-sessions';

/** Takes connections that are already open. */
export function connectionInjector(server: Server): ConnectionInjector {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  for (const http2Server of (server['http2Servers'] as Map<Http2Server, unknown>).keys()) {
    // Before grpc-js hears of the session, so before any stream is opened.
    http2Server.prependListener('session', (session) => void untangle(session));
    // Before it answers the first stream.
    http2Server.prependOnceListener('stream', (stream) => void repeatHeaders(stream));
  }
  return injector;
}
