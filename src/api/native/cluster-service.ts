/** `quorate.v1.ClusterService`: what this member is and does, answered from memory. */
import {
  type ClusterServiceServer,
  type Member,
  type PeerProgress,
  ReplicationState,
  Standing,
  type GetStatusResponse,
  type ListMembersResponse,
  Role,
} from '../../gen/quorate/v1/cluster';
import type { KvReader } from '../../kv/result';
import type { ListedMember, MemberInfo } from '../../node/member-directory';
import type { NodeStatus, PeerStatus } from '../../node/status';
import type { UnaryCalls } from '../unary-calls';

/** What the service needs of a member. */
export interface ClusterServiceDependencies {
  readonly clusterId: bigint;
  /** This member. */
  readonly self: MemberInfo;
  /** All members, with this one. */
  members(): readonly ListedMember[];
  status(): NodeStatus;
  readonly reader: Pick<KvReader, 'revision' | 'sizeBytes'>;
  /** Bytes of the Raft log on disk. */
  logSizeBytes(): number;
  /** Version of the program. */
  readonly version: string;
}

/** The gRPC handlers of the service. */
export function clusterServiceHandlers(needs: ClusterServiceDependencies, calls: UnaryCalls): ClusterServiceServer {
  return {
    getStatus: calls.handler(() => Promise.resolve(getStatus(needs))),
    listMembers: calls.handler(() => Promise.resolve(listMembers(needs))),
  };
}

function getStatus(needs: ClusterServiceDependencies): GetStatusResponse {
  const status = needs.status();
  return {
    clusterId: needs.clusterId,
    member: selfOf(needs),
    role: roleNumbers[status.role],
    term: status.term,
    leaderId: status.leader ?? 0n,
    commitIndex: status.commitIndex,
    appliedIndex: status.appliedIndex,
    firstLogIndex: status.firstLogIndex,
    lastLogIndex: status.lastLogIndex,
    durableLogIndex: status.durableLogIndex,
    stateDatabaseBytes: needs.reader.sizeBytes(),
    logDatabaseBytes: needs.logSizeBytes(),
    revision: needs.reader.revision,
    version: needs.version,
    hasQuorum: status.hasQuorum,
    peers: status.peers.map(progressOf),
  };
}

function listMembers(needs: ClusterServiceDependencies): ListMembersResponse {
  const members = needs.members().map(memberOf);
  return { clusterId: needs.clusterId, members, leaderId: needs.status().leader ?? 0n };
}

/** This member, as the configuration in force has it; a member that is not in it yet, or not any more, is a learner. */
function selfOf({ self, members }: ClusterServiceDependencies): Member {
  const listed = members().find(({ id }) => id === self.id);
  return memberOf(listed ?? { ...self, standing: 'learner' });
}

function memberOf(member: ListedMember): Member {
  return { ...member, standing: standingNumbers[member.standing] };
}

function progressOf({ id, state, matchIndex, silentMs }: PeerStatus): PeerProgress {
  return { memberId: id, state: stateNumbers[state], matchIndex, silentMs: Math.round(silentMs) };
}

const standingNumbers = {
  voter: Standing.VOTER,
  learner: Standing.LEARNER,
  leaving: Standing.LEAVING,
} as const satisfies Record<ListedMember['standing'], Standing>;

const stateNumbers = {
  probe: ReplicationState.PROBE,
  replicate: ReplicationState.REPLICATE,
  snapshot: ReplicationState.SNAPSHOT,
} as const satisfies Record<PeerStatus['state'], ReplicationState>;

const roleNumbers = {
  follower: Role.FOLLOWER,
  'pre-candidate': Role.PRE_CANDIDATE,
  candidate: Role.CANDIDATE,
  leader: Role.LEADER,
} as const satisfies Record<NodeStatus['role'], Role>;
