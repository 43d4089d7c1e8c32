/**
 * A process of its own that is member 2: acknowledges every AppendEntries of member 1, and hashes every snapshot, to tell
 * the parent its hash and the memory it took. Arguments: modules, tuning, ports.
 */
const { createHash } = require('node:crypto');
const { transportModule, loggerModule, tuning, clusterId, port, peerPort } = JSON.parse(process.argv[2]);
const { GrpcTransport } = require(transportModule);
const { silentLogger } = require(loggerModule);

const transport = new GrpcTransport({
  clusterId: BigInt(clusterId),
  selfId: 2n,
  incarnation: { disk: 1n, boots: 1, run: 1n },
  listenAddress: `127.0.0.1:${port}`,
  logger: silentLogger,
  tuning,
});

transport.updatePeers([{ id: 1n, address: `127.0.0.1:${peerPort}` }]);
void transport.start({
  admit: () => true,
  refused() {},
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
  gone() {},
  reached() {},
  async acceptSnapshot() {
    const hash = createHash('sha256');
    const before = process.memoryUsage.rss();
    let peak = before;
    return {
      async write(bytes) {
        hash.update(bytes);
        peak = Math.max(peak, process.memoryUsage.rss());
      },
      async finish() {
        process.send({ sha256: hash.digest('hex'), grownBytes: peak - before });
      },
      abort() {
        process.send({ sha256: 'aborted', grownBytes: 0 });
      },
    };
  },
});
process.on('disconnect', () => process.exit());
