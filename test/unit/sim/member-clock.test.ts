import { Agenda } from '../../../src/sim/world/agenda';
import { MemberClock } from '../../../src/sim/world/member-clock';

function build(rate: number) {
  const agenda = new Agenda();
  const clock = new MemberClock(agenda, {
    rate,
    offsetMs: 1000,
    turnMs: () => 0,
    admit: (_, run) => {
      run();
    },
  });
  const runTo = (until: number) => {
    while (agenda.runNext(until));
  };
  return { agenda, clock, runTo };
}

describe("A member's clock", () => {
  it.each([0.9, 1, 1.1])('runs at its own rate (%d), and its timers with it', (rate) => {
    const { agenda, clock, runTo } = build(rate);
    const firedAt: number[] = [];
    clock.after(100, () => firedAt.push(clock.now()));
    runTo(200);
    expect(clock.now()).toBeCloseTo(1000 + 200 * rate);
    expect(firedAt[0]).toBeGreaterThanOrEqual(1100);
    expect(firedAt[0]).toBeCloseTo(1100, 1);
    expect(agenda.now).toBe(200);
  });

  it('fires at once what a jump made due, and the rest as much earlier', () => {
    const { clock, runTo } = build(1);
    const fired: string[] = [];
    clock.after(100, () => fired.push('soon'));
    clock.after(1000, () => fired.push('late'));
    clock.jump(500);
    runTo(1);
    expect(fired).toEqual(['soon']);
    runTo(499);
    expect(fired).toEqual(['soon']);
    runTo(501);
    expect(fired).toEqual(['soon', 'late']);
  });

  it('does nothing more once its process has ended', () => {
    const { clock, runTo } = build(1);
    const fired: string[] = [];
    clock.after(1, () => fired.push('timer'));
    clock.atEndOfTurn(() => fired.push('turn'));
    clock.halt();
    runTo(100);
    expect(fired).toEqual([]);
  });

  it('does not fire a timer that was cancelled', () => {
    const { clock, runTo } = build(1);
    const fired: string[] = [];
    const timer = clock.after(1, () => fired.push('timer'));
    timer.cancel();
    runTo(100);
    expect(fired).toEqual([]);
  });
});
