// What a soak asks of a cluster, all at once: reads and writes of every kind, watchers, leases that are kept and leases that end.
import { join } from 'node:path';
import { ask, etcdClient } from '../bench/compare/systems.mjs';
import { field, message, numberField } from '../bench/protobuf.mjs';
import { load } from '../bench/measure.mjs';
import { etcd, keyText, native, writeRequests } from '../bench/requests.mjs';

const kv = '/etcdserverpb.KV';
/** Leases that are kept alive all the time, by so many streams. */
const keptLeases = 1000;
const keepers = 2;
const watchers = 100;
/** Watched by each watcher: one in so many keys. */
const watchedPart = 100;
/** A put with a lease of its own, which ends after so many seconds. */
const shortTtlSeconds = 5;

/** How often a call is of each kind, against the others: the files hold as many requests. */
const shares = { put: 10, get: 6, staleGet: 2, swap: 1, range: 1, leased: 1 };

const shortLived = (at, value) => message(native.put(at, value), field(4, numberField(1, shortTtlSeconds)));

/** Files of requests. */
async function prepare(directory, { keys, valueBytes }) {
  const value = Buffer.alloc(valueBytes, 'v');
  const write = async (name, count, make) => {
    const file = join(directory, name);
    await writeRequests(file, count, (at) => make(at, value));
    return file;
  };
  const requestsOf = (name) => Math.max(1, Math.ceil((keys * shares[name]) / shares.put));
  const mixed = [
    { path: `${kv}/Put`, bodies: await write('put', keys, etcd.put) },
    { path: `${kv}/Range`, bodies: await write('get', requestsOf('get'), etcd.get) },
    { path: `${kv}/Range`, bodies: await write('staleGet', requestsOf('staleGet'), etcd.staleGet) },
    { path: `${kv}/Range`, bodies: await write('range', requestsOf('range'), etcd.range) },
    { path: `${kv}/Txn`, bodies: await write('swap', requestsOf('swap'), etcd.swap) },
    {
      path: '/quorate.v1.KVService/Put',
      bodies: await write('leased', requestsOf('leased'), (at, bytes) => shortLived(keys + at, bytes)),
    },
  ];
  const [first, end] = [keyText(0), keyText(Math.max(1, Math.floor(keys / watchedPart)))];
  const watch = { path: '/etcdserverpb.Watch/Watch', bodies: await write('watch', 1, () => etcd.watch(first, end)) };
  const keep = {
    path: '/etcdserverpb.Lease/LeaseKeepAlive',
    bodies: await write('keepAlive', keptLeases, (at) => etcd.keepAlive(at + 1)),
  };
  return { mixed, watch, keep };
}

async function grantLeases(leader, seconds) {
  const client = await etcdClient('Lease', leader);
  const TTL = BigInt(Math.ceil(seconds) + 600);
  try {
    const ids = Array.from({ length: keptLeases }, (_, at) => BigInt(at + 1));
    await Promise.all(ids.map((ID) => ask(client, 'leaseGrant', { TTL, ID })));
  } finally {
    client.close();
  }
}

/**
 * Loads the members for so many seconds.
 *
 * @returns {Promise<{ calls: any, events: any, renewals: any }>} what the load generator said of each kind of traffic
 */
export async function traffic(directory, { members, leader, clients, keys, valueBytes, seconds }) {
  const { mixed, watch, keep } = await prepare(directory, { keys, valueBytes });
  await grantLeases(leader, seconds);
  const everywhere = members.map(({ client }) => client).join(',');
  const job = { seconds, warmup: 0 };
  const [calls, events, renewals] = await Promise.all([
    load({ ...job, requests: mixed, addresses: everywhere, 'in-flight': clients, connections: 9 }),
    load({
      ...job,
      requests: [watch],
      addresses: everywhere,
      'in-flight': watchers,
      connections: 6,
      listen: 1,
      'count-field': 11,
    }),
    load({ ...job, requests: [keep], addresses: leader.client, 'in-flight': keepers, connections: 1, window: 1 }),
  ]);
  return { calls, events, renewals };
}
