/** The pace at which readers of watches are called: nobody waits without need, and what needs long leaves time for the rest. */
import { WatchRounds, type WatchRoundsOptions } from '../../../src/kv/watch-rounds';
import { FakeTurns } from '../../support/fake-history';

/** Rounds that call two readers in a turn, which takes a millisecond, and rest after six. */
function setUp(options: Partial<WatchRoundsOptions> = {}) {
  const turns = new FakeTurns();
  const called: string[] = [];
  const pace = { maxCallsPerTurn: 2, restAfterCalls: 6, maxRestMs: 50, ...options };
  const rounds = new WatchRounds<string>({ scheduler: turns, options: pace, call: (reader) => called.push(reader) });
  const add = (readers: string) => {
    for (const reader of readers) rounds.add(reader);
  };
  /** The readers that each of the next turns calls. */
  const next = (count: number) =>
    Array.from({ length: count }, () => {
      turns.end();
      return called.splice(0).join('');
    });
  return { rounds, turns, add, next };
}

describe('the rounds of calls to readers of watches', () => {
  it('call a few readers in each turn, each once', () => {
    const { turns, add, next } = setUp();
    add('abcab');
    expect(next(2)).toEqual(['ab', 'c']);
    expect(turns.isIdle).toBe(true);
  });

  it('call those that come meanwhile in the round after', () => {
    const { add, next } = setUp();
    add('abc');
    expect(next(1)).toEqual(['ab']);
    add('acd');
    expect(next(2)).toEqual(['c', 'ad']);
  });

  it('call nobody that has been removed', () => {
    const { rounds, turns, add, next } = setUp();
    add('abcd');
    expect(next(1)).toEqual(['ab']);
    add('efg');
    rounds.remove('c');
    rounds.remove('f');
    expect(next(2)).toEqual(['d', 'eg']);
    expect(turns.isIdle).toBe(true);
  });

  it('are followed by a rest as long as the round if it was long', () => {
    const { add, next } = setUp();
    add('abcdef');
    expect(next(3)).toEqual(['ab', 'cd', 'ef']);
    // From its first turn to its last it took 2 ms.
    add('gh');
    expect(next(3)).toEqual(['', '', 'gh']);
  });

  it('follow each other without a rest if they are short', () => {
    const { add, next } = setUp();
    add('abcde');
    expect(next(3)).toEqual(['ab', 'cd', 'e']);
    add('fghij');
    expect(next(3)).toEqual(['fg', 'hi', 'j']);
    add('k');
    expect(next(1)).toEqual(['k']);
  });

  it('rest no longer than they may', () => {
    const { add, next } = setUp({ maxCallsPerTurn: 1, maxRestMs: 1 });
    add('abcdef');
    expect(next(6).join('')).toBe('abcdef');
    add('g');
    expect(next(2)).toEqual(['', 'g']);
  });

  it('let nobody wait that comes after the rest', () => {
    const { turns, add, next } = setUp();
    add('abcdef');
    expect(next(3)).toEqual(['ab', 'cd', 'ef']);
    expect(turns.isIdle).toBe(true);
    next(2);
    add('g');
    expect(next(1)).toEqual(['g']);
  });

  it('end a rest in a hurry, and rest in full afterwards', () => {
    const { rounds, add, next } = setUp();
    add('abcdefghijklmn');
    next(7);
    // Would rest for 6 ms.
    add('abcdefgh');
    rounds.hurry();
    expect(next(4)).toEqual(['ab', 'cd', 'ef', 'gh']);
    add('i');
    expect(next(4)).toEqual(['', '', '', 'i']);
  });
});
