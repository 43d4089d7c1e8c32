// Puts `count` keys over some shards, 16 at a time, from a process of its own: what a test reads meanwhile delays none of
// them. Prints how long each took, milliseconds, as JSON. As many go before, to another prefix: a process that has just
// started is slow by itself.
const { QuorateClient } = require('../../dist/client/index.js');

const [address, prefix, count, shards, valueBytes] = process.argv.slice(2);
const client = new QuorateClient({ endpoints: [address], timeoutMs: 30_000 });
const value = 'x'.repeat(Number(valueBytes));

/** Returns how long each took. */
async function putAll(under) {
  const durations = [];
  let next = 0;
  const putSome = async () => {
    while (next < Number(count)) {
      const at = next++;
      const began = performance.now();
      await client.put(`${under}/${at % Number(shards)}/${at}`, value);
      durations.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 16 }, putSome));
  return durations;
}

async function main() {
  await putAll(`warm-${prefix}`);
  const durations = await putAll(prefix);
  client.close();
  process.stdout.write(JSON.stringify(durations));
}

void main();
