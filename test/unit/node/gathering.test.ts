/** When proposals wait for each other, and when not. */
import { Gathering, type Gathered } from '../../../src/node/gathering';
import { FakeTime } from '../../support/fake-time';

const maxMs = 2;
let time: FakeTime;
let turns: number;
let gathering: Gathering;

const make = (most = maxMs): Gathering => new Gathering({ scheduler: time, maxMs: most, scheduleTurn: () => turns++ });
beforeEach(() => {
  time = new FakeTime();
  turns = 0;
  gathering = make();
});

/** Asks as a turn does in which so many wait. */
const isDue = (queued: number, more: Partial<Gathered> = {}): boolean =>
  gathering.isDue({ queued, isFull: false, underWay: 0, ...more });

/** Sixteen callers have come together. */
const sixteenCame = (): void => {
  expect(isDue(16)).toBe(true);
};

describe('A proposal', () => {
  it('that is alone, as those before it were, never waits', () => {
    for (let round = 0; round < 5; round++) expect(isDue(1)).toBe(true);
    expect([gathering.takesTurn(), time.timers]).toEqual([false, 0]);
  });

  it('waits while every turn brings more, until nearly all have come that came before', () => {
    sixteenCame();
    for (const queued of [1, 3, 4, 8, 12]) {
      expect(isDue(queued)).toBe(false);
      expect(gathering.takesTurn()).toBe(true);
    }
    expect(isDue(13)).toBe(true);
    expect(gathering.takesTurn()).toBe(false);
  });

  it('waits no longer when four turns have brought nobody', () => {
    sixteenCame();
    expect(isDue(5)).toBe(false);
    for (let turn = 1; turn < 4; turn++) expect(isDue(5)).toBe(false);
    expect(isDue(5)).toBe(true);
  });

  it('expects fewer from time to time when fewer come', () => {
    sixteenCame();
    let turnsWaited = 0;
    for (let round = 0; round < 40; round++) while (!isDue(1)) turnsWaited++;
    // 16 times 0.9 for each round falls below 1.25 after 25 of them, each of which waits for four turns.
    expect(turnsWaited).toBe(25 * 4);
    expect(isDue(1)).toBe(true);
  });

  it('asks for a turn once for each time that it waits', () => {
    sixteenCame();
    expect(isDue(2)).toBe(false);
    expect([gathering.takesTurn(), gathering.takesTurn()]).toEqual([true, false]);
  });
});

describe('A proposal behind others that are under way', () => {
  it('waits until as many wait as are under way, and takes no turns for it', () => {
    expect(isDue(3, { underWay: 4 })).toBe(false);
    expect(gathering.takesTurn()).toBe(false);
    expect(isDue(4, { underWay: 4 })).toBe(true);
    expect(time.timers).toBe(0);
  });

  it('waits until they are done', () => {
    expect(isDue(1, { underWay: 4 })).toBe(false);
    expect(isDue(1)).toBe(true);
  });

  it('waits for two milliseconds at most, from the first of them on', async () => {
    expect(isDue(1, { underWay: 10 })).toBe(false);
    await time.pass(maxMs / 2);
    expect(isDue(2, { underWay: 10 })).toBe(false);
    await time.pass(maxMs / 2);
    expect(turns).toBe(1);
    expect(isDue(2, { underWay: 10 })).toBe(true);
    expect(isDue(1, { underWay: 12 })).toBe(false);
    expect(time.timers).toBe(1);
  });

  it('does not wait once they fill an entry, or one of them has its own', () => {
    expect(isDue(1, { underWay: 10, isFull: true })).toBe(true);
  });
});

it('Where it is told to wait for no time at all, nobody waits', () => {
  gathering = make(0);
  sixteenCame();
  expect(isDue(1)).toBe(true);
  expect(isDue(1, { underWay: 10 })).toBe(true);
  expect(time.timers).toBe(0);
});

it('A gathering that is stopped leaves no timer behind', () => {
  expect(isDue(1, { underWay: 10 })).toBe(false);
  gathering.stop();
  expect(time.timers).toBe(0);
});

describe('Proposals of one turn of the event loop', () => {
  it('are enough to go without those still to come, when 128 have come and nothing is under way', () => {
    expect([127, 128, 500].map((queued) => gathering.isEnough({ queued, underWay: 0 }))).toEqual([false, true, true]);
    expect(gathering.isEnough({ queued: 500, underWay: 1 })).toBe(false);
  });

  it('are as many as came together lately, where those were more', () => {
    expect(isDue(200)).toBe(true);
    expect([199, 200].map((queued) => gathering.isEnough({ queued, underWay: 0 }))).toEqual([false, true]);
  });

  it('are never enough where nobody is to wait', () => {
    expect(make(0).isEnough({ queued: 500, underWay: 0 })).toBe(false);
  });
});
