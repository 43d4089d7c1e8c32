/** A member with a thousand watches that read nothing and ten thousand that have nothing to read: bounded, and complete. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { required } from '../../src/base/assert';
import { ProcessCluster, type ProcessMember } from '../support/process-cluster';

/** Each slow watch is told of one shard of the keys, and reads nothing while all of it is written. */
const slow = { watches: 1000, shards: 10, puts: 5000, valueBytes: 1000, prefix: 'load' } as const;
const idle = { streams: 10, watchesPerStream: 1000 } as const;

/** What a watch that reads nothing may cost: the messages on its way, its connection, and what the heap leaves unused. */
const maxBytesPerSlowWatch = 200 * 1024;

/** What all the slow watches are told; half a gigabyte if the member held it for them. */
const toldBytes = (slow.watches * slow.puts * slow.valueBytes) / slow.shards;

/** Resident memory of a member, bytes. */
function memoryOf({ process: child }: ProcessMember): number {
  const pid = String(required(child?.pid, 'the member runs'));
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

/** Puts the shards, from a process of its own; returns the sorted durations, ms. */
async function putAll(address: string, prefix: string): Promise<readonly number[]> {
  const args = [address, prefix, ...[slow.puts, slow.shards, slow.valueBytes].map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../support/put-load.cjs'), ...args]);
  return (JSON.parse(stdout) as number[]).sort((a, b) => a - b);
}

const percentile = (sorted: readonly number[], part: number) =>
  required(sorted[Math.floor(sorted.length * part)], 'there are durations');

describe('a member with many watches', () => {
  let cluster: ProcessCluster;
  let watchers: ChildProcess | undefined;

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ members: 1 });
  }, 30_000);
  afterAll(async () => {
    watchers?.kill('SIGKILL');
    await cluster.stop();
  });

  it('holds little for those that read slowly, loses nothing of theirs, and delays nobody (W9)', async () => {
    const member = required(cluster.members[0], 'there is a member');
    const before = await putAll(member.clientAddress, 'before');
    const program = join(__dirname, '../support/watchers.cjs');
    watchers = fork(program, [member.clientAddress, JSON.stringify({ slow, idle })], { stdio: 'inherit' });
    expect(await once(watchers, 'message')).toEqual(['watching', undefined]);
    const memoryBefore = memoryOf(member);

    watchers.kill('SIGSTOP');
    const during = await putAll(member.clientAddress, slow.prefix);
    const memoryGrowth = memoryOf(member) - memoryBefore;
    watchers.kill('SIGCONT');
    watchers.send('read');

    expect(await once(watchers, 'message')).toEqual([{ whole: slow.watches }, undefined]);
    expect(toldBytes).toBeGreaterThan(450 * 1024 * 1024);
    expect(memoryGrowth).toBeLessThan(slow.watches * maxBytesPerSlowWatch);
    // Parked watches cost nothing; until they are, each put is told to a hundred of them. A busy machine may add a little.
    for (const part of [0.5, 0.99]) expect(percentile(during, part)).toBeLessThan(2 * percentile(before, part) + 10);
  }, 240_000);
});
