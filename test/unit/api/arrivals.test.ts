/** Who of many new connections is let in when. */
import { Arrivals } from '../../../src/api/arrivals';

/** Arrivals at a clock that the test moves, in turns that it ends. */
function setUp() {
  let now = 0;
  let callbacks: (() => void)[] = [];
  const letIn: string[] = [];
  const scheduler = {
    now: () => now,
    atEndOfTurn: (callback: () => void) => {
      callbacks.push(callback);
    },
  };
  const arrivals = new Arrivals<string>({ scheduler, letIn: (connection) => letIn.push(connection) });
  /** A turn in which these come, and which takes so long, milliseconds. */
  const turn = (come: readonly string[], takesMs = 0.125): void => {
    for (const connection of come) arrivals.add(connection);
    now += takesMs;
    const due = callbacks;
    callbacks = [];
    for (const callback of due) callback();
  };
  return { arrivals, letIn, turn, waitsForTurns: () => callbacks.length };
}

const crowd = (size: number) => Array.from({ length: size }, (_, index) => `c${String(index)}`);

it('lets in who comes alone once a turn brings nobody', () => {
  const { letIn, turn, waitsForTurns } = setUp();
  turn(['a']);
  expect(letIn).toEqual([]);
  turn([]);
  expect(letIn).toEqual(['a']);
  expect(waitsForTurns()).toBe(0);
});

it('lets in together, in their order, who comes in one turn after the other', () => {
  const { letIn, turn } = setUp();
  for (const one of ['a', 'b', 'c']) turn([one], 5);
  expect(letIn).toEqual([]);
  turn([]);
  expect(letIn).toEqual(['a', 'b', 'c']);
});

it('waits two milliseconds for the rest of a crowd', () => {
  const { letIn, turn } = setUp();
  turn(crowd(8));
  turn([], 1.75);
  turn(['late'], 1.5);
  turn([], 0.25);
  expect(letIn).toEqual([]);
  turn([], 0.25);
  expect(letIn).toEqual([...crowd(8), 'late']);
});

it('lets nobody wait longer than a tenth of a second, however many come', () => {
  const { letIn, turn } = setUp();
  for (let ms = 0; ms < 99; ms++) turn([String(ms)], 1);
  expect(letIn).toEqual([]);
  turn(['last'], 1);
  expect(letIn).toHaveLength(100);
});

it('gives back who has not been let in, and lets in who comes after', () => {
  const { arrivals, letIn, turn, waitsForTurns } = setUp();
  arrivals.add('a');
  expect(arrivals.takeAll()).toEqual(['a']);
  turn(['b']);
  turn([]);
  turn([]);
  expect(letIn).toEqual(['b']);
  expect(waitsForTurns()).toBe(0);
});
