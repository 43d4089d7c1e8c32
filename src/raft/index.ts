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
export type { ConfigurationChange, Event, Proposal, ProposalBatch } from './event';
export type {
  ChangeAnswer,
  Load,
  Persist,
  ProposeResult,
  ReadResult,
  RefusedByLeader,
  RoleChange,
  TransferAnswer,
  TransferRefusal,
  Update,
  Warning,
} from './update';
export type { ApplyUntil, Snapshot, SnapshotOffer, SnapshotReceiver, StateMachine } from './state-machine';
export { entryBytes, type LogStart } from './log';
export {
  allMembers,
  enterJoint,
  isJoint,
  isMember,
  isValidConfiguration,
  isVoter,
  leaveJoint,
  mayFollow,
  planChange,
  sameConfiguration,
  sameVoters,
  simpleChange,
  simpleConfiguration,
  type ChangeRefusal,
  type ChangeResult,
  type MemberChange,
} from './membership';
export { decodeConfiguration, encodeConfiguration, type ConfigurationPayload } from './configuration-codec';
export { commitNewsMs, defaultRaftOptions, type RaftOptions } from './options';
export type { ProgressState } from './progress';
export { committedIndex, majority, reachedByQuorum, voteResult, type VoteResult } from './quorum';
export { Raft, type RaftConfig } from './raft';
export type { PeerStatus, RaftStatus } from './status';
