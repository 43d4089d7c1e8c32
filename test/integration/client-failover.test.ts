/** The client on a cluster of real processes whose members are killed while it works. */
import { QuorateError, op, when, type QuorateClient } from '../../src/client';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';

let cluster: ProcessCluster;

beforeEach(async () => {
  cluster = await ProcessCluster.start();
});

afterEach(async () => {
  await cluster.stop();
});

/** What must be done between two kills, so that each of them meets a cluster at work. */
const workPerKill = 25;

/**
 * Kills the leader and starts it again, so many times, each time after more work was done.
 *
 * @param done counts the work
 */
async function killLeaders(times: number, done: () => number): Promise<number> {
  let killed = 0;
  for (; killed < times; killed++) {
    await doneMore(done);
    const leader = await cluster.leader(running());
    await cluster.end(leader, 'SIGKILL');
    await cluster.leader(running());
    cluster.startMember(leader);
  }
  await doneMore(done);
  return killed;
}

async function doneMore(done: () => number): Promise<void> {
  const goal = done() + workPerKill;
  await eventually(30_000, `work up to ${String(goal)}`, async () => (done() >= goal ? true : undefined));
}

function running(): readonly ProcessMember[] {
  return cluster.members.filter((member) => member.process !== undefined);
}

/** Adds one to a counter by comparing and setting. Every addition that is answered counts once, and no other does. */
async function increment(client: QuorateClient, key: string): Promise<void> {
  for (;;) {
    const { kv } = await client.get(key, { timeoutMs: 30_000 });
    const next = String(Number(kv?.value ?? 0) + 1);
    const condition = kv === undefined ? when.absent(key) : when.modRevision(key, '=', kv.modRevision);
    const answer = await client.txn().if(condition).do(op.put(key, next)).commit({ timeoutMs: 30_000 });
    if (answer.succeeded) return;
  }
}

describe('a client of a cluster whose leaders are killed', () => {
  it('does each change exactly once, however often it was sent', async () => {
    const clients = [0, 1, 2, 3].map((turn) =>
      cluster.client([...cluster.members.slice(turn % 3), ...cluster.members]),
    );
    const state = { stopped: false };
    let added = 0;
    const work = clients.map(async (client) => {
      while (!state.stopped) {
        await increment(client, 'counter');
        added++;
      }
    });
    const killed = await killLeaders(3, () => added);
    state.stopped = true;
    await Promise.all(work);
    const { kv } = await cluster.client().get('counter', { timeoutMs: 30_000 });
    expect(killed).toBe(3);
    expect(added).toBeGreaterThan(50);
    expect(kv).toMatchObject({ value: String(added), version: added });
  });

  it('keeps a write stream exact and in order for each key', async () => {
    const client = cluster.client();
    const writes = client.writeStream();
    const state = { stopped: false };
    let given = 0;
    let answered = 0;
    const failures: unknown[] = [];
    const work = (async () => {
      while (!state.stopped) {
        await writes.ready();
        const number = given++;
        writes.put(`k${String(number % 50)}`, String(number)).then(
          () => answered++,
          (error: unknown) => failures.push(error),
        );
      }
      await writes.close();
    })();
    await killLeaders(2, () => answered);
    state.stopped = true;
    await work;
    expect(failures).toEqual([]);
    expect(given).toBeGreaterThan(200);
    const versions: number[] = [];
    for await (const { kvs } of client.list()) {
      for (const { key, value, version } of kvs) {
        const place = Number(key.slice(1));
        const puts = Math.ceil((given - place) / 50);
        // The last one given is the one that is there, and each was done once.
        expect([key, value, version]).toEqual([key, String(place + 50 * (puts - 1)), puts]);
        versions.push(version);
      }
    }
    expect(versions.reduce((sum, version) => sum + version, 0)).toBe(given);
  });

  it('loses no event of a watch and sees none twice', async () => {
    const watch = await cluster.client().watch({ kind: 'prefix', prefix: 'w/' });
    const seen: [revision: number, key: string][] = [];
    const reading = (async () => {
      for await (const message of watch) {
        if (message.kind !== 'events') continue;
        for (const { kv } of message.events) seen.push([kv.modRevision, kv.key]);
        if (message.events.some(({ kv }) => kv.key === 'w/end')) return;
      }
    })();
    const writer = cluster.client();
    const written: [revision: number, key: string][] = [];
    const state = { stopped: false };
    const writing = (async () => {
      for (let number = 0; !state.stopped; number++) {
        const key = `w/${String(number)}`;
        written.push([(await writer.put(key, '', { timeoutMs: 30_000 })).revision, key]);
      }
      written.push([(await writer.put('w/end', '', { timeoutMs: 30_000 })).revision, 'w/end']);
    })();
    await killLeaders(3, () => written.length);
    state.stopped = true;
    await writing;
    await reading;
    expect(written.length).toBeGreaterThan(50);
    expect(seen).toEqual(written);
  });

  it('tells of a change without a request id that its outcome is unknown, and does not repeat it', async () => {
    const leader = await cluster.leader();
    const followers = cluster.members.filter((member) => member !== leader);
    await cluster.client([leader]).put('a', '1');
    // Without a quorum the leader takes the change into its log and cannot answer.
    for (const follower of followers) cluster.signal(follower, 'SIGSTOP');
    const put = cluster.client([leader]).put('a', '2', { requestId: false, timeoutMs: 1_500 });
    const error = await put.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    for (const follower of followers) cluster.signal(follower, 'SIGCONT');
    expect(error).toBeInstanceOf(QuorateError);
    expect(error).toMatchObject({ outcome: 'unknown' });
  });
});
