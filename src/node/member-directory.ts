/** Who the members are and where they listen. Raft itself knows only their ids. */
import type { MemberId } from '../raft';

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
