/** `quorate.v1.ClusterService`: what this member is and does, answered from memory; and changes of the members. */
import type {
  AddMemberRequest,
  ClaimMemberRequest,
  ClusterServiceServer,
  GetStatusResponse,
  ListMembersResponse,
  Member,
  PromoteMemberRequest,
  RemoveMemberRequest,
  ReplaceMemberRequest,
  TransferLeadershipRequest,
  UpdateMemberRequest,
} from '../../gen/quorate/v1/cluster';
import type { KvReader } from '../../kv/result';
import type { MemberInfo } from '../../node/member-directory';
import type { NodeStatus } from '../../node/status';
import type { UnaryCalls } from '../unary-calls';
import {
  addMember,
  claimMember,
  type ClusterChangeDependencies,
  promoteMember,
  removeMember,
  replaceMember,
  transferLeadership,
  updateMember,
} from './cluster-changes';
import { memberMessage, progressMessage, roleNumbers } from './cluster-messages';

/** What the service needs of a member. */
export interface ClusterServiceDependencies extends ClusterChangeDependencies {
  readonly clusterId: bigint;
  /** This member. */
  readonly self: MemberInfo;
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
    addMember: calls.handler((request: AddMemberRequest, call) => addMember(needs, request, call)),
    removeMember: calls.handler(async (request: RemoveMemberRequest, call) => {
      await removeMember(needs, request, call);
      return {};
    }),
    replaceMember: calls.handler((request: ReplaceMemberRequest, call) => replaceMember(needs, request, call)),
    promoteMember: calls.handler(async (request: PromoteMemberRequest, call) => {
      await promoteMember(needs, request, call);
      return {};
    }),
    updateMember: calls.handler(async (request: UpdateMemberRequest, call) => {
      await updateMember(needs, request, call);
      return {};
    }),
    claimMember: calls.handler(async (request: ClaimMemberRequest, call) => {
      await claimMember(needs, request, call);
      return {};
    }),
    transferLeadership: calls.handler((request: TransferLeadershipRequest, call) =>
      transferLeadership(needs, request, call),
    ),
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
    peers: status.peers.map(progressMessage),
  };
}

function listMembers(needs: ClusterServiceDependencies): ListMembersResponse {
  const members = needs.membership.members().map(memberMessage);
  return { clusterId: needs.clusterId, members, leaderId: needs.status().leader ?? 0n };
}

/** This member, as the configuration in force has it; a member that is not in it yet, or not any more, is a learner. */
function selfOf({ self, membership }: ClusterServiceDependencies): Member {
  const listed = membership.members().find(({ id }) => id === self.id);
  return memberMessage(listed ?? { ...self, standing: 'learner', awaitsStart: false });
}
