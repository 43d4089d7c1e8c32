import { committedIndex, majority, reachedByQuorum, voteResult } from '../../../src/raft/quorum';
import { simpleConfiguration } from '../../../src/raft/membership';
import type { Configuration } from '../../../src/raft/types';

const simple = (count: number): Configuration => simpleConfiguration(ids(count));

function ids(count: number, first = 1): bigint[] {
  return Array.from({ length: count }, (_, at) => BigInt(first + at));
}

/** Looks up by member id: the value of member 1 first. */
function values<T>(...list: T[]): (voter: bigint) => T {
  return (voter) => list[Number(voter) - 1] as T;
}

describe('majority', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i members is %i', (count, expected) => {
    expect(majority(count)).toBe(expected);
  });
});

describe('committedIndex', () => {
  it.each([
    [[7], 7],
    [[7, 3], 3],
    [[7, 3, 5], 5],
    [[7, 0, 0], 0],
    [[9, 9, 4, 4], 4],
    [[9, 8, 7, 6, 5], 7],
  ])('of %j is %i', (acknowledged, expected) => {
    expect(committedIndex(simple(acknowledged.length), values(...acknowledged))).toBe(expected);
  });

  it('needs both majorities in a joint configuration (thesis §4.3)', () => {
    const joint: Configuration = { ...simpleConfiguration([1n, 2n, 3n]), outgoing: [3n, 4n, 5n] };
    expect(committedIndex(joint, values(9, 9, 9, 1, 1))).toBe(1);
    expect(committedIndex(joint, values(9, 9, 9, 9, 1))).toBe(9);
    expect(committedIndex(joint, values(9, 1, 9, 9, 9))).toBe(9);
    expect(committedIndex(joint, values(1, 1, 9, 9, 9))).toBe(1);
  });

  it('does not see learners (thesis §4.2.1)', () => {
    const configuration = { ...simple(3), learners: [4n, 5n] };
    expect(committedIndex(configuration, values(9, 1, 1, 9, 9))).toBe(1);
  });

  it('is without bound where nobody votes', () => {
    expect(committedIndex(simple(0), values())).toBe(Infinity);
  });

  it('works for times too, where a voter was never heard from', () => {
    expect(reachedByQuorum(simple(3), values(5.5, -Infinity, -Infinity))).toBe(-Infinity);
    expect(reachedByQuorum(simple(3), values(5.5, 2.5, -Infinity))).toBe(2.5);
  });
});

describe('voteResult', () => {
  const cases: [string, (boolean | undefined)[], string][] = [
    ['all open', [undefined, undefined, undefined], 'pending'],
    ['one of three', [true, undefined, undefined], 'pending'],
    ['two of three', [true, true, undefined], 'won'],
    ['one against', [true, false, undefined], 'pending'],
    ['two against', [false, false, undefined], 'lost'],
    ['two of four', [true, true, false, undefined], 'pending'],
    ['half against', [true, true, false, false], 'lost'],
    ['the only voter', [true], 'won'],
  ];

  it.each(cases)('%s', (_, votes, expected) => {
    expect(voteResult(simple(votes.length), values(...votes))).toBe(expected);
  });

  it('is lost as soon as one set of a joint configuration is lost, won only with both (thesis §4.3)', () => {
    const joint: Configuration = { ...simpleConfiguration([1n, 2n, 3n]), outgoing: [4n, 5n, 6n] };
    const open = undefined;
    expect(voteResult(joint, values<boolean | undefined>(true, true, open, true, open, open))).toBe('pending');
    expect(voteResult(joint, values<boolean | undefined>(true, true, open, true, true, open))).toBe('won');
    expect(voteResult(joint, values<boolean | undefined>(true, true, true, false, false, open))).toBe('lost');
    expect(voteResult(joint, values<boolean | undefined>(open, open, open, false, false, open))).toBe('lost');
  });
});
