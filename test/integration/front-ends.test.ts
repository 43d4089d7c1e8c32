/** A member whose clients are served by front ends: they see what they would see without. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, credentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import type { QuorateClient } from '../../src/client';
import { LeaseClient, type LeaseKeepAliveResponse } from '../../src/gen/etcd/etcdserverpb/lease';
import { LockServiceClient, type LockRequest } from '../../src/gen/quorate/v1/lock';
import { EtcdCaller } from '../support/etcd-caller';
import { EtcdWatchStream } from '../support/etcd-watch';
import { allGone, childrenOf, isAlive, residentBytes } from '../support/processes';
import { failure } from '../support/kv-caller';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { detailsOf, RawClient } from '../support/raw-call';
import { unaryCall } from '../support/unary-call';

const MiB = 1024 * 1024;

let cluster: ProcessCluster;
let member: ProcessMember;
const open: { close(): void }[] = [];

beforeAll(async () => {
  cluster = await ProcessCluster.start({ members: 1, args: ['--front-ends', '2'] });
  member = cluster.members[0] as ProcessMember;
});

afterAll(async () => {
  for (const client of open) client.close();
  await cluster.stop();
});

function closing<C extends { close(): void }>(client: C): C {
  open.push(client);
  return client;
}

const pidOf = ({ process: child }: ProcessMember): number => child?.pid ?? 0;

/** When the member has as many front ends as it should. */
function frontEnds(of: ProcessMember): Promise<readonly number[]> {
  return eventually(10_000, 'two front ends', async () => {
    const pids = childrenOf(pidOf(of));
    return pids.length === 2 && (await metric('quorate_front_ends')) === 2 ? pids : undefined;
  });
}

async function valueOf(client: QuorateClient, key: string): Promise<unknown> {
  return (await client.get(key)).kv?.value;
}

