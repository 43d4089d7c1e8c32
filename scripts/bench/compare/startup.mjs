// How long a member with many keys takes to start.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../../lib/paths.mjs';
import { etcd } from '../requests.mjs';
import { batch } from './cells.mjs';
import { ask, etcdClient } from './systems.mjs';

const inFlight = 16;
/** Between two looks at a member that starts, milliseconds. */
const lookMs = 5;
const withinMs = 120_000;

/** The messages of etcd's KV service. */
const kvMessages = () => import(at('dist/gen/etcd/etcdserverpb/kv.js'));

/** Puts so many keys, each once, with values of so many bytes. */
export async function fillKeys(system, { keys, valueBytes }) {
  const [client, { TxnRequest }] = await Promise.all([etcdClient('KV', system.leader), kvMessages()]);
  const value = Buffer.alloc(valueBytes, 'v');
  let next = 0;
  const writer = async () => {
    while (next < keys) {
      const first = next;
      next += batch;
      const puts = etcd.putMany(first, value, Math.min(batch, keys - first));
      await ask(client, 'txn', TxnRequest.decode(puts), 30_000);
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, writer));
  } finally {
    client.close();
  }
}

/**
 * Ends a follower, with SIGTERM in good order or with SIGKILL at once, and starts it again.
 *
 * @returns how long it took to end, and from the start of its process until it answers a serializable read, milliseconds
 */
export async function measureStartup(system, signal) {
  const member = system.members.find((each) => each !== system.leader);
  const ended = once(member.process, 'exit');
  const askedAt = performance.now();
  member.process.kill(signal);
  await ended;
  const startedAt = performance.now();
  member.restart();
  const until = startedAt + withinMs;
  while (performance.now() < until) {
    if ((await isOpen(member.client)) && (await answers(member))) {
      return { endMs: Math.round(startedAt - askedAt), startMs: Math.round(performance.now() - startedAt) };
    }
    await sleep(lookMs);
  }
  throw new Error(`${member.name} did not start within ${withinMs / 1000} s`);
}

function isOpen(address) {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.once('connect', () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

async function answers(member) {
  const [client, { RangeRequest }] = await Promise.all([etcdClient('KV', member), kvMessages()]);
  try {
    const { kvs } = await ask(client, 'range', RangeRequest.decode(etcd.staleGet(0)), 1000);
    return kvs.length === 1;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
