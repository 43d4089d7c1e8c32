/** A member with a thousand watches that read nothing and ten thousand that have nothing to read: bounded, and complete. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { assert, required } from '../../src/base/assert';
import { ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { residentBytes } from '../support/processes';

/** Each slow watch is told of one shard of the keys, and reads nothing while all of it is written. */
const slow = { watches: 1000, shards: 10, puts: 5000, valueBytes: 1000, prefix: 'load' } as const;
const idle = { streams: 10, watchesPerStream: 1000 } as const;

/** What a watch that reads nothing may cost: the messages on its way, its connection, and what the heap leaves unused. */
const maxBytesPerSlowWatch = 150 * 1024;

/** What all the slow watches are told; half a gigabyte if the member held it for them. */
const toldBytes = (slow.watches * slow.puts * slow.valueBytes) / slow.shards;

/** Resident memory of a member, bytes. */
function memoryOf({ process: child }: ProcessMember): number {
  return residentBytes(required(child?.pid, 'the member runs'));
}

/** The most memory of a member, read every half second until it has not grown for two: what may be on its way then is. */
async function settledMemoryOf(member: ProcessMember): Promise<number> {
  let most = memoryOf(member);
  for (let quietReads = 0; quietReads < 4; quietReads++) {
    await sleep(500);
    const now = memoryOf(member);
    if (now <= most + 1024 * 1024) continue;
    most = now;
    quietReads = 0;
  }
  return most;
}

/** Puts the shards into members that take turns, from a process of its own; returns the sorted durations of each, ms. */
async function putAll(members: readonly ProcessMember[]): Promise<readonly (readonly number[])[]> {
  const addresses = members.map(({ clientAddress }) => clientAddress).join(',');
  const args = [addresses, slow.prefix, ...[slow.puts, slow.shards, slow.valueBytes].map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../support/put-load.cjs'), ...args]);
  return (JSON.parse(stdout) as number[][]).map((taken) => taken.sort((a, b) => a - b));
}

const percentile = (sorted: readonly number[], part: number) =>
  required(sorted[Math.floor(sorted.length * part)], 'there are durations');

const firstOf = ({ members }: ProcessCluster) => required(members[0], 'there is a member');

describe('a member with many watches', () => {
  let watched: ProcessCluster;
  let unwatched: ProcessCluster;
  let watchers: ChildProcess | undefined;

  beforeAll(async () => {
    watched = await ProcessCluster.start({ members: 1 });
    unwatched = await ProcessCluster.start({ members: 1 });
  }, 60_000);
  afterAll(async () => {
    watchers?.kill('SIGKILL');
    await Promise.all([watched.stop(), unwatched.stop()]);
  });

  it('holds little for those that read slowly, loses nothing of theirs, and delays nobody (W9)', async () => {
    const members = [firstOf(watched), firstOf(unwatched)];
    const program = join(__dirname, '../support/watchers.cjs');
    watchers = fork(program, [firstOf(watched).clientAddress, JSON.stringify({ slow, idle })], { stdio: 'inherit' });
    expect(await once(watchers, 'message')).toEqual(['watching', undefined]);
    const memoryBefore = members.map(memoryOf);

    watchers.kill('SIGSTOP');
    const taken = await putAll(members);
    const memoryAfter = await Promise.all(members.map(settledMemoryOf));
    const grown = memoryAfter.map((bytes, at) => bytes - required(memoryBefore[at], 'it was measured'));
    watchers.kill('SIGCONT');
    watchers.send('read');

    expect(await once(watchers, 'message')).toEqual([{ whole: slow.watches }, undefined]);
    expect(toldBytes).toBeGreaterThan(450 * 1024 * 1024);
    const [withWatches, without] = members.map((_, at) => ({ grown: grown[at] ?? NaN, taken: taken[at] ?? [] }));
    assert(withWatches !== undefined && without !== undefined, 'both were measured');
    expect(withWatches.grown - without.grown).toBeLessThan(slow.watches * maxBytesPerSlowWatch);
    // Parked watches cost nothing; until they are, each put is told to a hundred of them. A busy machine may add a little.
    for (const part of [0.5, 0.99]) {
      expect(percentile(withWatches.taken, part)).toBeLessThan(2 * percentile(without.taken, part) + 10);
    }
  }, 240_000);
});
