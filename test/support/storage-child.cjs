/** A process that opens the log of one directory and does what it is told by IPC: one answer for each order. */
const { openSqliteStorage } = require('../../dist/storage/sqlite-storage.js');
const { silentLogger } = require('../../dist/base/logger.js');

const member = { clusterId: 7n, memberId: 1n };
let storage;
let sequence = 0;

const orders = {
  async open({ directory }) {
    storage = await openSqliteStorage({
      directory,
      identity: member,
      initialConfiguration: {
        configuration: { voters: [1n], outgoing: [], learners: [], learnersNext: [], removed: [], autoLeave: false },
        context: new Uint8Array(0),
      },
      maxTailBytes: 1 << 20,
      logger: silentLogger,
    });
    const { loaded } = storage;
    return { firstIndex: loaded.firstIndex, lastIndex: loaded.lastIndex, term: loaded.hardState.term };
  },
  /** Several entries at once, each in a `Persist` of its own; tells which were reported durable. */
  async persist({ firstIndex, count, bytes }) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, (_, offset) => {
        const entry = { index: firstIndex + offset, term: 1, kind: 'command', payload: Buffer.alloc(bytes, 'x') };
        return storage.persist({ sequence: ++sequence, hardState: { term: 1, votedFor: 1n }, entries: [entry] });
      }),
    );
    const failure = outcomes.find(({ status }) => status === 'rejected')?.reason;
    return { durable: outcomes.filter(({ status }) => status === 'fulfilled').length, ...told(failure) };
  },
  async failed() {
    return told(await Promise.race([storage.failed, new Promise((resolve) => setTimeout(resolve, 5000))]));
  },
  async close() {
    await storage.close();
    return {};
  },
};

function told(error) {
  return error === undefined ? {} : { code: error.code, outcome: error.outcome, message: error.message };
}

process.on('message', (order) => {
  orders[order.kind](order).then(
    (answer) => process.send({ ok: true, ...answer }),
    (error) => process.send({ ok: false, ...told(error) }),
  );
});
