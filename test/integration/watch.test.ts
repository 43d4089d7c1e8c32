/** Watches on real members that are killed, paused, replaced by snapshots and stopped: nothing missing, nothing twice. */
import { status } from '@grpc/grpc-js';
import { required } from '../../src/base/assert';
import type { KeyEvent, QuorateClient } from '../../src/client';
import type { Event } from '../../src/gen/etcd/mvccpb/kv';
import { endOfPrefix, EtcdWatchStream } from '../support/etcd-watch';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { SteadyWriters } from '../support/steady-writers';

/** An event in words, the same for both APIs. */
const nativeWords = ({ type, kv }: KeyEvent) => `${String(kv.modRevision)} ${type} ${kv.key}`;
const etcdWords = ({ type, kv }: Event) =>
  `${String(kv?.modRevision)} ${type === 0 ? 'put' : 'delete'} ${String(kv?.key)}`;

/** Where a test begins: after this everything is told. */
const begin = { key: 'w/', prefix: { kind: 'prefix', prefix: 'w/' } } as const;

/** Collects the events of a watch until it is told of a key. */
async function collect(address: string, startRevision: bigint, lastKey: string): Promise<string[]> {
  const watch = new EtcdWatchStream(address);
  watch.create({ key: Buffer.from(begin.key), rangeEnd: endOfPrefix(begin.key), startRevision });
  try {
    return await eventsUntil(watch, lastKey);
  } finally {
    watch.close();
  }
}

async function eventsUntil(watch: EtcdWatchStream, lastKey: string): Promise<string[]> {
  const events: string[] = [];
  for (;;) {
    const response = await watch.next();
    if (response === undefined) throw new Error(`the stream ended: ${String(watch.failure)}`);
    if (response.canceled) throw new Error(`canceled: ${response.cancelReason} ${String(response.compactRevision)}`);
    const revisions = response.events.map(({ kv }) => kv?.modRevision ?? 0n);
    // The header is a bookmark (W6), and revisions are whole (W4): the next response begins after it.
    expect(response.header?.revision).toBeGreaterThanOrEqual(revisions.at(-1) ?? 0n);
    events.push(...response.events.map(etcdWords));
    if (response.events.some(({ kv }) => String(kv?.key) === lastKey)) return events;
  }
}

/** Ascending, and no revision and key twice (W1, W2). */
function expectOrder(events: readonly string[]): void {
  const revisions = events.map((event) => Number(event.split(' ')[0]));
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  expect(new Set(events).size).toBe(events.length);
}

/** The last key of a test: whoever was told of it was told of everything. */
async function finish(client: QuorateClient): Promise<string> {
  await client.put('w/last', '');
  return 'w/last';
}

