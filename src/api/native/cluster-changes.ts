/** The calls of `quorate.v1.ClusterService` that change the members or the leader: check, wish, tell what holds now. */
import type {
  AddMemberRequest,
  AddMemberResponse,
  ClaimMemberRequest,
  Member,
  PromoteMemberRequest,
  RemoveMemberRequest,
  ReplaceMemberRequest,
  ReplaceMemberResponse,
  TransferLeadershipRequest,
  TransferLeadershipResponse,
  UpdateMemberRequest,
} from '../../gen/quorate/v1/cluster';
import type { CallContext, MembershipAuthority } from '../../node/call';
import type { ListedMember, MemberInfo } from '../../node/member-directory';
import { knownLeader, type LeaderSource } from '../leadership';
import { checkedAddress, checkedName, invalid } from '../validate';
import { memberMessage } from './cluster-messages';

/** What changes need of a member. */
export interface ClusterChangeDependencies extends LeaderSource {
  readonly membership: MembershipAuthority;
}

/** Adds a learner; the leader promotes it unless told otherwise. */
export async function addMember(
  { membership }: ClusterChangeDependencies,
  request: AddMemberRequest,
  call: CallContext,
): Promise<AddMemberResponse> {
  const name = checkedName('name', request.name);
  const member = { id: membership.newMemberId(), name, ...checkedAddresses(request) };
  const entry = { ...member, promoteWhenReady: !request.learner, awaitsStart: true };
  await membership.changeMembers({ $case: 'add', value: { member: entry } }, call);
  return { member: listedAs(membership, { ...member, standing: 'learner', awaitsStart: true }) };
}

export async function removeMember(
  { membership }: ClusterChangeDependencies,
  request: RemoveMemberRequest,
  call: CallContext,
): Promise<void> {
  await membership.changeMembers({ $case: 'remove', value: { name: checkedName('name', request.name) } }, call);
}

/** Removes one member and adds another as a voter, in one step. */
export async function replaceMember(
  { membership }: ClusterChangeDependencies,
  request: ReplaceMemberRequest,
  call: CallContext,
): Promise<ReplaceMemberResponse> {
  const name = checkedName('name', request.name);
  const newName = checkedName('new_name', request.newName);
  const member = { id: membership.newMemberId(), name: newName, ...checkedAddresses(request) };
  const entry = { ...member, promoteWhenReady: false, awaitsStart: true };
  await membership.changeMembers({ $case: 'replace', value: { name, member: entry } }, call);
  return { member: listedAs(membership, { ...member, standing: 'voter', awaitsStart: true }) };
}

export async function promoteMember(
  { membership }: ClusterChangeDependencies,
  request: PromoteMemberRequest,
  call: CallContext,
): Promise<void> {
  await membership.changeMembers({ $case: 'promote', value: { name: checkedName('name', request.name) } }, call);
}

/** Moves a member; an address that is left out stays. */
export async function updateMember(
  { membership }: ClusterChangeDependencies,
  request: UpdateMemberRequest,
  call: CallContext,
): Promise<void> {
  const name = checkedName('name', request.name);
  const { peerAddress, clientAddress } = request;
  if (peerAddress === '' && clientAddress === '') {
    throw invalid('peer_address', 'is missing', { limit: 'peer_address, client_address or both', actual: 'neither' });
  }
  if (peerAddress !== '') checkedAddress('peer_address', peerAddress);
  if (clientAddress !== '') checkedAddress('client_address', clientAddress);
  await membership.changeMembers({ $case: 'update', value: { name, peerAddress, clientAddress } }, call);
}

/** Gives a member's place to the process that starts as that member for the first time. */
export async function claimMember(
  { membership }: ClusterChangeDependencies,
  request: ClaimMemberRequest,
  call: CallContext,
): Promise<void> {
  await membership.changeMembers({ $case: 'claim', value: { id: request.id } }, call);
}

/** Hands leadership over, and returns when this member knows the new leader. */
export async function transferLeadership(
  needs: ClusterChangeDependencies,
  request: TransferLeadershipRequest,
  call: CallContext,
): Promise<TransferLeadershipResponse> {
  const { membership } = needs;
  const name = request.name === '' ? '' : checkedName('name', request.name);
  const before = needs.status().leader;
  const chosen = membership.members().find((member) => member.name === name)?.id;
  await membership.changeMembers({ $case: 'transfer', value: { name } }, call);
  const wanted = (id: bigint) => (chosen === undefined ? id !== before : id === chosen);
  return { leader: memberMessage(await knownLeader(needs, wanted, call)) };
}

function checkedAddresses(request: {
  readonly peerAddress: string;
  readonly clientAddress: string;
}): Pick<MemberInfo, 'peerAddress' | 'clientAddress'> {
  return {
    peerAddress: checkedAddress('peer_address', request.peerAddress),
    clientAddress: checkedAddress('client_address', request.clientAddress),
  };
}

/** The member as it is listed now; as it was asked for, if another change has already removed it. */
function listedAs(membership: MembershipAuthority, member: ListedMember): Member {
  return memberMessage(membership.members().find(({ id }) => id === member.id) ?? member);
}
