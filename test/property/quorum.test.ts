import fc from 'fast-check';
import { committedIndex, majority, voteResult, type VoteResult } from '../../src/raft/quorum';
import type { Configuration, MemberId } from '../../src/raft/types';

/** Up to seven voters on either side, which may overlap; some learners. */
const configurations: fc.Arbitrary<Configuration> = fc
  .record({
    voters: fc.uniqueArray(fc.bigInt(1n, 9n), { minLength: 1, maxLength: 7 }),
    outgoing: fc.oneof(fc.constant([]), fc.uniqueArray(fc.bigInt(1n, 9n), { maxLength: 7 })),
  })
  .map(({ voters, outgoing }) => ({
    voters,
    outgoing,
    learners: [20n, 21n],
    learnersNext: [],
    autoLeave: false,
    removed: [],
  }));

const acknowledgements = fc.array(fc.nat(6), { minLength: 30, maxLength: 30 });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 30, maxLength: 30 });

function subsets(members: readonly MemberId[]): MemberId[][] {
  return members.reduce<MemberId[][]>((all, member) => [...all, ...all.map((set) => [...set, member])], [[]]);
}

/** The definition: a set is a quorum if it holds more than half of each set of voters that votes. */
function isQuorum({ voters, outgoing }: Configuration, set: ReadonlySet<MemberId>): boolean {
  const holdsMajority = (side: readonly MemberId[]): boolean =>
    side.length === 0 || side.filter((member) => set.has(member)).length * 2 > side.length;
  return holdsMajority(voters) && holdsMajority(outgoing);
}

function quorums(configuration: Configuration): Set<MemberId>[] {
  const everybody = [...new Set([...configuration.voters, ...configuration.outgoing])];
  return subsets(everybody)
    .map((members) => new Set(members))
    .filter((set) => isQuorum(configuration, set));
}

/** Slow and obvious: the best index that all members of some quorum have reached. */
function slowCommittedIndex(configuration: Configuration, valueOf: (voter: MemberId) => number): number {
  return Math.max(...quorums(configuration).map((quorum) => Math.min(...[...quorum].map(valueOf))));
}

/** Slow and obvious: won if the votes given win already, lost if even all open votes would not. */
function slowVoteResult(configuration: Configuration, voteOf: (voter: MemberId) => boolean | undefined): VoteResult {
  const everybody = new Set([...configuration.voters, ...configuration.outgoing]);
  const granted = new Set([...everybody].filter((voter) => voteOf(voter) === true));
  const possible = new Set([...everybody].filter((voter) => voteOf(voter) !== false));
  if (isQuorum(configuration, granted)) return 'won';
  return isQuorum(configuration, possible) ? 'pending' : 'lost';
}

describe('Quorum arithmetic against slow oracles', () => {
  it('commits what some quorum has reached, and no more', () => {
    let joint = 0;
    fc.assert(
      fc.property(configurations, acknowledgements, (configuration, reached) => {
        const valueOf = (voter: MemberId): number => reached[Number(voter)] ?? 0;
        expect(committedIndex(configuration, valueOf)).toBe(slowCommittedIndex(configuration, valueOf));
        if (configuration.outgoing.length > 0) joint++;
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(joint).toBeGreaterThan(100);
  });

  it('decides votes as soon as they are decided, and no sooner', () => {
    const seen = { won: 0, lost: 0, pending: 0 };
    fc.assert(
      fc.property(configurations, votes, (configuration, given) => {
        const voteOf = (voter: MemberId): boolean | undefined => given[Number(voter)];
        const expected = slowVoteResult(configuration, voteOf);
        expect(voteResult(configuration, voteOf)).toBe(expected);
        seen[expected]++;
      }),
      { numRuns: 1000, seed: 2 },
    );
    expect(Math.min(seen.won, seen.lost, seen.pending)).toBeGreaterThan(50);
  });

  it('any two quorums of one configuration share a member (thesis §4.3)', () => {
    fc.assert(
      fc.property(configurations, (configuration) => {
        const all = quorums(configuration).slice(0, 60);
        const meet = (one: Set<MemberId>, other: Set<MemberId>): boolean =>
          [...one].some((member) => other.has(member));
        expect(all.every((one) => all.every((other) => meet(one, other)))).toBe(true);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it('a majority is the smallest count that is more than half', () => {
    for (let count = 1; count <= 100; count++) {
      expect(majority(count) * 2).toBeGreaterThan(count);
      expect((majority(count) - 1) * 2).toBeLessThanOrEqual(count);
    }
  });
});
