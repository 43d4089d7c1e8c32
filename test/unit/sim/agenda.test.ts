import { seededRng } from '../../../src/base/rng';
import { Agenda } from '../../../src/sim/world/agenda';

function runAll(agenda: Agenda): void {
  while (agenda.runNext(1_000_000));
}

describe('The agenda', () => {
  it('lets events happen in the order of their times, and those of one instant in the order of planning', () => {
    const agenda = new Agenda();
    const happened: string[] = [];
    const rng = seededRng(1);
    const planned = Array.from({ length: 500 }, (_, order) => ({ at: rng.nextUint32() % 50, order }));
    for (const { at, order } of planned) agenda.at(at, () => happened.push(`${at}/${order}`));
    runAll(agenda);
    const sorted = [...planned].sort((a, b) => a.at - b.at || a.order - b.order);
    expect(happened).toEqual(sorted.map(({ at, order }) => `${at}/${order}`));
  });

  it('moves time to the event, and to the end when there is none', () => {
    const agenda = new Agenda();
    agenda.after(10, () => agenda.after(5, () => undefined));
    expect(agenda.runNext(100)).toBe(true);
    expect(agenda.now).toBe(10);
    expect(agenda.runNext(12)).toBe(false);
    expect(agenda.now).toBe(12);
    expect(agenda.runNext(100)).toBe(true);
    expect(agenda.now).toBe(15);
  });

  it('forgets what is called off', () => {
    const agenda = new Agenda();
    const happened: string[] = [];
    const first = agenda.after(1, () => happened.push('first'));
    agenda.after(2, () => happened.push('second'));
    first.run = undefined;
    runAll(agenda);
    expect(happened).toEqual(['second']);
  });

  it('never goes back', () => {
    const agenda = new Agenda();
    agenda.runNext(50);
    const times: number[] = [];
    agenda.at(10, () => times.push(agenda.now));
    runAll(agenda);
    expect(times).toEqual([50]);
  });
});
