import { deferred, type Deferred } from '../../../src/base/deferred';
import { LogCompaction } from '../../../src/node/log-compaction';
import { defaultNodeOptions } from '../../../src/node/options';
import type { Entry, Event, RaftStatus } from '../../../src/raft';

const limits = { compactLogEntries: 10, compactLogBytes: 1000, trailingLogEntries: 20, trailingLogBytes: 1600 };

/** A compaction whose checkpoint and truncation the test completes. */
class Bench {
  readonly posted: Event[] = [];
  readonly checkpoints: Deferred<number>[] = [];
  readonly truncations: number[] = [];
  neededAfter = Infinity;
  readonly status = { firstIndex: 1 };
  applied = 0;
  readonly compaction: LogCompaction;

  constructor() {
    this.compaction = new LogCompaction({
      options: { ...defaultNodeOptions, ...limits },
      storage: {
        truncatePrefix: (index) => {
          this.truncations.push(index);
          return Promise.resolve();
        },
      },
      stateMachine: {
        checkpoint: () => {
          const done = deferred<number>();
          this.checkpoints.push(done);
          return done.promise;
        },
      },
      driver: {
        appliedIndex: 0,
        status: this.status as RaftStatus,
        post: (event) => {
          this.posted.push(event);
          if (event.kind === 'prefix-removed') this.status.firstIndex = event.index + 1;
        },
        whenDone: (work, goOn) => {
          void work.then(goOn);
        },
      },
      sender: this,
    });
  }

  apply(count: number, bytes = 10): void {
    for (let left = count; left > 0; left--) {
      const entry: Entry = { index: ++this.applied, term: 1, kind: 'command', payload: new Uint8Array(bytes) };
      this.compaction.onEntryApplied(entry);
    }
    this.compaction.cutIfDue();
  }

  async checkpoint(durableIndex: number): Promise<void> {
    this.checkpoints.shift()?.resolve(durableIndex);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Log compaction', () => {
  it('keeps the trailing window, and cuts only when much can go', async () => {
    const bench = new Bench();
    bench.apply(29);
    expect(bench.checkpoints).toHaveLength(0);
    bench.apply(1);
    await bench.checkpoint(30);
    expect(bench.posted).toEqual([{ kind: 'prefix-removed', index: 10 }]);
    expect(bench.truncations).toEqual([10]);
  });

  it('tells the core before the storage removes anything', async () => {
    const bench = new Bench();
    const order: string[] = [];
    bench.posted.push = (...events) => order.push(...events.map(({ kind }) => kind));
    bench.truncations.push = (index) => order.push(`truncate ${index}`);
    bench.apply(30);
    await bench.checkpoint(30);
    expect(order).toEqual(['prefix-removed', 'truncate 10']);
  });

  it('never cuts beyond what is durable in the state (N4)', async () => {
    const bench = new Bench();
    bench.apply(40);
    await bench.checkpoint(7);
    expect(bench.truncations).toEqual([7]);
  });

  it('cuts nothing when the state is older than the log', async () => {
    const bench = new Bench();
    bench.status.firstIndex = 8;
    bench.apply(40);
    await bench.checkpoint(7);
    expect(bench.truncations).toEqual([]);
    bench.apply(1);
    expect(bench.checkpoints).toHaveLength(1);
  });

  it('keeps what the receiver of a snapshot will need', async () => {
    const bench = new Bench();
    bench.neededAfter = 4;
    bench.apply(60);
    expect(bench.checkpoints).toHaveLength(0);
    bench.neededAfter = 14;
    bench.apply(1);
    await bench.checkpoint(61);
    expect(bench.truncations).toEqual([14]);
  });

  it('also cuts by bytes, with a window of bytes', async () => {
    const bench = new Bench();
    // 1600 bytes of window are 4 entries of 400; 1000 bytes that can go are 3 more.
    bench.apply(6, 400);
    expect(bench.checkpoints).toHaveLength(0);
    bench.apply(1, 400);
    await bench.checkpoint(7);
    expect(bench.truncations).toEqual([3]);
  });

  it('does one cut at a time', async () => {
    const bench = new Bench();
    bench.apply(40);
    bench.apply(40);
    expect(bench.checkpoints).toHaveLength(1);
    await bench.checkpoint(80);
    expect(bench.truncations).toEqual([60]);
    bench.apply(20);
    expect(bench.checkpoints).toHaveLength(1);
  });

  it('begins anew after a snapshot took the place of the log', async () => {
    const bench = new Bench();
    bench.compaction.onInstalled(1000);
    bench.status.firstIndex = 1001;
    bench.applied = 1000;
    bench.apply(29);
    expect(bench.checkpoints).toHaveLength(0);
    bench.apply(1);
    await bench.checkpoint(1030);
    expect(bench.truncations).toEqual([1010]);
  });
});
