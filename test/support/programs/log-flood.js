// Logs megabytes at once, answers on another channel meanwhile, ends on SIGTERM. Started by log-stall.test.ts.
const { createLogger } = require('../../../dist/ops/logger.js');
const logger = createLogger({ logLevel: 'info', logBufferBytes: 256 * 1024, base: { member: 'flood' } });
process.on('message', () => process.send({ answeredAt: Date.now() }));
process.on('SIGTERM', () => void logger.flush(200).then(() => process.exit(0)));
const text = 'x'.repeat(1000);
for (let i = 0; i < 8000; i++) logger.info({ i, id: 1n }, text);
process.send({ flooded: true });
