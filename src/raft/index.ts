/** The consensus core: the only entrance to `raft/`. Pure: no I/O, no clock, no chance of its own. */
export type { Configuration, Entry, EntryKind, HardState, LogPosition, MemberId, Role, TermRun } from './types';
export type * from './messages';
export type { Event, Proposal, ProposalBatch } from './event';
export type { Load, Persist, ProposeResult, ReadResult, RoleChange, Update } from './update';
export type { StateMachine } from './state-machine';
export type { LogStart } from './log';
export { allMembers, isVoter, simpleConfiguration } from './membership';
export { defaultRaftOptions, type RaftOptions } from './options';
export { committedIndex, majority, voteResult, type VoteResult } from './quorum';
export { Raft, type RaftConfig, type RaftStatus } from './raft';
