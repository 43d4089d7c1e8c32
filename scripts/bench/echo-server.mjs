// The baseline of the benchmarks: a bare gRPC server on Node that answers every Put with the same bytes, doing nothing
// else. No service on this stack can be faster. Sends its port to its parent, and ends with it.
import { Server, ServerCredentials } from '@grpc/grpc-js';

const asItIs = (bytes) => bytes;

/** revision 1, create_revision 1, version 1. */
const answer = Buffer.from([0x08, 1, 0x10, 1, 0x18, 1]);

const server = new Server();
server.addService(
  {
    put: {
      path: '/quorate.v1.KVService/Put',
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  },
  { put: (_call, callback) => callback(null, answer) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send(port);
});
process.on('disconnect', () => process.exit());
