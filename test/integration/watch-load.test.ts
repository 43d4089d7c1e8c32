/** A member with a thousand watches that read nothing and ten thousand that have nothing to read: bounded, and complete. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { required } from '../../src/base/assert';
import { endOfPrefix, EtcdWatchStream } from '../support/etcd-watch';
import { ProcessCluster, type ProcessMember } from '../support/process-cluster';

/** Each slow watch is told of one shard of the keys, and reads nothing while all of it is written. */
const slow = { watches: 1000, shards: 10, puts: 5000, valueBytes: 1000 } as const;
const idle = { streams: 10, watchesPerStream: 1000 } as const;
const eventsPerWatch = slow.puts / slow.shards;

/** What a watch that reads nothing may cost: the messages on its way, its connection, and what the heap leaves unused. */
const maxBytesPerSlowWatch = 200 * 1024;

/** What all the slow watches are told; half a gigabyte if the member held it for them. */
const toldBytes = slow.watches * eventsPerWatch * slow.valueBytes;

/** Resident memory of a member, bytes. */
function memoryOf({ process: child }: ProcessMember): number {
  const pid = String(required(child?.pid, 'the member runs'));
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

/** Puts the shards, from a process of its own; returns the sorted durations, ms. */
async function putAll(address: string, count: number, prefix: string): Promise<readonly number[]> {
  const args = [address, prefix, String(count), String(slow.shards), String(slow.valueBytes)];
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../support/put-load.cjs'), ...args]);
  return (JSON.parse(stdout) as number[]).sort((a, b) => a - b);
}

const shardPrefix = (shard: number) => `load/${String(shard)}/`;

const percentile = (sorted: readonly number[], part: number) =>
  required(sorted[Math.floor(sorted.length * part)], 'there are durations');

describe('a member with many watches', () => {
  let cluster: ProcessCluster;
  const streams: EtcdWatchStream[] = [];

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ members: 1 });
  }, 30_000);
  afterAll(async () => {
    for (const stream of streams) stream.close();
    await cluster.stop();
  });

  it('holds little for those that read slowly, loses nothing of theirs, and delays nobody (W9)', async () => {
    const member = required(cluster.members[0], 'there is a member');
    const before = await putAll(member.clientAddress, slow.puts, 'before');
    for (let at = 0; at < idle.streams; at++) streams.push(await idleStream(member.clientAddress));
    const watches: EtcdWatchStream[] = [];
    for (let at = 0; at < slow.watches; at++) watches.push(await slowStream(member.clientAddress, at % slow.shards));
    streams.push(...watches);
    const memoryBefore = memoryOf(member);

    const during = await putAll(member.clientAddress, slow.puts, 'load');
    const memoryGrowth = memoryOf(member) - memoryBefore;
    const shards = await inGroups(watches, (watch, at) => readShard(watch, at % slow.shards));

    const whole = shards.filter(
      ({ events, keys, isOrdered }) => events === keys && keys === eventsPerWatch && isOrdered,
    );
    expect(whole).toHaveLength(slow.watches);
    expect(toldBytes).toBeGreaterThan(450 * 1024 * 1024);
    expect(memoryGrowth).toBeLessThan(slow.watches * maxBytesPerSlowWatch);
    // Parked watches cost nothing; until they are, each put is told to a hundred of them. A busy machine may add a little.
    expect(percentile(during, 0.5)).toBeLessThan(2 * percentile(before, 0.5) + 10);
    expect(percentile(during, 0.99)).toBeLessThan(2 * percentile(before, 0.99) + 25);
  }, 240_000);

  /** Many watches of keys that nobody writes. */
  async function idleStream(address: string): Promise<EtcdWatchStream> {
    const stream = new EtcdWatchStream(address);
    for (let at = 0; at < idle.watchesPerStream; at++) {
      const key = Buffer.from(`idle/${String(at)}/`);
      stream.create({ key, rangeEnd: at % 2 === 0 ? Buffer.alloc(0) : endOfPrefix(String(key)) });
    }
    for (let at = 0; at < idle.watchesPerStream; at++) expect((await stream.next())?.created).toBe(true);
    return stream;
  }

  /** A watch of one shard, whose client reads no more. */
  async function slowStream(address: string, shard: number): Promise<EtcdWatchStream> {
    const stream = new EtcdWatchStream(address);
    const prefix = shardPrefix(shard);
    stream.create({ key: Buffer.from(prefix), rangeEnd: endOfPrefix(prefix) });
    expect((await stream.next())?.created).toBe(true);
    stream.stream.pause();
    return stream;
  }

  /** Reads on until all of the shard came. */
  async function readShard(watch: EtcdWatchStream, shard: number) {
    watch.stream.resume();
    const keys = new Set<string>();
    let events = 0;
    let last = 0n;
    let isOrdered = true;
    while (keys.size < eventsPerWatch) {
      const response = required(await watch.next(), 'the stream goes on');
      for (const { kv } of response.events) {
        const { modRevision, key } = required(kv, 'an event has a key');
        isOrdered &&= modRevision > last && String(key).startsWith(shardPrefix(shard));
        last = modRevision;
        events++;
        keys.add(String(key));
      }
    }
    return { events, keys: keys.size, isOrdered };
  }
});

/** So many clients read at a time: all together keep this process from answering pings. */
async function inGroups<T, R>(items: readonly T[], each: (item: T, at: number) => Promise<R>): Promise<readonly R[]> {
  const size = 50;
  const results: R[] = [];
  for (let first = 0; first < items.length; first += size) {
    const group = items.slice(first, first + size);
    results.push(...(await Promise.all(group.map((item, at) => each(item, first + at)))));
  }
  return results;
}
