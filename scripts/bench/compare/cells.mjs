// What is compared: each cell is one kind of load, done by both systems through etcd's API with the same bytes, or, where
// it says so, by each in the best way it has.
import { join } from 'node:path';
import { etcd, native, writeRequests } from '../requests.mjs';
import { field, message, numberField } from '../protobuf.mjs';
import { ask, etcdClient } from './systems.mjs';

const kv = '/etcdserverpb.KV';
/** The most that etcd takes in one transaction, unless it is told otherwise. */
export const batch = 128;
/** Mutations in one message of a Write stream, which may hold 1000; of those unanswered, a stream may have 1024. */
const writeBatch = 500;
const watchers = 1000;
const leases = 1000;

/** Files of requests, made once for all rounds. */
export async function prepare(directory, { keys, valueBytes }) {
  const value = Buffer.alloc(valueBytes, 'v');
  const made = [
    ['put', etcd.put],
    ['get', etcd.get],
    ['staleGet', etcd.staleGet],
    ['range', etcd.range],
    ['swap', etcd.swap],
    ['putMany', (at) => etcd.putMany(at * batch, value, batch)],
    ['write', (at) => writeMessage(at * writeBatch, value)],
    ['watch', () => etcd.watch('watched/', 'watched0')],
    ['watched', () => message(field(1, 'watched/key'), field(2, value))],
    ['keepAlive', (at) => etcd.keepAlive(at + 1)],
  ];
  const files = {};
  for (const [name, make] of made) {
    files[name] = join(directory, `${name}-${valueBytes}`);
    const count = { putMany: 200, write: 50, watch: 1, watched: 1, keepAlive: leases }[name] ?? keys;
    await writeRequests(files[name], count, (at) => make(at, value));
  }
  return files;
}

/** A message of the native Write stream. */
function writeMessage(first, value) {
  return message(
    ...Array.from({ length: writeBatch }, (_, at) =>
      field(1, message(numberField(1, at + 1), field(2, native.put(first + at, value)))),
    ),
  );
}

const unary = (name, label, requests) => ({ name, label, requests: { quorate: requests, etcd: requests } });
const request = (path, bodies) => ({ path, bodies });

/**
 * All cells. `units` tells how many operations an answered call stands for, by system.
 *
 * @param {Readonly<Record<string, string>>} files as `prepare` made them
 */
export function cellsOf(files) {
  const put = request(`${kv}/Put`, files.put);
  const get = request(`${kv}/Range`, files.get);
  return [
    unary('put', 'put', [put]),
    unary('get', 'linearizable get', [get]),
    unary('stale-get', 'serializable get', [request(`${kv}/Range`, files.staleGet)]),
    unary('mixed', 'half puts, half gets', [put, get]),
    unary('swap', 'transaction: compare and put', [request(`${kv}/Txn`, files.swap)]),
    unary('range', 'range of 100 keys', [request(`${kv}/Range`, files.range)]),
    {
      name: 'bulk',
      label: `bulk puts: native Write stream beside transactions of ${batch}`,
      inFlight: [16],
      requests: {
        quorate: [request('/quorate.v1.KVService/Write', files.write)],
        etcd: [request(`${kv}/Txn`, files.putMany)],
      },
      generator: { quorate: { window: 2, 'count-field': 1, 'units-per-message': writeBatch }, etcd: {} },
      units: { quorate: writeBatch, etcd: batch },
    },
    {
      name: 'watch',
      label: `watch: events to ${watchers} watchers of one key`,
      inFlight: [watchers],
      requests: {
        quorate: [request('/etcdserverpb.Watch/Watch', files.watch)],
        etcd: [request('/etcdserverpb.Watch/Watch', files.watch)],
      },
      generator: bothWays({ listen: 1, 'count-field': 11 }),
      counts: 'units',
      beside: request(`${kv}/Put`, files.watched),
    },
    {
      name: 'keep-alive',
      label: `lease keep-alives (${leases} leases)`,
      inFlight: [64],
      requests: {
        quorate: [request('/etcdserverpb.Lease/LeaseKeepAlive', files.keepAlive)],
        etcd: [request('/etcdserverpb.Lease/LeaseKeepAlive', files.keepAlive)],
      },
      generator: bothWays({ window: 1 }),
      before: grantLeases,
    },
  ];
}

const bothWays = (options) => ({ quorate: options, etcd: options });

/** Systems that have the leases already. */
const granted = new WeakSet();

/** The leases that are kept alive: ids from 1 on, made once for each system. */
async function grantLeases(system) {
  if (granted.has(system)) return;
  granted.add(system);
  const client = await etcdClient('Lease', system.leader);
  try {
    for (let id = 1n; id <= BigInt(leases); id++) await ask(client, 'leaseGrant', { TTL: 3600n, ID: id });
  } finally {
    client.close();
  }
}
