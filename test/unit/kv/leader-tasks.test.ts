import { LeaderTasks, roundIntervalMs } from '../../../src/kv/leader-tasks';
import { VirtualTime } from '../../support/virtual-time';

function bench() {
  const time = new VirtualTime();
  const said: string[] = [];
  const state: { term: number | undefined } = { term: undefined };
  const task = {
    look: () => said.push('look'),
    begin: (term: number) => said.push(`begin ${term}`),
    lead: (term: number) => said.push(`lead ${term}`),
  };
  const tasks = new LeaderTasks({ scheduler: time, tasks: [task], leadingTerm: () => state.term });
  tasks.start();
  return { time, said, state, tasks };
}

describe('LeaderTasks', () => {
  it('only look while this member does not lead', async () => {
    const { time, said } = bench();
    await time.pass(2 * roundIntervalMs);
    expect(said).toEqual(['look', 'look']);
  });

  it('begin once in each term', async () => {
    const { time, said, state } = bench();
    state.term = 3;
    await time.pass(2 * roundIntervalMs);
    state.term = 4;
    await time.pass(roundIntervalMs);
    expect(said).toEqual(['look', 'begin 3', 'lead 3', 'look', 'lead 3', 'look', 'begin 4', 'lead 4']);
  });

  it('do nothing after they were stopped', async () => {
    const { time, said, tasks } = bench();
    tasks.stop();
    await time.pass(10 * roundIntervalMs);
    expect(said).toEqual([]);
  });
});