async function metric(name: string): Promise<number> {
  const page = await (await fetch(`http://${member.clientAddress}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(page)?.[1]);
}

const lockRequest = (name: string): LockRequest => ({
  ...{ name, hold: { $case: 'ttl', value: { seconds: 60n, nanos: 0 } }, noWait: false, owner: '', requestId: '' },
});

describe('calls through front ends', () => {
  it('are answered, with values up to the limit', async () => {
    const client = cluster.client();
    expect((await frontEnds(member)).length).toBe(2);
    const large = 'x'.repeat(MiB);
    await client.put('large', large);
    await client.put('empty', '');
    expect((await valueOf(client, 'large')) === large).toBe(true);
    expect(await valueOf(client, 'empty')).toEqual('');
    const keys = Array.from({ length: 500 }, (_, at) => `many/${String(at)}`);
    await Promise.all(keys.map((key) => client.put(key, key)));
    expect(await Promise.all(keys.map((key) => valueOf(client, key)))).toEqual(keys);
  });

  it('fail with the same words and details as without front ends', async () => {
    const plain = await ProcessCluster.start({ members: 1, args: ['--front-ends', '0'] });
    const ends = async (address: string) => {
      const raw = new RawClient(address);
      const empty = Buffer.alloc(0);
      const calls = [
        await raw.call('/quorate.v1.KVService/Put', empty),
        await raw.call('/quorate.v1.KVService/Put', Buffer.from('garbage')),
        await raw.call('/quorate.v1.KVService/Put', Buffer.alloc(10 * MiB)),
        await raw.call('/quorate.v1.KVService/Nothing', empty),
        await raw.call('/etcdserverpb.KV/Put', Buffer.alloc(10 * MiB)),
        await raw.call('/etcdserverpb.KV/Put', empty),
        await raw.call('/quorate.v1.LeaseService/KeepAlive', Buffer.from('garbage')),
      ];
      raw.close();
      return calls.map(({ error }) => ({
        ...{ code: error?.code, details: error?.details },
        info: error?.metadata.get('grpc-status-details-bin').length === 1 ? detailsOf(error).info : undefined,
      }));
    };
    try {
      const without = await ends(plain.members[0]?.clientAddress ?? '');
      expect(await ends(member.clientAddress)).toEqual(without);
      expect(without[0]?.info?.reason).toBe('INVALID_ARGUMENT');
      expect(without[2]?.code).toBe(status.RESOURCE_EXHAUSTED);
      expect(without[3]?.code).toBe(status.UNIMPLEMENTED);
    } finally {
      await plain.stop();
    }
  });

  it('that wait end with their deadline or their client, and leave nothing behind', async () => {
    const locks = closing(new LockServiceClient(member.clientAddress, credentials.createInsecure()));
    const etcd = closing(new EtcdCaller(member.clientAddress));
    const queue = async () => Number((await etcd.range('l/', { rangeEnd: Buffer.from('l0') })).count);
    const becomes = (length: number) =>
      eventually(5000, `${String(length)} in the queue`, async () => ((await queue()) === length ? true : undefined));
    await unaryCall(locks, locks.lock, lockRequest('l'), 5000);
    const late = unaryCall(locks, locks.lock, lockRequest('l'), 500);
    await becomes(2);
    expect(await failure(late)).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await becomes(1);
    const given = unaryCall(locks, locks.lock, lockRequest('l'));
    await becomes(2);
    given.cancel();
    expect(await failure(given)).toMatchObject({ code: status.CANCELLED });
    await becomes(1);
  });

  it('are passed what the client sent along, as far as it is read', async () => {
    const etcd = closing(new EtcdCaller(member.clientAddress));
    etcd.metadata.set('hasleader', 'true');
    etcd.metadata.set('unread-bin', Buffer.of(1, 2, 3));
    expect((await etcd.range('nothing')).count).toBe(0n);
  });
});

describe('streams through front ends', () => {
  it('tell of changes, in both APIs', async () => {
    const client = cluster.client();
    const etcd = new EtcdWatchStream(member.clientAddress);
    etcd.create({ key: Buffer.from('watched') });
    expect((await etcd.next())?.created).toBe(true);
    const watch = await client.watch('watched');
    await client.put('watched', '1');
    const [event] = (await etcd.next())?.events ?? [];
    expect(event?.kv?.value.toString()).toBe('1');
    for await (const message of watch) {
      if (message.kind !== 'events') continue;
      expect(message.events).toMatchObject([{ type: 'put', kv: { key: 'watched', value: '1' } }]);
      break;
    }
    etcd.close();
  });

  it('wait for a client that reads slowly, in bounded memory, and lose nothing', async () => {
    const client = cluster.client();
    const pids = await frontEnds(member);
    const slow = new EtcdWatchStream(member.clientAddress);
    slow.create({ key: Buffer.from('slow') });
    expect((await slow.next())?.created).toBe(true);
    slow.stream.pause();
    const before = pids.map(residentBytes);
    // So many that what a process keeps of messages that have passed through it (70 MB on Node 24) does not count.
    const count = 200;
    const value = 'y'.repeat(MiB);
    for (let at = 0; at < count; at++) await client.put('slow', value);
    const grown = pids.map((pid, at) => residentBytes(pid) - (before[at] ?? 0));
    expect(Math.max(...grown)).toBeLessThan((count * MiB) / 2);
    slow.stream.resume();
    let seen = 0;
    while (seen < count) {
      const response = await slow.next();
      if (response === undefined) throw new Error(`the stream ended: ${String(slow.failure)}`);
      seen += response.events.length;
    }
    slow.close();
  });

  it('answer what is written to them, in order', async () => {
    const client = cluster.client();
    const stream = client.writeStream();
    const results = Array.from({ length: 3000 }, (_, at) => stream.put(`w${String(at % 7)}`, String(at)));
    const revisions = (await Promise.all(results)).map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    await stream.close();
  });

  it('keep leases alive', async () => {
    const leases = closing(new LeaseClient(member.clientAddress, credentials.createInsecure()));
    const { ID } = await unaryCall(leases, leases.leaseGrant, { TTL: 60n, ID: 0n }, 5000);
    const stream = leases.leaseKeepAlive();
    const answers: LeaseKeepAliveResponse[] = [];
    stream.on('data', (answer: LeaseKeepAliveResponse) => answers.push(answer));
    stream.write({ ID });
    stream.write({ ID });
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.end();
    await ended;
    expect(answers).toMatchObject([
      { ID, TTL: 60n },
      { ID, TTL: 60n },
    ]);
  });
});

describe('what else is on the port of a member with front ends', () => {
  it('HTTP/1.1: probes, version, metrics, and the JSON gateway', async () => {
    const base = `http://${member.clientAddress}`;
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ health: 'true', reason: '' });
    expect(await (await fetch(`${base}/version`)).json()).toMatchObject({ etcdcluster: '3.5.0' });
    const post = async (path: string, body: object) =>
      await (await fetch(base + path, { method: 'POST', body: JSON.stringify(body) })).json();
    const [key, value] = ['json', 'value'].map((text) => Buffer.from(text).toString('base64'));
    await post('/v3/kv/put', { key, value });
    expect(await post('/v3/kv/range', { key })).toMatchObject({ count: '1', kvs: [{ key, value }] });
  });

  it('health and reflection', async () => {
    const buf = join(__dirname, '../../node_modules/.bin/buf');
    const base = `http://${member.clientAddress}`;
    const flags = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
    const curl = async (...args: string[]) => (await promisify(execFile)(buf, [...flags, ...args])).stdout;
    expect(await curl('-d', '{"service":"readiness"}', `${base}/grpc.health.v1.Health/Check`)).toContain('SERVING');
    expect(await curl('--list-services', base)).toContain('quorate.v1.KVService');
  }, 30_000);
});

