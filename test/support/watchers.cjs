// Watches of a member, in a process of their own that a test stops and lets go on: nobody reads more slowly than a process
// that is stopped, and it takes no processor from the member meanwhile. Says `watching`; at the word `read` it reads all
// that the slow watches are told and answers with how many of them got every key of their shard, each once, in order.
const { setTimeout: sleep } = require('node:timers/promises');
const { credentials } = require('@grpc/grpc-js');
const { WatchClient } = require('../../dist/gen/etcd/etcdserverpb/watch.js');

const [address, text] = process.argv.slice(2);
const { slow, idle } = JSON.parse(text);
const eventsPerWatch = slow.puts / slow.shards;
/** So many read at a time: all together would keep this process from answering pings. */
const groupSize = 50;

const standard = { startRevision: 0n, progressNotify: false, filters: [], prevKv: false, watchId: 0n, fragment: false };

function open() {
  // A connection for each stream: what one client reads slowly must not hold up another's.
  const client = new WatchClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  return client.watch();
}

/** Begins a watch of all keys with the prefix, or of that key alone. */
function create(stream, prefix, isRange) {
  const key = Buffer.from(prefix);
  const rangeEnd = Buffer.from(isRange ? prefix : '');
  if (isRange) rangeEnd[rangeEnd.length - 1]++;
  stream.write({ requestUnion: { $case: 'createRequest', value: { ...standard, key, rangeEnd } } });
}

/** Resolves when `count` watches have begun. */
function begun(stream, count) {
  return new Promise((resolve, reject) => {
    let missing = count;
    const onData = ({ created }) => {
      if (!created || --missing > 0) return;
      stream.off('data', onData);
      resolve();
    };
    stream.on('data', onData).once('error', reject);
  });
}

async function idleStream() {
  const stream = open();
  for (let at = 0; at < idle.watchesPerStream; at++) create(stream, `idle/${at}/`, at % 2 === 1);
  await begun(stream, idle.watchesPerStream);
}

async function slowStream(shard) {
  const stream = open();
  create(stream, `${slow.prefix}/${shard}/`, true);
  await begun(stream, 1);
  stream.pause();
  return stream;
}

/** Reads on until as many keys came as were written; true if each came once, in order, and no other. */
function readShard(stream, shard) {
  return new Promise((resolve, reject) => {
    const keys = new Set();
    let events = 0;
    let last = 0n;
    let isOrdered = true;
    stream.on('data', (response) => {
      for (const { kv } of response.events) {
        const key = String(kv.key);
        isOrdered &&= kv.modRevision > last && key.startsWith(`${slow.prefix}/${shard}/`);
        last = kv.modRevision;
        events++;
        keys.add(key);
      }
      if (keys.size >= eventsPerWatch) resolve(isOrdered && events === eventsPerWatch);
    });
    stream.once('error', reject);
    stream.resume();
  });
}

/** A ping is behind what a paused stream may still be sent (64 KiB): its connection is read until that is here. */
async function breathe() {
  await sleep(100);
  return 'breathed';
}

/** Reads each stream to its end; returns how many were told all. */
async function readAll(streams) {
  let whole = 0;
  for (let first = 0; first < streams.length; first += groupSize) {
    const group = streams.slice(first, first + groupSize);
    const read = await Promise.all(group.map((stream, at) => readShard(stream, (first + at) % slow.shards)));
    whole += read.filter(Boolean).length;
  }
  return whole;
}

async function main() {
  for (let at = 0; at < idle.streams; at++) await idleStream();
  const streams = [];
  for (let at = 0; at < slow.watches; at++) streams.push(await slowStream(at % slow.shards));
  process.on('message', async (word) => {
    process.send(word === 'breathe' ? await breathe() : { whole: await readAll(streams) });
  });
  process.send('watching');
}

process.once('disconnect', () => process.exit());
void main();
