// Puts `count` keys into each of several members, over some shards, 16 at a time, from a process of its own: what a test
// reads meanwhile delays none of them. The members take turns, a block of puts each, so that whatever else the machine does
// meets them alike. Prints how long each put took, milliseconds, as JSON: a list for each member. As many go before, to
// another prefix: a process that has just started is slow by itself.
const { QuorateClient } = require('../../dist/client/index.js');

const [addresses, prefix, count, shards, valueBytes] = process.argv.slice(2);
const clients = addresses.split(',').map((address) => new QuorateClient({ endpoints: [address], timeoutMs: 30_000 }));
const value = 'x'.repeat(Number(valueBytes));
const blockPuts = 250;

/** Puts the keys with the numbers `first <= number < end`; adds how long each took. */
async function putBlock(client, under, { first, end, durations }) {
  let next = first;
  const putSome = async () => {
    while (next < end) {
      const at = next++;
      const began = performance.now();
      await client.put(`${under}/${at % Number(shards)}/${at}`, value);
      durations.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 16 }, putSome));
}

/** Returns how long each took, by member. */
async function putAll(under) {
  const taken = clients.map(() => []);
  for (let first = 0; first < Number(count); first += blockPuts) {
    const end = Math.min(first + blockPuts, Number(count));
    for (const [number, client] of clients.entries()) {
      await putBlock(client, under, { first, end, durations: taken[number] });
    }
  }
  return taken;
}

async function main() {
  await putAll(`warm-${prefix}`);
  const taken = await putAll(prefix);
  for (const client of clients) client.close();
  process.stdout.write(JSON.stringify(taken));
}

void main();
