import type { AlarmCommand } from '../../../src/kv/command';
import { LeaderTasks } from '../../../src/kv/leader-tasks';
import { QuotaGuard } from '../../../src/kv/quota-guard';
import { taskSurroundings } from '../../support/store-tasks';

const quotaBytes = 1_000_000;

function bench() {
  const around = taskSurroundings();
  const { time, store, proposer } = around;
  store.quotaBytes = quotaBytes;
  const task = new QuotaGuard(around.parts);
  new LeaderTasks({ scheduler: time, tasks: [task], leadingTerm: () => 5 }).start();
  proposer.answer = (command) => {
    if (command.kind !== 'alarm') throw new Error('only alarms are expected');
    const { alarm, memberId } = command;
    store.alarms = command.action === 'raise' ? [{ alarm, memberId }] : [];
    return { kind: 'done', revision: 1, changed: true };
  };
  const actions = (): AlarmCommand['action'][] =>
    proposer.take().flatMap((command) => (command.kind === 'alarm' ? [command.action] : []));
  return { ...around, actions };
}

describe('QuotaGuard', () => {
  it('raises the alarm before the quota is reached, once', async () => {
    const { time, store, proposer } = bench();
    store.bytesInUse = 940_000;
    await time.pass(1000);
    expect(proposer.take()).toEqual([]);
    store.bytesInUse = 950_000;
    await time.pass(1000);
    expect(proposer.take()).toEqual([{ kind: 'alarm', action: 'raise', alarm: 'quota', memberId: 0n }]);
  });

  it('raises it earlier when the store grows fast', async () => {
    const { time, store, actions } = bench();
    store.bytesInUse = 850_000;
    await time.pass(200);
    store.bytesInUse = 930_000;
    await time.pass(1000);
    expect(actions()).toEqual(['raise']);
  });

  it('clears it by itself when space is back, also one that another leader raised', async () => {
    const { time, store, proposer } = bench();
    store.alarms = [{ alarm: 'quota', memberId: 0n }];
    store.bytesInUse = 920_000;
    await time.pass(1000);
    expect(proposer.take()).toEqual([]);
    store.bytesInUse = 899_999;
    await time.pass(1000);
    expect(proposer.take()).toEqual([{ kind: 'alarm', action: 'clear', alarm: 'quota', memberId: 0n }]);
  });

  it('clears it when there is no quota any more', async () => {
    const { time, store, actions } = bench();
    store.bytesInUse = 2 * quotaBytes;
    await time.pass(1000);
    store.quotaBytes = 0;
    await time.pass(1000);
    expect(actions()).toEqual(['raise', 'clear']);
  });

  it('leaves alone what an operator raised about any member or none, and other alarms', async () => {
    const { time, store, actions } = bench();
    store.alarms = [
      { alarm: 'no-space', memberId: 0n },
      { alarm: 'no-space', memberId: 3n },
      { alarm: 'corrupt', memberId: 0n },
    ];
    await time.pass(1000);
    expect(actions()).toEqual([]);
    store.bytesInUse = 950_000;
    await time.pass(1000);
    expect(actions()).toEqual(['raise']);
  });

  it('does not take the size it finds when it begins for growth', async () => {
    const { time, store, actions } = bench();
    store.bytesInUse = 800_000;
    await time.pass(2000);
    expect(actions()).toEqual([]);
  });
});
