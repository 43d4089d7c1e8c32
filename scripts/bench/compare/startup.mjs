// How long a member with many keys takes to start.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyText } from '../requests.mjs';
import { ask, etcdClient } from './systems.mjs';

/** The most that etcd takes in one transaction, unless it is told otherwise. */
const batch = 128;
const inFlight = 16;
/** Between two looks at a member that starts, milliseconds. */
const lookMs = 5;
const withinMs = 120_000;

const firstKey = {
  ...{ key: Buffer.from(keyText(0)), rangeEnd: Buffer.alloc(0), limit: 0n, revision: 0n, sortOrder: 0, sortTarget: 0 },
  ...{ serializable: true, keysOnly: false, countOnly: false },
  ...{ minModRevision: 0n, maxModRevision: 0n, minCreateRevision: 0n, maxCreateRevision: 0n },
};

/** Puts so many keys, each once, with values of so many bytes. */
export async function fillKeys(system, { keys, valueBytes }) {
  const client = await etcdClient('KV', system.leader.client);
  const value = Buffer.alloc(valueBytes, 'v');
  let next = 0;
  const writer = async () => {
    while (next < keys) {
      const first = next;
      next += batch;
      const puts = Array.from({ length: Math.min(batch, keys - first) }, (_, at) => putOf(first + at, value));
      await ask(client, 'txn', { compare: [], success: puts, failure: [] }, 30_000);
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, writer));
  } finally {
    client.close();
  }
}

function putOf(at, value) {
  const put = {
    key: Buffer.from(keyText(at)),
    value,
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
  return { request: { $case: 'requestPut', value: put } };
}

/**
 * Stops a follower in good order (SIGTERM) and starts it again.
 *
 * @returns from the start of its process until it answers a serializable read, milliseconds
 */
export async function measureStartup(system) {
  const member = system.members.find((each) => each !== system.leader);
  const ended = once(member.process, 'exit');
  member.process.kill('SIGTERM');
  await ended;
  const startedAt = performance.now();
  member.restart();
  const until = startedAt + withinMs;
  while (performance.now() < until) {
    if ((await isOpen(member.client)) && (await answers(member.client))) return performance.now() - startedAt;
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

async function answers(address) {
  const client = await etcdClient('KV', address);
  try {
    const { kvs } = await ask(client, 'range', firstKey, 1000);
    return kvs.length === 1;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
