/** The consensus core: the only entrance to `raft/`. Pure: no I/O, no clock, no chance of its own. */
export type {
  Configuration,
  ConfigurationAt,
  Entry,
  EntryKind,
  HardState,
  LogPosition,
  MemberId,
  Role,
  SnapshotDescription,
  TermRun,
} from './types';
export type * from './messages';
export type { Event, Proposal, ProposalBatch } from './event';
export type {
  ChangeAnswer,
  Load,
  Persist,
  ProposeResult,
  ReadResult,
  RoleChange,
  TransferAnswer,
  Update,
} from './update';
export type { Snapshot, SnapshotOffer, SnapshotReceiver, StateMachine } from './state-machine';
export type { LogStart } from './log';
export {
  allMembers,
  enterJoint,
  isJoint,
  isMember,
  isVoter,
  leaveJoint,
  planChange,
  sameConfiguration,
  simpleChange,
  simpleConfiguration,
  type ChangeRefusal,
  type ChangeResult,
  type MemberChange,
} from './membership';
export { decodeConfiguration, encodeConfiguration, type ConfigurationPayload } from './configuration-codec';
export { defaultRaftOptions, type RaftOptions } from './options';
export { committedIndex, majority, voteResult, type VoteResult } from './quorum';
export { Raft, type RaftConfig, type RaftStatus } from './raft';