/** The health of this member, as a watch tells it. */
function watchHealth(): { readonly seen: string[]; readonly over: Promise<unknown> } {
  const { Watch: watch } = healthService as unknown as ServiceDefinition;
  if (watch === undefined) throw new Error('health has a Watch');
  const client = closing(new Client(member.clientAddress, credentials.createInsecure()));
  const seen: string[] = [];
  const call = client.makeServerStreamRequest(
    watch.path,
    watch.requestSerialize,
    watch.responseDeserialize as (bytes: Buffer) => { status: string },
    { service: 'readiness' },
  );
  call.on('data', (answer: { status: string }) => seen.push(answer.status));
  return { seen, over: new Promise((resolve) => call.once('error', resolve)) };
}

describe('when a process is killed', () => {
  it('a front end: its calls fail, clients go on, another takes its place, and the member does not notice', async () => {
    const client = cluster.client();
    const termBefore = (await client.cluster.status()).term;
    const restartsBefore = await metric('quorate_front_end_restarts_total');
    for (const pid of await frontEnds(member)) {
      const watch = new EtcdWatchStream(member.clientAddress);
      watch.create({ key: Buffer.from('held') });
      expect((await watch.next())?.created).toBe(true);
      const other = new EtcdWatchStream(member.clientAddress);
      other.create({ key: Buffer.from('held') });
      expect((await other.next())?.created).toBe(true);
      process.kill(pid, 'SIGKILL');
      // The two are at different front ends: connections go to one after the other.
      await eventually(5000, 'the end of one watch', async () => watch.failure ?? other.failure);
      await client.put('after', String(pid));
      expect(await valueOf(client, 'after')).toBe(String(pid));
      await frontEnds(member);
      const [failed, ...others] = [watch.failure, other.failure].filter((it) => it !== undefined);
      expect(failed).toMatchObject({ code: status.UNAVAILABLE });
      expect(others).toEqual([]);
      for (const each of [watch, other]) each.close();
    }
    expect(await metric('quorate_front_end_restarts_total')).toBe(restartsBefore + 2);
    expect((await client.cluster.status()).term).toBe(termBefore);
    // Nobody watches any more, also of those whose front end is gone.
    await eventually(5000, 'no watch', async () => ((await metric('quorate_watches')) === 0 ? true : undefined));
  });

  it('the member: no front end outlives it', async () => {
    const pids = await frontEnds(member);
    await cluster.end(member, 'SIGKILL');
    await allGone(pids);
    cluster.startMember(member);
    await cluster.leader();
    await frontEnds(member);
  });
});

describe('when the member is asked to stop', () => {
  it('it answers what is under way, says that it goes, ends its front ends, and exits with 0', async () => {
    const pids = await frontEnds(member);
    const health = watchHealth();
    await eventually(5000, 'health', async () => (health.seen.at(-1) === 'SERVING' ? true : undefined));
    const locks = closing(new LockServiceClient(member.clientAddress, credentials.createInsecure()));
    await unaryCall(locks, locks.lock, lockRequest('stop'), 5000);
    const waiting = failure(unaryCall(locks, locks.lock, lockRequest('stop')));
    await sleep(200);
    // A terminal sends it to all of them.
    for (const pid of pids) process.kill(pid, 'SIGINT');
    const began = performance.now();
    const code = await cluster.end(member, 'SIGTERM');
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await waiting).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('stopping') });
    await health.over;
    expect(health.seen.slice(-2)).toEqual(['SERVING', 'NOT_SERVING']);
    cluster.startMember(member);
    await cluster.leader();
  });
});