describe('watches on a cluster', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start({ args: ['--compact-log-entries', '200', '--trailing-log-entries', '20'] });
  }, 30_000);
  afterEach(() => cluster.stop());

  const clients = (count: number) => Array.from({ length: count }, () => cluster.client());
  const memberAt = (at: number) => required(cluster.members[at], 'the cluster has so many members');

  it('tells the same history on every member, by both APIs, live and afterwards (W1 to W4)', async () => {
    const live = cluster.members.map(({ clientAddress }) => collect(clientAddress, 2n, 'w/last'));
    const native = nativeEvents(cluster.client(), 'w/last');
    const writers = new SteadyWriters('w/a', clients(4));
    await writers.more(200);
    const { acknowledged } = await writers.stop();
    await finish(cluster.client());
    const all = await Promise.all([...live, native]);
    const [first] = all;
    const history = required(first, 'there is a stream');
    expect(history.length).toBeGreaterThan(acknowledged);
    expectOrder(history);
    for (const events of all) expect(events).toEqual(history);
    for (const { clientAddress } of cluster.members)
      expect(await collect(clientAddress, 2n, 'w/last')).toEqual(history);
  });

  it('goes on elsewhere when its member is killed, and misses and repeats nothing (W5)', async () => {
    const native = nativeEvents(cluster.client(), 'w/last');
    const writers = new SteadyWriters('w/a', clients(4));
    for (const member of cluster.members) {
      await writers.more(60);
      await cluster.end(member, 'SIGKILL');
      await writers.more(50);
      cluster.startMember(member);
    }
    await writers.more(100);
    await writers.stop();
    await finish(cluster.client());
    const events = await native;
    expectOrder(events);
    expect(events).toEqual(await collect(memberAt(0).clientAddress, 2n, 'w/last'));
  });

  it('is never told of the past by a member that was restarted and resumes (W8, W10; etcd #15271)', async () => {
    const [member] = cluster.members;
    const killed = required(member, 'there is a member');
    const writers = new SteadyWriters('w/a', clients(2));
    await writers.more(100);
    const watched = await eventsThrough(killed, 100);
    await cluster.end(killed, 'SIGKILL');
    await writers.more(100);
    cluster.startMember(killed);
    await eventually(20_000, 'the member answers', () => cluster.status(killed));
    const resumed = collect(killed.clientAddress, revisionOf(watched.at(-1)) + 1n, 'w/last');
    await writers.stop();
    await finish(cluster.client());
    const events = [...watched, ...(await resumed)];
    expectOrder(events);
    expect(events).toEqual(await collect(memberAt(1).clientAddress, 2n, 'w/last'));
  });

  it('goes on when a snapshot takes the place of the state of its member (W10)', async () => {
    const leader = await cluster.leader();
    const paused = required(
      cluster.members.find((member) => member !== leader),
      'there is a follower',
    );
    const others = cluster.members.filter((member) => member !== paused);
    const watched = collect(paused.clientAddress, 2n, 'w/last');
    const writers = new SteadyWriters('w/a', [cluster.client(others), cluster.client(others)]);
    await writers.more(50);
    cluster.signal(paused, 'SIGSTOP');
    await writers.more(500);
    cluster.signal(paused, 'SIGCONT');
    await writers.more(50);
    await writers.stop();
    await finish(cluster.client(others));
    const events = await watched;
    expectOrder(events);
    expect(events).toEqual(await collect(leader.clientAddress, 2n, 'w/last'));
    // It did not catch up by the log: the others have cut it since.
    expect((await cluster.status(paused))?.firstLogIndex).toBeGreaterThan(300);
  });

  it('tells streams that its member stops, so that their clients go on elsewhere', async () => {
    const member = memberAt(0);
    const etcd = new EtcdWatchStream(member.clientAddress);
    etcd.create();
    await etcd.next();
    const native = nativeEvents(cluster.client(), 'w/last');
    await cluster.client().put('w/first', '');
    expect(await cluster.end(member, 'SIGTERM')).toBe(0);
    while ((await etcd.next()) !== undefined);
    expect(etcd.failure).toMatchObject({ code: status.UNAVAILABLE, details: 'etcdserver: server stopped' });
    etcd.close();
    await finish(cluster.client());
    expect(await native).toHaveLength(2);
  });

  /** The first events that a member tells. */
  async function eventsThrough(member: ProcessMember, atLeast: number): Promise<string[]> {
    const watch = new EtcdWatchStream(member.clientAddress);
    watch.create({ key: Buffer.from(begin.key), rangeEnd: endOfPrefix(begin.key), startRevision: 2n });
    const events: string[] = [];
    while (events.length < atLeast) {
      const response = required(await watch.next(), 'the stream goes on');
      events.push(...response.events.map(etcdWords));
    }
    watch.close();
    return events;
  }

  const revisionOf = (event: string | undefined) => BigInt(required(event, 'there is an event').split(' ')[0] ?? '');

  async function nativeEvents(client: QuorateClient, lastKey: string): Promise<string[]> {
    const watch = await client.watch(begin.prefix, { startRevision: 2 });
    const events: string[] = [];
    for await (const message of watch) {
      if (message.kind !== 'events') continue;
      events.push(...message.events.map(nativeWords));
      if (message.events.some(({ kv }) => kv.key === lastKey)) break;
    }
    return events;
  }
});
