/** Leadership transfer (thesis §3.10): so far the receiver's side. */
import { campaignForTransfer, countVotes } from './election';
import type { TimeoutNow } from './messages';
import { isVoter } from './membership';
import { becomeFollower } from './role';
import type { RaftState } from './state';
import type { MemberId } from './types';

/** The leader wants this member to take over: it campaigns at once, as if its election timeout had passed. */
export function receiveTimeoutNow(state: RaftState, from: MemberId, message: TimeoutNow): void {
  if (message.term < state.term) return;
  if (message.term > state.term) becomeFollower(state, message.term, from);
  if (state.role === 'leader' || !isVoter(state.configuration, state.id)) return;
  campaignForTransfer(state);
  countVotes(state);
}
