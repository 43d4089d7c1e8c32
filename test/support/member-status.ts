/** Builds what a member tells of itself. */
import type { MemberStatus } from '../../src/client';

/** The state of the member `mN`, a follower of `m1` in term 3 unless told otherwise. */
export function memberStatus(name: string, more: Partial<MemberStatus> = {}): MemberStatus {
  const number = name.slice(1);
  return {
    clusterId: 9n,
    member: {
      id: BigInt(number),
      name,
      peerAddress: `127.0.0.1:10${number}`,
      clientAddress: `127.0.0.1:${number}`,
      standing: 'voter',
    },
    role: 'follower',
    term: 3,
    leaderId: 1n,
    commitIndex: 7,
    appliedIndex: 7,
    firstLogIndex: 1,
    lastLogIndex: 8,
    durableLogIndex: 8,
    stateDatabaseBytes: 2048,
    logDatabaseBytes: 4096,
    revision: 5,
    version: '1.2.3',
    hasQuorum: true,
    peers: [],
    ...more,
  };
}
