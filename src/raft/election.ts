/** Elections: when to campaign, whom to ask, when it is won (§5.2, thesis §9.6 for the pre-vote). */
import { assert, required } from '../base/assert';
import { between } from '../base/rng';
import { isVoter } from './membership';
import { voteResult } from './quorum';
import { appendNoOp } from './leader-log';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './role';
import { send, type RaftState } from './state';
import type { MemberId } from './types';

/** Nothing was heard of a leader for too long: ask whether an election could succeed. */
export function onElectionTimeout(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader has no election timeout');
  if (!mayCampaign(state)) {
    // Waits for whoever is elected, and believes no longer in a leader it does not hear.
    becomeFollower(state, state.term, undefined);
    return;
  }
  becomePreCandidate(state);
  requestVotes(state);
  countVotes(state);
}

/** A leader that lives is heard again within so many heartbeats, at least and at most. */
const heartbeatsOfDoubt = { least: 1, most: 3 } as const;

/**
 * The leader's process seems to have ended: no need to wait for a whole timeout. It is believed in no longer, so that the
 * others' pre-votes are granted, and missed for a few heartbeats; hearing from it puts everything back. Not where a lease
 * for reads rests on followers that wait (thesis §6.4.1): a process that nobody reaches may still answer.
 */
export function onPeerGone(state: RaftState, peer: MemberId): void {
  const { leaseReads } = state.options;
  if (state.role !== 'follower' || state.leader !== peer || leaseReads) return;
  const { electionDeadline } = state;
  becomeFollower(state, state.term, undefined);
  state.electionDeadline = electionDeadline;
  doubtLeader(state);
}

/** Takes note of a peer that can be reached. */
export function onPeerReached(state: RaftState, peer: MemberId): void {
  state.reachedSinceStart?.add(peer);
  campaignSoonAfterStart(state);
}

/**
 * A member that has just started, and reaches a quorum: if one of them led, it would be heard within a heartbeat. So it asks
 * around (pre-vote) after a few of them instead of an election timeout, once; a leader that lives is heard first, or has the
 * others refuse. Not where a lease for reads may rest on this member's earlier life (thesis §6.4.1).
 */
export function campaignSoonAfterStart(state: RaftState): void {
  const { reachedSinceStart: reached, configuration, id } = state;
  if (reached === undefined) return;
  const reaches = voteResult(configuration, (voter) => (voter === id || reached.has(voter) ? true : undefined));
  const missesLeader = state.role === 'follower' && state.leader === undefined && isVoter(configuration, id);
  const mayHurry = missesLeader && !state.options.leaseReads;
  if (mayHurry && reaches === 'pending') return;
  state.reachedSinceStart = undefined;
  if (mayHurry) doubtLeader(state);
}

/** Misses the leader for a few heartbeats before it campaigns. */
function doubtLeader(state: RaftState): void {
  const { heartbeatIntervalMs } = state.options;
  const { least, most } = heartbeatsOfDoubt;
  const doubtMs = between(state.rng, least * heartbeatIntervalMs, most * heartbeatIntervalMs);
  state.electionDeadline = Math.min(state.electionDeadline, state.now + doubtMs);
}

/**
 * Thesis §4.2.2: whose removal is not committed yet may be the only one that can win, and so still campaigns. Its own vote
 * does not count, since it is no voter of the configuration in force.
 */
function mayCampaign({ id, configurations, commitIndex }: RaftState): boolean {
  const latest = required(configurations.at(-1), 'there is a configuration');
  const before = latest.index > commitIndex ? configurations.at(-2) : undefined;
  return [latest, before].some((one) => one !== undefined && isVoter(one.configuration, id));
}

/** Campaigns without a pre-vote, because the leader asked for it (thesis §3.10). */
export function campaignForTransfer(state: RaftState): void {
  becomeCandidate(state, true);
  requestVotes(state);
}

/** Looks whether the election is decided. */
export function countVotes(state: RaftState): void {
  const { campaign } = state;
  assert(campaign !== undefined, 'votes are counted during a campaign');
  switch (voteResult(state.configuration, (voter) => campaign.votes.get(voter))) {
    case 'pending':
      return;
    case 'lost':
      // §5.2: wait for a leader, or for the next timeout. The term stays.
      becomeFollower(state, state.term, undefined);
      return;
    case 'won':
      if (state.role === 'pre-candidate') {
        becomeCandidate(state, false);
        requestVotes(state);
      } else {
        becomeLeader(state);
        appendNoOp(state);
      }
  }
}

/** A vote for oneself counts, like any other, once it is durable (invariant S8). */
export function onOwnVoteDurable(state: RaftState): void {
  if (state.role !== 'candidate' || state.campaign === undefined) return;
  state.campaign.votes.set(state.id, true);
  countVotes(state);
}

function requestVotes(state: RaftState): void {
  const { campaign } = state;
  assert(campaign !== undefined, 'votes are requested during a campaign');
  const { voters, outgoing } = state.configuration;
  for (const voter of new Set([...voters, ...outgoing])) {
    if (voter === state.id) continue;
    send(state, voter, {
      kind: 'request-vote',
      term: campaign.term,
      lastLogIndex: state.log.lastIndex,
      lastLogTerm: state.log.lastTerm,
      preVote: state.role === 'pre-candidate',
      leadershipTransfer: campaign.leadershipTransfer,
    });
  }
}
