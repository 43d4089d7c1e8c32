/** Quorum arithmetic: majorities of simple and joint configurations. Pure; learners never count. */
import { required } from '../base/assert';
import type { Configuration, MemberId } from './types';

/** Outcome of a vote so far. */
export type VoteResult = 'won' | 'lost' | 'pending';

/** The smallest number of members that any two of which share a member: more than half. */
export function majority(memberCount: number): number {
  return Math.floor(memberCount / 2) + 1;
}

/**
 * The highest index that a majority of the voters holds; in a joint configuration, of both sets of voters
 * (thesis §4.3).
 *
 * @param acknowledged the highest index each voter holds durably; 0 for one that never answered
 * @returns `Infinity` for a configuration without voters
 */
export function committedIndex(configuration: Configuration, acknowledged: (voter: MemberId) => number): number {
  return reachedByQuorum(configuration, acknowledged);
}

/**
 * The highest value that a majority has reached, of anything that grows: an index, a round, a time of contact. In a
 * joint configuration, a majority of both sets of voters. An empty set reaches everything, so that an empty `outgoing`
 * does not count.
 */
export function reachedByQuorum(configuration: Configuration, valueOf: (voter: MemberId) => number): number {
  return Math.min(reachedByMajority(configuration.voters, valueOf), reachedByMajority(configuration.outgoing, valueOf));
}

function reachedByMajority(voters: readonly MemberId[], valueOf: (voter: MemberId) => number): number {
  if (voters.length === 0) return Infinity;
  const descending = voters.map(valueOf).sort((a, b) => b - a);
  return required(descending[majority(voters.length) - 1], 'a majority is at least one voter');
}

/**
 * Whether a vote is won, lost or open: won with a majority for it in every set of voters, lost once some set can no
 * longer reach one (thesis §4.3).
 *
 * @param votes `true` for, `false` against, `undefined` for no answer yet
 */
export function voteResult(configuration: Configuration, votes: (voter: MemberId) => boolean | undefined): VoteResult {
  const results = [setResult(configuration.voters, votes), setResult(configuration.outgoing, votes)];
  if (results.includes('lost')) return 'lost';
  return results.includes('pending') ? 'pending' : 'won';
}

function setResult(voters: readonly MemberId[], votes: (voter: MemberId) => boolean | undefined): VoteResult {
  if (voters.length === 0) return 'won';
  const needed = majority(voters.length);
  let granted = 0;
  let open = 0;
  for (const voter of voters) {
    const vote = votes(voter);
    if (vote === true) granted++;
    else if (vote === undefined) open++;
  }
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}
