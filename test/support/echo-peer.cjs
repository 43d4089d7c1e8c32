/** A process of its own that is member 2: acknowledges every AppendEntries of member 1. Arguments: modules, tuning, ports. */
const { transportModule, loggerModule, tuning, clusterId, port, peerPort } = JSON.parse(process.argv[2]);
const { GrpcTransport } = require(transportModule);
const { silentLogger } = require(loggerModule);

const transport = new GrpcTransport({
  clusterId: BigInt(clusterId),
  selfId: 2n,
  listenAddress: `127.0.0.1:${port}`,
  logger: silentLogger,
  tuning,
});

transport.updatePeers([{ id: 1n, address: `127.0.0.1:${peerPort}` }]);
void transport.start({
  receive(from, { term, prevLogIndex, readRound }) {
    transport.send(from, {
      kind: 'append-entries-response',
      success: true,
      term,
      matchIndex: prevLogIndex,
      readRound,
    });
  },
  unreachable() {},
  acceptSnapshot() {
    return Promise.reject(new Error('not here'));
  },
});
process.on('disconnect', () => process.exit());
