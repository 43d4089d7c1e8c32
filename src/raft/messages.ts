/** The messages between members: Figure 2, with what pipelining, backtracking and ReadIndex need beside it. */
import type { Entry, MemberId, SnapshotDescription } from './types';

/** Replicates entries; a heartbeat when it has none (§5.2, §5.3). */
export interface AppendEntries {
  readonly kind: 'append-entries';
  readonly term: number;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  /** Consecutive from `prevLogIndex + 1`. */
  readonly entries: readonly Entry[];
  readonly leaderCommit: number;
  /** The leader's latest round of leadership confirmation (thesis §6.4); 0 before the first. Echoed in the response. */
  readonly readRound: number;
}

/** Answers AppendEntries by what it says of the log, not by position: responses may be lost, merged or reordered. */
export type AppendEntriesResponse = AppendEntriesSuccess | AppendEntriesRejection;

/** The log held the entry before the new ones. */
export interface AppendEntriesSuccess {
  readonly kind: 'append-entries-response';
  readonly success: true;
  readonly term: number;
  /** The follower's log equals the leader's up to here, durably. */
  readonly matchIndex: number;
  readonly readRound: number;
  /** Somebody at the follower, such as a watch, wants to hear of every commit at once. */
  readonly followsClosely: boolean;
}

/** The entry before the new ones is missing or of another term (§5.3, end: fast backtracking). */
export interface AppendEntriesRejection {
  readonly kind: 'append-entries-response';
  readonly success: false;
  readonly term: number;
  /** The `prevLogIndex` that was refused. */
  readonly rejectedIndex: number;
  /** The last index at which the logs may still agree, as far as the follower can tell; at most `rejectedIndex`. */
  readonly hintIndex: number;
  /** The follower's term at `hintIndex`; 0 at index 0. */
  readonly hintTerm: number;
  readonly readRound: number;
}

/** Asks for a vote (§5.2); with `preVote`, whether one would be given (thesis §9.6). */
export interface RequestVote {
  readonly kind: 'request-vote';
  /** The candidate's term; with `preVote`, the term it would campaign in. */
  readonly term: number;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  readonly preVote: boolean;
  /** The leader itself asked for this election (thesis §3.10): its being alive is no reason to refuse. */
  readonly leadershipTransfer: boolean;
}

/** Answers RequestVote. */
export interface RequestVoteResponse {
  readonly kind: 'request-vote-response';
  /** The voter's term; for a granted pre-vote, the term asked about. */
  readonly term: number;
  readonly voteGranted: boolean;
  readonly preVote: boolean;
}

/** Asks the receiver to campaign at once (thesis §3.10). */
export interface TimeoutNow {
  readonly kind: 'timeout-now';
  readonly term: number;
}

/**
 * Tells that a whole snapshot has arrived and passed its check; its data travels outside the core, and the receiver's
 * driver gives this message to its core when it has all of it (§7, `update.ts`). Answered by AppendEntriesResponse: once
 * the snapshot is durable, or with the term if that is over.
 */
export interface InstallSnapshot {
  readonly kind: 'install-snapshot';
  readonly term: number;
  readonly snapshot: SnapshotDescription;
}

/** What one core sends another. Each may be lost, duplicated, delayed or reordered without harm. */
export type Message =
  AppendEntries | AppendEntriesResponse | RequestVote | RequestVoteResponse | TimeoutNow | InstallSnapshot;

/** What a core hands out to be sent: everything but InstallSnapshot, which the receiver's own driver makes. */
export type SentMessage = Exclude<Message, InstallSnapshot>;

/** A message and where it goes. */
export interface Envelope {
  readonly to: MemberId;
  readonly message: SentMessage;
}
