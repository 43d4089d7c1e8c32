/** Who the members are and where they listen. Raft itself knows only their ids; this stands beside them in the log. */
import { MemberDirectory } from '../gen/quorate/peer/v1/membership';
import { isVoter, type Configuration, type MemberId } from '../raft';

/** One member of the cluster. */
export interface MemberInfo {
  readonly id: MemberId;
  /** Unique in the cluster. */
  readonly name: string;
  /** Where peers reach it, `host:port`. */
  readonly peerAddress: string;
  /** Where clients reach it, `host:port`. */
  readonly clientAddress: string;
}

/** A member as the directory keeps it. */
export interface DirectoryEntry extends MemberInfo {
  /** A learner that becomes a voter once it has caught up (thesis §4.2.1). */
  readonly promoteWhenReady: boolean;
  /**
   * Added and never started: the first process that asks gets its place, and no second one. A member whose disk is lost is
   * thereby kept from coming back under its id (invariant M7).
   */
  readonly awaitsStart: boolean;
}

/** What a member counts for: `leaving` voters count until a joint configuration is left. */
export type Standing = 'voter' | 'learner' | 'leaving';

/** A member and its standing. */
export interface ListedMember extends MemberInfo {
  readonly standing: Standing;
  /** Added and never started. */
  readonly awaitsStart: boolean;
}

/** The context of a configuration entry. */
export function encodeDirectory(members: readonly DirectoryEntry[]): Uint8Array {
  return MemberDirectory.encode({ members: [...members] }).finish();
}

/** @throws Error for bytes that no `encodeDirectory` made */
export function decodeDirectory(context: Uint8Array): readonly DirectoryEntry[] {
  return MemberDirectory.decode(context).members;
}

/** A first member: a voter from the beginning. */
export function firstEntry(member: MemberInfo): DirectoryEntry {
  return { ...member, promoteWhenReady: false, awaitsStart: false };
}

/** `undefined` for somebody who does not belong to the configuration. */
export function standingOf(configuration: Configuration, id: MemberId): Standing | undefined {
  if (configuration.voters.includes(id)) return 'voter';
  if (isVoter(configuration, id)) return 'leaving';
  return configuration.learners.includes(id) ? 'learner' : undefined;
}
