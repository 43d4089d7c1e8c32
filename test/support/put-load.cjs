// Puts `count` keys over some shards, 16 at a time, from a process of its own: what a test reads meanwhile delays none of
// them. Prints how long each took, milliseconds, as JSON.
const { QuorateClient } = require('../../dist/client/index.js');

const [address, prefix, count, shards, valueBytes] = process.argv.slice(2);
const client = new QuorateClient({ endpoints: [address], timeoutMs: 30_000 });
const value = 'x'.repeat(Number(valueBytes));
const durations = [];
let next = 0;

async function put() {
  while (next < Number(count)) {
    const at = next++;
    const began = performance.now();
    await client.put(`${prefix}/${at % Number(shards)}/${at}`, value);
    durations.push(performance.now() - began);
  }
}

Promise.all(Array.from({ length: 16 }, put)).then(() => {
  client.close();
  process.stdout.write(JSON.stringify(durations));
});
