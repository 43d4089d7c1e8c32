/** Everything a member's core remembers: Figure 2's state, and what one turn has produced so far. */
import type { Rng } from '../base/rng';
import type { RaftLog } from './log';
import type { Envelope, SentMessage } from './messages';
import type { RaftOptions } from './options';
import type { Progress } from './progress';
import type { Configuration, ConfigurationAt, MemberId, Role, SnapshotDescription } from './types';
import type { ChangeAnswer, Load, ProposeResult, ReadResult, TransferAnswer, Warning } from './update';

/** The one mutable object of the core. Only `raft/` changes it; `invariants.ts` says what holds between turns. */
export interface RaftState {
  readonly id: MemberId;
  readonly options: RaftOptions;
  readonly rng: Rng;
  readonly startedAt: number;
  /** The time of the event being handled. */
  now: number;

  /** Figure 2, persistent. May be ahead of the disk; then a `Persist` with it was handed out. */
  term: number;
  votedFor: MemberId | undefined;
  readonly log: RaftLog;

  /** Figure 2, volatile. `appliedIndex <= commitIndex <= log.lastIndex`; neither falls. */
  commitIndex: number;
  appliedIndex: number;
  /** The log is durable here up to this index; at most `log.lastIndex`. */
  durableIndex: number;
  /** What was handed out and is not yet reported durable, oldest first. */
  readonly unpersisted: Unpersisted[];
  nextSequence: number;

  /** The configuration in force: the latest in the log, committed or not (thesis §4.1). */
  configuration: Configuration;
  /** Where it came from, oldest first, the one in force last; what is removed from the log's end falls back to the one before. */
  configurations: readonly ConfigurationAt[];
  role: Role;
  /** The leader of `term`, once known. */
  leader: MemberId | undefined;
  /** When the leader of `term` was last heard from; `-Infinity` if never. */
  leaderContactAt: number;
  /** Not a leader: when to campaign. */
  electionDeadline: number;
  /** Follower: its log equals the log of the leader of `term` up to here. */
  verifiedIndex: number;
  /** Follower: the latest read round of the leader of `term` that was answered. */
  answeredReadRound: number;
  /** Follower: the last place it acknowledged to the leader of `term`, and when; 0 and `-Infinity` if it did not. */
  acknowledgedIndex: number;
  acknowledgedAt: number;
  /** Whom this member has reached since it started; not counted any more once that has told it when to campaign. */
  reachedSinceStart: Set<MemberId> | undefined;
  /** Somebody here wants to hear of every commit at once. */
  followsClosely: boolean;
  /** Present exactly while pre-candidate or candidate. */
  campaign: Campaign | undefined;
  /** Present exactly while leader. */
  leading: Leading | undefined;
  /** What this turn has produced so far. */
  turn: Turn;
}

/** A `Persist` that is on its way to the disk. */
export interface Unpersisted {
  readonly sequence: number;
  /** The last entry it makes durable that is still in the log: lowered when a suffix is removed, so that the completion
   * of an old write never marks newer entries at the same index durable. */
  lastIndex: number;
  /** The term and vote it makes durable, if it does. */
  readonly hardState: { readonly term: number; readonly votedFor: MemberId | undefined } | undefined;
}

/** An election being held by this member. */
export interface Campaign {
  /** The term asked about: `term + 1` for a pre-vote, else `term`. */
  readonly term: number;
  readonly votes: Map<MemberId, boolean>;
  readonly leadershipTransfer: boolean;
}

/** What only a leader knows. */
export interface Leading {
  readonly peers: Map<MemberId, Progress>;
  /** Index of the no-op that began the term; once it commits, the commit index is known to be current (§8). */
  readonly firstIndex: number;
  /** Bytes of the entries above the commit index, as far as appended in this term. */
  uncommittedBytes: number;
  /** Leadership is being handed over; nothing is appended meanwhile (thesis §3.10). */
  transfer: Transfer | undefined;
  /** Thesis §6.4.1: until then no other leader can have been elected, if the clocks drift no more than stated. */
  leaseUntil: number;
  /** A successor was asked to campaign: it may be elected at any time in spite of this leader being alive. */
  leaseIsVoid: boolean;
  readonly reads: ReadRounds;
}

/** A transfer of leadership that is going on. */
export interface Transfer {
  readonly id: number;
  readonly to: MemberId;
  readonly deadline: number;
  asked: boolean;
}

/** ReadIndex rounds (thesis §6.4): one on its way, one gathering. */
export interface ReadRounds {
  /** The latest round; fresh for every attempt within the term. */
  round: number;
  /** When the latest round began. */
  beganAt: number;
  /** A round is wanted though nobody reads: a peer's answer to it proves something. */
  isWanted: boolean;
  /** Reads the current round confirms, with the commit index taken when it began. */
  confirming: { readonly ids: readonly number[]; readonly readIndex: number } | undefined;
  /** Reads that arrived since. */
  waiting: number[];
}

/** Collected while a turn runs, then turned into an `Update`. */
export interface Turn {
  readonly messages: Envelope[];
  readonly proposed: ProposeResult[];
  readonly reads: ReadResult[];
  readonly loads: Load[];
  readonly snapshots: MemberId[];
  readonly changes: ChangeAnswer[];
  readonly transfers: TransferAnswer[];
  readonly warnings: Warning[];
  /** The first entry that this turn appended, lowered by what it removed. */
  persistFrom: number | undefined;
  persistHardState: boolean;
  /** A snapshot replaces the log and the state. */
  install: SnapshotDescription | undefined;
  /** Follower: tell the leader how far the log is durable. */
  acknowledge: boolean;
}

export function newTurn(): Turn {
  return {
    messages: [],
    proposed: [],
    reads: [],
    loads: [],
    snapshots: [],
    changes: [],
    transfers: [],
    warnings: [],
    persistFrom: undefined,
    persistHardState: false,
    install: undefined,
    acknowledge: false,
  };
}

export function send(state: RaftState, to: MemberId, message: SentMessage): void {
  state.turn.messages.push({ to, message });
}
