// Puts keys into several members, over some shards, 16 at a time, from a process of its own: what a test reads meanwhile
// delays none of them. Told of a block, `{ under, first, end }`, it puts the keys `first <= number < end` into one member after
// the other, so that whatever else the machine does meets them alike, and answers with how long each put took, milliseconds: a
// list for each member.
const { QuorateClient } = require('../../dist/client/index.js');

const [addresses, shards, valueBytes] = process.argv.slice(2);
const clients = addresses.split(',').map((address) => new QuorateClient({ endpoints: [address], timeoutMs: 30_000 }));
const value = 'x'.repeat(Number(valueBytes));

/** Puts a block into one member; returns how long each took. */
async function putBlock(client, { under, first, end }) {
  const durations = [];
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
  return durations;
}

process.on('message', async (block) => {
  const taken = [];
  for (const client of clients) taken.push(await putBlock(client, block));
  process.send(taken);
});
process.once('disconnect', () => process.exit());
