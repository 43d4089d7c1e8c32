/** Between the messages of the cluster service and the plain values of this client. */
import {
  ReplicationState,
  Role,
  Standing,
  type GetStatusResponse,
  type ListMembersResponse,
  type Member,
} from '../gen/quorate/v1/cluster';
import type {
  MemberDescription,
  MemberRole,
  MembersAnswer,
  MemberStanding,
  MemberStatus,
  PeerProgress,
} from './cluster-types';

export function fromWireMembers(response: ListMembersResponse): MembersAnswer {
  const { clusterId, members, leaderId } = response;
  return { clusterId, members: members.map(fromWireMember), leaderId: leaderId === 0n ? undefined : leaderId };
}

export function fromWireStatus(response: GetStatusResponse): MemberStatus {
  return {
    ...response,
    member: fromWireMember(response.member),
    role: roles.get(response.role) ?? 'unknown',
    leaderId: response.leaderId === 0n ? undefined : response.leaderId,
    peers: response.peers.map((peer) => ({ ...peer, state: replicationStates.get(peer.state) ?? 'unknown' })),
  };
}

/** A member; nobody, should an answer lack it. */
export function fromWireMember(member: Member | undefined): MemberDescription {
  if (member === undefined) return { id: 0n, name: '', peerAddress: '', clientAddress: '', standing: 'unknown' };
  const { id, name, peerAddress, clientAddress } = member;
  return { id, name, peerAddress, clientAddress, standing: standings.get(member.standing) ?? 'unknown' };
}

const roles: ReadonlyMap<Role, MemberRole> = new Map([
  [Role.FOLLOWER, 'follower'],
  [Role.PRE_CANDIDATE, 'pre-candidate'],
  [Role.CANDIDATE, 'candidate'],
  [Role.LEADER, 'leader'],
]);

const standings: ReadonlyMap<Standing, MemberStanding> = new Map([
  [Standing.VOTER, 'voter'],
  [Standing.LEARNER, 'learner'],
  [Standing.LEAVING, 'leaving'],
]);

const replicationStates: ReadonlyMap<ReplicationState, PeerProgress['state']> = new Map([
  [ReplicationState.PROBE, 'probe'],
  [ReplicationState.REPLICATE, 'replicate'],
  [ReplicationState.SNAPSHOT, 'snapshot'],
]);
