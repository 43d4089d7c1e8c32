import { AutoCompaction, type Retention } from '../../../src/kv/auto-compaction';
import { LeaderTasks } from '../../../src/kv/leader-tasks';
import { taskSurroundings } from '../../support/store-tasks';

/** A sixtieth of the time kept: ages are known so exactly. */
const part = 1000;

function bench(retention: Partial<Retention>) {
  const around = taskSurroundings();
  const { time, store, proposer } = around;
  const state: { term: number | undefined } = { term: 5 };
  const task = new AutoCompaction({ ...around.parts, retainMs: 0, retainRevisions: 0, ...retention });
  new LeaderTasks({ scheduler: time, tasks: [task], leadingTerm: () => state.term }).start();
  proposer.answer = (command) => {
    if (command.kind === 'compact') store.compactRevision = command.revision;
    return { kind: 'done', revision: store.revision, changed: true };
  };
  const compactions = (): number[] =>
    proposer.take().flatMap((command) => (command.kind === 'compact' ? [command.revision] : []));
  return { ...around, state, compactions };
}

describe('AutoCompaction by time', () => {
  it('forgets what is older than the time kept, and nothing younger', async () => {
    const { time, store } = bench({ retainMs: 60 * part });
    for (let passed = 0; passed < 180; passed++) {
      store.revision += 10;
      const longAgo = store.revision - 600;
      await time.pass(part);
      expect(store.compactRevision).toBeLessThanOrEqual(Math.max(0, longAgo));
      // Known to one part in sixty.
      if (longAgo > 20) expect(store.compactRevision).toBeGreaterThanOrEqual(longAgo - 20);
    }
  });

  it('knows the ages of revisions from before this member led', async () => {
    const { time, store, state } = bench({ retainMs: 60 * part });
    state.term = undefined;
    await time.pass(30 * part);
    store.revision = 500;
    await time.pass(45 * part);
    store.revision = 900;
    await time.pass(40 * part);
    expect(store.compactRevision).toBe(0);
    state.term = 6;
    await time.pass(part);
    expect(store.compactRevision).toBe(500);
  });

  it('compacts nothing twice', async () => {
    const { time, store, compactions } = bench({ retainMs: 60 * part });
    store.revision = 70;
    await time.pass(600 * part);
    expect(compactions()).toEqual([70]);
  });
});

describe('AutoCompaction by number', () => {
  it('lets some gather, then keeps as many revisions as it should', async () => {
    const { time, store, compactions } = bench({ retainRevisions: 1000 });
    store.revision = 1100;
    await time.pass(part);
    expect(compactions()).toEqual([]);
    store.revision = 1101;
    await time.pass(part);
    expect(compactions()).toEqual([101]);
  });
});

describe('AutoCompaction', () => {
  it('does nothing when it is switched off', async () => {
    const { time, store, compactions } = bench({});
    store.revision = 10_000_000;
    await time.pass(600 * part);
    expect(compactions()).toEqual([]);
  });

  it('has one compaction on its way at a time', async () => {
    const { time, store, proposer } = bench({ retainRevisions: 10 });
    proposer.answer = () => 'pending';
    store.revision = 100;
    await time.pass(part);
    expect(proposer.proposed).toEqual([{ kind: 'compact', revision: 90 }]);
  });
});
