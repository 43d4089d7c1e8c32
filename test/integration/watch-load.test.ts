/** A member with a thousand watches that read nothing and ten thousand that have nothing to read: bounded, and complete. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, required } from '../../src/base/assert';
import { wordOf } from '../support/child-words';
import { ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { residentBytes } from '../support/processes';

/** Each slow watch is told of one shard of the keys, and reads nothing while all of it is written. */
const slow = { watches: 1000, shards: 10, puts: 5000, valueBytes: 1000, prefix: 'load' } as const;
const idle = { streams: 10, watchesPerStream: 1000 } as const;

/** What a watch that reads nothing may cost: the messages on its way, its connection, and what the heap leaves unused. */
const maxBytesPerSlowWatch = 150 * 1024;

/** What all the slow watches are told; half a gigabyte if the member held it for them. */
const toldBytes = (slow.watches * slow.puts * slow.valueBytes) / slow.shards;

/** The member takes a client that answers no ping for 40 s for gone. */
const breathEveryMs = 5000;
const blockPuts = 250;

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

/** How long each put of a block took, for each member; milliseconds. */
type Block = readonly (readonly number[])[];

/** Has a process of its own put the shards, block by block, into members that take turns. */
async function putAll(load: ChildProcess, under: string, afterBlock: () => Promise<void>): Promise<Block[]> {
  const blocks: Block[] = [];
  for (let first = 0; first < slow.puts; first += blockPuts) {
    load.send({ under, first, end: first + blockPuts });
    blocks.push(await wordOf<Block>(load));
    await afterBlock();
  }
  return blocks;
}

/** Lets stopped watchers go on for a moment when it is time to, so that they answer pings. */
function breathing(watchers: ChildProcess): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < breathEveryMs) return;
    watchers.kill('SIGCONT');
    watchers.send('breathe');
    expect(await wordOf(watchers)).toBe('breathed');
    watchers.kill('SIGSTOP');
    last = performance.now();
  };
}

function percentile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return required(sorted[Math.floor(sorted.length * part)], 'there are numbers');
}

/**
 * What a member's puts usually took: the median over the blocks of their percentile. A disk that stalls beside other tests
 * spoils the blocks it meets, of either member; what watches cost is in all of them.
 */
const usual = (blocks: readonly Block[], member: number, part: number) =>
  percentile(
    blocks.map((block) => percentile(required(block[member], 'each member took its block'), part)),
    0.5,
  );

const firstOf = ({ members }: ProcessCluster) => required(members[0], 'there is a member');

describe('a member with many watches', () => {
  let watched: ProcessCluster;
  let unwatched: ProcessCluster;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    watched = await ProcessCluster.start({ members: 1 });
    unwatched = await ProcessCluster.start({ members: 1 });
  }, 60_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([watched.stop(), unwatched.stop()]);
  });

  const child = (program: string, ...args: readonly string[]) => {
    const started = fork(join(__dirname, '../support', program), args, { stdio: 'inherit' });
    children.push(started);
    return started;
  };

  it('holds little for those that read slowly, loses nothing of theirs, and delays nobody (W9)', async () => {
    const members = [firstOf(watched), firstOf(unwatched)];
    const watchers = child('watchers.cjs', firstOf(watched).clientAddress, JSON.stringify({ slow, idle }));
    const addresses = members.map(({ clientAddress }) => clientAddress).join(',');
    const load = child('put-load.cjs', addresses, String(slow.shards), String(slow.valueBytes));
    expect(await wordOf(watchers)).toBe('watching');
    // A process that has just started is slow by itself.
    await putAll(load, 'warm', () => Promise.resolve());
    const memoryBefore = members.map(memoryOf);

    watchers.kill('SIGSTOP');
    const blocks = await putAll(load, slow.prefix, breathing(watchers));
    const memoryAfter = await Promise.all(members.map(settledMemoryOf));
    const grown = memoryAfter.map((bytes, at) => bytes - required(memoryBefore[at], 'it was measured'));
    watchers.kill('SIGCONT');
    watchers.send('read');

    expect(await wordOf(watchers)).toEqual({ whole: slow.watches });
    expect(toldBytes).toBeGreaterThan(450 * 1024 * 1024);
    const [withWatches, without] = grown;
    assert(withWatches !== undefined && without !== undefined, 'both were measured');
    expect(withWatches - without).toBeLessThan(slow.watches * maxBytesPerSlowWatch);
    expect(blocks).toHaveLength(slow.puts / blockPuts);
    // Parked watches cost nothing; until they are, each put is told to a hundred of them. A busy machine may add a little.
    for (const part of [0.5, 0.99]) {
      expect(usual(blocks, 0, part)).toBeLessThan(2 * usual(blocks, 1, part) + 10);
    }
  }, 180_000);
});
