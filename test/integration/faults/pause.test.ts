/** SIGSTOP of the leader: a new one takes over; the old one, continued, answers nothing stale and loses nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { required } from '../../../src/base/assert';
import { QuorateError } from '../../../src/client';
import { eventually, ProcessCluster, type ProcessMember } from '../../support/process-cluster';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

/** What every reader, and the writer of the register, must have done more than. */
const least = { reads: 20, writes: 50 } as const;

/** What a reader has seen. */
interface Found {
  readonly stale: string[];
  reads: number;
}

interface ReaderParts {
  readonly member: ProcessMember;
  readonly found: Found;
  /** The newest value that was acknowledged. */
  readonly newest: { readonly value: number };
  readonly isOver: () => boolean;
}

describe('SIGSTOP of the leader for 5 s', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);
  afterEach(() => cluster.stop());

  /** Reads through one member as fast as it can; the register only grows, so a smaller value than known is stale. */
  async function watchForStaleReads({ member, found, newest, isOver }: ReaderParts): Promise<void> {
    const client = cluster.client([member], 1000);
    while (!isOver()) {
      const atLeast = newest.value;
      try {
        const { kv } = await client.get('register');
        found.reads++;
        if (Number(kv?.value ?? 0) < atLeast) found.stale.push(`${String(kv?.value)} after ${String(atLeast)}`);
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        // A member without a leader may fail at once; do not spin.
        await sleep(10);
      }
    }
  }

  it('gives no stale linearizable read and loses no write', async () => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    const newest = { value: 0 };
    const run = { isOver: false };
    const writers = new SteadyWriters('steady', [cluster.client(others), cluster.client(others)]);
    const register = cluster.client(others);
    const counting = (async () => {
      for (let value = 1; !run.isOver; value++) {
        await register.put('register', String(value)).then(
          () => (newest.value = value),
          () => undefined,
        );
      }
    })();
    const found = cluster.members.map((): Found => ({ stale: [], reads: 0 }));
    const readers = cluster.members.map((member, at) =>
      watchForStaleReads({ member, newest, found: required(found[at], 'of each'), isOver: () => run.isOver }),
    );

    await sleep(1000);
    cluster.signal(leader, 'SIGSTOP');
    await sleep(5000);
    const successor = await cluster.leader(others);
    const { term } = (await cluster.status(successor)) ?? { term: 0 };
    cluster.signal(leader, 'SIGCONT');
    await sleep(2000);
    // A slow machine is given the time it needs for as many as prove something.
    await eventually(20_000, 'enough reads and writes', async () => {
      return found.every(({ reads }) => reads > least.reads) && newest.value > least.writes ? true : undefined;
    });
    run.isOver = true;
    await Promise.all([counting, ...readers]);
    const account = await writers.stop();

    for (const { stale, reads } of found) {
      expect(stale).toEqual([]);
      expect(reads).toBeGreaterThan(least.reads);
    }
    expect(newest.value).toBeGreaterThan(least.writes);
    // The old one, returning, causes no further election (thesis §9.6).
    expect((await cluster.status(successor))?.term).toBe(term);
    expect(await cluster.leader()).toBe(successor);
    await cluster.converged();
    for (const member of cluster.members) {
      expect(contradictions(account, await cluster.contents(member))).toEqual([]);
    }
  }, 60_000);
});
