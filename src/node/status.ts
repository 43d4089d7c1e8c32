/** The state of a member at one instant, for people, probes and other programs. */
import type { MemberId, Role } from '../raft';

/** Read from memory; never waits. */
export interface NodeStatus {
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly firstLogIndex: number;
  readonly lastLogIndex: number;
  readonly durableLogIndex: number;
  /** In contact with a quorum: as the leader, or through a leader heard from within an election timeout. */
  readonly hasQuorum: boolean;
  /** Leads, and confirms reads under its lease: without asking anybody. Never without the option `leaseReads`. */
  readonly holdsReadLease: boolean;
  /** Every peer, while this member leads; otherwise empty. */
  readonly peers: readonly PeerStatus[];
}

/** What a leader knows of one peer. */
export interface PeerStatus {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** The last log index known to be durable there. */
  readonly matchIndex: number;
  /** Since it was last heard from, ms. */
  readonly silentMs: number;
}
