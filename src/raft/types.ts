/** The words of the Raft algorithm, in the meaning of Figure 2 of the extended paper. */

/** A member's id: 64 bits, never 0, never reused for another member. */
export type MemberId = bigint;

/** A member's part in its current term. */
export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** What an entry holds: a command of the state machine, nothing (the start of a term, §8), or a configuration (thesis §4). */
export type EntryKind = 'command' | 'no-op' | 'configuration';

/** One entry of the log. Never changed after it was made. */
export interface Entry {
  /** Position in the log: 1 is the first. */
  readonly index: number;
  /** Term of the leader that received it. */
  readonly term: number;
  readonly kind: EntryKind;
  /** Opaque to the core. Empty for a no-op. */
  readonly payload: Uint8Array;
}

/** Names one entry of one history: two logs that agree on a position agree on everything before it (§5.3). */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/** What must survive a crash beside the log (Figure 2, "persistent state"). */
export interface HardState {
  /** The latest term this member has seen; never falls. */
  readonly term: number;
  /** Who got this member's vote in `term`; `undefined` while nobody did. */
  readonly votedFor: MemberId | undefined;
}

/**
 * Who votes and who only learns. With `outgoing` voters it is joint (thesis §4.3): both majorities must agree. The parts
 * are sorted and hold no id twice; no id is both a voter (of either set) and a learner.
 */
export interface Configuration {
  readonly voters: readonly MemberId[];
  /** Voters of the configuration being left; empty unless joint. */
  readonly outgoing: readonly MemberId[];
  /** Receive the log, count for nothing (thesis §4.2.1). */
  readonly learners: readonly MemberId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  /** Joint: the leader leaves it by itself once it is committed. */
  readonly autoLeave: boolean;
  /**
   * Ids of former members, never given to another (invariant M7): what a vote or an acknowledgement of theirs promised
   * was promised by a disk that may be gone. In no other part; at most 65,535.
   */
  readonly removed: readonly MemberId[];
}

/** One stretch of the log with equal term: from `firstIndex` to the next run's, or to the log's end. */
export interface TermRun {
  readonly firstIndex: number;
  readonly term: number;
}

/** A state machine's state, as Raft sees it: it stands for all entries up to `last` (§7). Made by `Raft.snapshotAt`. */
export interface SnapshotDescription {
  readonly last: LogPosition;
  /** The configuration in force at `last`, and where it stands. */
  readonly configuration: ConfigurationAt;
}

/** A configuration and the entry that brought it; index 0 for the first of all. */
export interface ConfigurationAt {
  readonly index: number;
  readonly configuration: Configuration;
  /** What the program keeps beside the ids; opaque to the core. */
  readonly context: Uint8Array;
}
