/** `quorate.v1.ClusterService`: what this member is and does, answered from memory. */
import {
  type ClusterServiceServer,
  type GetStatusResponse,
  type ListMembersResponse,
  Role,
} from '../../gen/quorate/v1/cluster';
import type { KvReader } from '../../kv/result';
import type { MemberInfo } from '../../node/member-directory';
import type { NodeStatus } from '../../node/status';
import type { UnaryCalls } from '../unary-calls';

/** What the service needs of a member. */
export interface ClusterServiceDependencies {
  readonly clusterId: bigint;
  /** This member. */
  readonly self: MemberInfo;
  /** All members, with this one. */
  members(): readonly MemberInfo[];
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
    member: { ...needs.self },
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
  };
}

function listMembers(needs: ClusterServiceDependencies): ListMembersResponse {
  const members = needs
    .members()
    .map((member) => ({ ...member }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { clusterId: needs.clusterId, members, leaderId: needs.status().leader ?? 0n };
}

const roleNumbers = {
  follower: Role.FOLLOWER,
  'pre-candidate': Role.PRE_CANDIDATE,
  candidate: Role.CANDIDATE,
  leader: Role.LEADER,
} as const satisfies Record<NodeStatus['role'], Role>;
