/** Leadership transfer (thesis §3.10): the leader brings its successor up to date and asks it to campaign at once. */
import { required } from '../base/assert';
import { campaignForTransfer, countVotes } from './election';
import { isVoter } from './membership';
import type { TimeoutNow } from './messages';
import { becomeFollower } from './role';
import { send, type Leading, type RaftState } from './state';
import type { MemberId } from './types';
import type { TransferAnswer } from './update';

/** Begins a transfer, or answers at once why not. It ends when this member steps down, or after an election timeout. */
export function receiveTransfer(state: RaftState, id: number, to: MemberId): void {
  const { leading } = state;
  const refusal = refusalOf(state, to);
  if (refusal !== undefined) state.turn.transfers.push({ id, done: false, reason: refusal });
  else if (to === state.id) state.turn.transfers.push({ id, done: true });
  else if (leading !== undefined) {
    const deadline = state.now + state.options.electionTimeoutMs;
    leading.transfer = { id, to, deadline, asked: false };
  }
}

/** Asks the successor to campaign once its log is complete; gives up after an election timeout. */
export function driveTransfer(state: RaftState, leading: Leading): void {
  const { transfer } = leading;
  if (transfer === undefined) return;
  if (state.now >= transfer.deadline) {
    leading.transfer = undefined;
    state.turn.transfers.push({ id: transfer.id, done: false, reason: 'timed-out' });
    return;
  }
  const progress = required(leading.peers.get(transfer.to), 'a voter is a peer of the leader');
  if (transfer.asked || progress.matchIndex < state.log.lastIndex) return;
  transfer.asked = true;
  leading.leaseIsVoid = true;
  send(state, transfer.to, { kind: 'timeout-now', term: state.term });
}

/** The leader wants this member to take over: it campaigns at once, as if its election timeout had passed. */
export function receiveTimeoutNow(state: RaftState, from: MemberId, message: TimeoutNow): void {
  if (message.term < state.term) return;
  if (message.term > state.term) becomeFollower(state, message.term, from);
  if (state.role === 'leader' || !isVoter(state.configuration, state.id)) return;
  campaignForTransfer(state);
  countVotes(state);
}

function refusalOf(state: RaftState, to: MemberId): Extract<TransferAnswer, { done: false }>['reason'] | undefined {
  if (state.leading === undefined) return 'not-leader';
  if (!isVoter(state.configuration, to)) return 'not-a-voter';
  return state.leading.transfer === undefined ? undefined : 'busy';
}
