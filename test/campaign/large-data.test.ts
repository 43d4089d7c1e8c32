/** A data set ten times larger than a member's heap may grow: values are in SQLite, not in memory. */
import { ProcessCluster } from '../support/process-cluster';

/**
 * The limit of V8's heap for each member, MiB. `LARGE_DATA_HEAP_MIB` for a larger campaign: the data grow with it. Below 64 a
 * member works, but for seconds on end V8 does little else than to collect what its start has left: 54 MiB.
 */
const heapMiB = Number(process.env.LARGE_DATA_HEAP_MIB ?? 64);
const valueBytes = 128 * 1024;
const keys = (10 * heapMiB * 2 ** 20) / valueBytes;
const writersAtOnce = 8;
const shortLog = ['--compact-log-bytes', String(16 * 2 ** 20), '--trailing-log-bytes', String(8 * 2 ** 20)];
const withinMs = 120_000 + heapMiB * 2_500;

const keyOf = (number: number) => `large/${String(number).padStart(6, '0')}`;
const valueOf = (number: number) => Buffer.alloc(valueBytes, `${String(number)} `);

async function write(cluster: ProcessCluster, first: number, last: number): Promise<void> {
  const client = cluster.client([await cluster.leader()], 20_000);
  let next = first;
  const writer = async (): Promise<void> => {
    for (let number = next++; number < last; number = next++) await client.put(keyOf(number), valueOf(number));
  };
  await Promise.all(Array.from({ length: writersAtOnce }, writer));
}

describe('Data ten times larger than the heap', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    const env = { NODE_OPTIONS: `--max-old-space-size=${String(heapMiB)}` };
    cluster = await ProcessCluster.start({ args: shortLog, env });
  }, 30_000);
  afterEach(() => cluster.stop());

  it(
    'is taken, read back, started with and caught up with',
    async () => {
      const leader = await cluster.leader();
      const [absent, other] = cluster.members.filter((member) => member !== leader);
      if (absent === undefined || other === undefined) throw new Error('there are three members');
      const startedAt = Date.now();
      await write(cluster, 0, keys / 2);
      await cluster.end(absent, 'SIGKILL');
      await write(cluster, keys / 2, keys);
      const writtenMs = Date.now() - startedAt;

      // The log no longer holds what it lacks: the whole state comes, through a heap that could not hold it.
      const caughtUp = await timeOf(async () => {
        cluster.startMember(absent);
        await cluster.converged(withinMs);
      });
      await cluster.end(other, 'SIGKILL');
      const started = await timeOf(async () => {
        cluster.startMember(other);
        await cluster.converged(withinMs);
      });

      for (const member of cluster.members) {
        const client = cluster.client([member], 20_000);
        for (let number = 0; number < keys; number += 97) {
          const { kv } = await client.get(keyOf(number));
          expect(Buffer.compare(Buffer.from(kv?.value ?? ''), valueOf(number))).toBe(0);
        }
        const status = await cluster.status(member);
        expect(status?.stateDatabaseBytes).toBeGreaterThan(10 * heapMiB * 2 ** 20);
      }
      console.log(
        `${String(10 * heapMiB)} MiB of values, heaps of ${String(heapMiB)} MiB: written in ${String(writtenMs)} ms, ` +
          `start ${String(started)} ms, catching up by snapshot ${String(caughtUp)} ms`,
      );
    },
    withinMs + 60_000,
  );
});

async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = Date.now();
  await work();
  return Date.now() - startedAt;
}
