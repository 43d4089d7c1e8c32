/** What the verbs about the members of the cluster take and give. */

/** A member's part in its term. */
export type MemberRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader' | 'unknown';

/** What a member counts for: a learner does not, a leaving voter still does. */
export type MemberStanding = 'voter' | 'learner' | 'leaving' | 'unknown';

/** Who a member is, where it listens, and what it counts for. */
export interface MemberDescription {
  readonly id: bigint;
  readonly name: string;
  /** `host:port` for its peers. */
  readonly peerAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  readonly standing: MemberStanding;
}

/** A member that is to join. */
export interface NewMember {
  /** Unique in the cluster: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 63. */
  readonly name: string;
  /** Where its peers will reach it, `host:port`. */
  readonly peerAddress: string;
  /** Where clients will reach it, `host:port`. */
  readonly clientAddress: string;
}

/** Where a member is reached from now on; what is left out stays. */
export interface MemberMove {
  readonly peerAddress?: string;
  readonly clientAddress?: string;
}

/** What the leader knows of one peer. */
export interface PeerProgress {
  readonly memberId: bigint;
  /** Finding out where the logs agree, sending entries as they come, or sending the whole state. */
  readonly state: 'probe' | 'replicate' | 'snapshot' | 'unknown';
  /** The last log index known to be durable there. */
  readonly matchIndex: number;
  /** Milliseconds since it was last heard from. */
  readonly silentMs: number;
}

/** The members as one of them knows them. */
export interface MembersAnswer {
  readonly clusterId: bigint;
  readonly members: readonly MemberDescription[];
  /** `undefined` while the answering member knows no leader. */
  readonly leaderId: bigint | undefined;
}

/** The state of one member at one instant. Indexes are of the Raft log. */
export interface MemberStatus {
  readonly clusterId: bigint;
  readonly member: MemberDescription;
  readonly role: MemberRole;
  readonly term: number;
  readonly leaderId: bigint | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly firstLogIndex: number;
  readonly lastLogIndex: number;
  readonly durableLogIndex: number;
  readonly stateDatabaseBytes: number;
  readonly logDatabaseBytes: number;
  readonly revision: number;
  readonly version: string;
  readonly hasQuorum: boolean;
  /** Every peer, if this member leads; otherwise empty. */
  readonly peers: readonly PeerProgress[];
}
