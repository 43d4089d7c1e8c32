/** The header of the answers of the etcd API: who answered, and at which revision. */
import type { ResponseHeader } from '../../gen/etcd/etcdserverpb/header';
import type { MemberId } from '../../raft';

/** What a member says of itself in every header. */
export interface HeaderFacts {
  readonly clusterId: bigint;
  readonly memberId: MemberId;
  /** The member's Raft term now. Every answer asks: it must cost nothing. */
  term(): number;
}

/**
 * The header of this member's answer.
 *
 * @param revision of a write, the one it made; of a read, the newest at the time of reading; 0 where etcd tells none
 */
export function headerOf(facts: HeaderFacts, revision: number): ResponseHeader {
  const { clusterId, memberId } = facts;
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(facts.term()) };
}

/** The header of an answer within that of a transaction: etcd fills in nothing but the revision. */
export function innerHeader(revision: number): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision: BigInt(revision), raftTerm: 0n };
}
