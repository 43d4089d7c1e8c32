/** Leadership transfer (thesis §3.10): the leader brings its successor up to date and asks it to campaign at once. */
import { required } from '../base/assert';
import { campaignForTransfer, countVotes } from './election';
import { isVoter } from './membership';
import type { TimeoutNow } from './messages';
import type { Progress } from './progress';
import { becomeFollower } from './role';
import { send, type Leading, type RaftState } from './state';
import type { MemberId } from './types';
import type { TransferRefusal } from './update';

/** Begins a transfer, or answers at once why not. It ends when this member steps down, or after an election timeout. */
export function receiveTransfer(state: RaftState, id: number, wanted: MemberId | undefined): void {
  const { leading } = state;
  if (leading === undefined) {
    state.turn.transfers.push({ id, done: false, reason: 'not-leader' });
    return;
  }
  const to = wanted ?? bestSuccessor(state, leading)?.peer;
  const refusal = refusalOf(state, leading, to);
  if (refusal !== undefined) state.turn.transfers.push({ id, done: false, reason: refusal });
  else if (to === state.id) state.turn.transfers.push({ id, done: true });
  else if (to !== undefined) {
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
  // No change begins meanwhile, and leaving a joint configuration keeps those who vote in the new one.
  const progress = required(leading.peers.get(transfer.to), 'the successor is a voter, hence a peer');
  if (transfer.asked || progress.matchIndex < state.log.lastIndex) return;
  transfer.asked = true;
  askToCampaign(state, leading, transfer.to);
}

/**
 * Steps down of its own accord, and asks the best successor to campaign at once (thesis §3.10, §4.2.2). It need not have
 * everything that this member has, which votes no more; should another voter have more, the election goes on as any other.
 */
export function abdicate(state: RaftState, leading: Leading): void {
  const successor = bestSuccessor(state, leading);
  if (successor !== undefined) askToCampaign(state, leading, successor.peer);
  becomeFollower(state, state.term, undefined);
}

/** The leader wants this member to take over: it campaigns at once, as if its election timeout had passed. */
export function receiveTimeoutNow(state: RaftState, from: MemberId, message: TimeoutNow): void {
  if (message.term < state.term) return;
  if (message.term > state.term) becomeFollower(state, message.term, from);
  // A term has one leader; whoever else asks is not heard.
  if (state.leader !== undefined && state.leader !== from) return;
  if (state.role === 'leader' || !isVoter(state.configuration, state.id)) return;
  campaignForTransfer(state);
  countVotes(state);
}

function refusalOf(state: RaftState, leading: Leading, to: MemberId | undefined): TransferRefusal | undefined {
  if (leading.transfer !== undefined) return 'busy';
  if (to === undefined) return 'no-successor';
  return state.configuration.voters.includes(to) ? undefined : 'not-a-voter';
}

/** The voter that answers and lacks least; of several, the one with the smallest id. */
function bestSuccessor(state: RaftState, leading: Leading): Progress | undefined {
  const { voters } = state.configuration;
  let best: Progress | undefined;
  for (const voter of voters) {
    const progress = leading.peers.get(voter);
    if (progress?.isActive(state.now, state.options.electionTimeoutMs) !== true) continue;
    if (best === undefined || progress.matchIndex > best.matchIndex) best = progress;
  }
  return best;
}

/** From now on another may be elected although this leader is alive, so that no lease holds (thesis §6.4.1). */
function askToCampaign(state: RaftState, leading: Leading, to: MemberId): void {
  leading.leaseIsVoid = true;
  send(state, to, { kind: 'timeout-now', term: state.term });
}
