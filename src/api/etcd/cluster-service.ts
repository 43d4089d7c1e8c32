/** `etcdserverpb.Cluster`: the members and their changes, by id and URL as etcd has them, over the one authority. */
import { QuorateError } from '../../base/error';
import type {
  ClusterServer,
  MemberAddRequest,
  MemberAddResponse,
  MemberListRequest,
  MemberListResponse,
  MemberPromoteRequest,
  MemberRemoveRequest,
  MemberUpdateRequest,
} from '../../gen/etcd/etcdserverpb/cluster';
import type { CallContext, MembershipAuthority, Proposer } from '../../node/call';
import type { ListedMember } from '../../node/member-directory';
import type { Wish } from '../../node/membership-plan';
import { EtcdError, type EtcdErrorName } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';
import { addressOf, memberMessage, type Secured, unstartedName } from './member-messages';

/** What the service needs of a member. */
export interface ClusterServiceDependencies {
  readonly facts: HeaderFacts;
  readonly secured: Secured;
  readonly membership: MembershipAuthority;
  readonly proposer: Pick<Proposer<unknown>, 'readBarrier'>;
}

/** The gRPC handlers of the service. */
export function clusterServiceHandlers(needs: ClusterServiceDependencies, calls: EtcdCalls): ClusterServer {
  return {
    memberList: calls.unary((request: MemberListRequest, call) => memberList(needs, request, call)),
    memberAdd: calls.unary((request: MemberAddRequest, call) => memberAdd(needs, request, call)),
    memberRemove: calls.unary(async (request: MemberRemoveRequest, call) => {
      await memberRemove(needs, request, call);
      return listing(needs);
    }),
    memberUpdate: calls.unary(async (request: MemberUpdateRequest, call) => {
      await memberUpdate(needs, request, call);
      return listing(needs);
    }),
    memberPromote: calls.unary(async (request: MemberPromoteRequest, call) => {
      await memberPromote(needs, request, call);
      return listing(needs);
    }),
  };
}

async function memberList(
  needs: ClusterServiceDependencies,
  { linearizable }: MemberListRequest,
  call: CallContext,
): Promise<MemberListResponse> {
  if (linearizable) await needs.proposer.readBarrier(call);
  return listing(needs);
}

/**
 * Adds a member. It begins as a learner also when a voter is wished; the leader then promotes it once it has caught up.
 *
 * etcd gives a member its name and its client URL when it starts. Here the name is its id until it is changed, and the
 * process that starts as this member is told it (`quorate serve --join`).
 */
async function memberAdd(
  needs: ClusterServiceDependencies,
  { peerURLs, isLearner }: MemberAddRequest,
  call: CallContext,
): Promise<MemberAddResponse> {
  const peerAddress = addressOf(peerURLs);
  refuseTaken(needs, peerAddress, undefined);
  const id = needs.membership.newMemberId();
  const member = { id, name: unstartedName(id), peerAddress, clientAddress: '', awaitsStart: true };
  const wish: Wish = { $case: 'add', value: { member: { ...member, promoteWhenReady: !isLearner } } };
  await change(needs, wish, call);
  const listed = needs.membership.members().find((other) => other.id === id);
  return { ...listing(needs), member: memberMessage(listed ?? { ...member, standing: 'learner' }, needs.secured) };
}

async function memberRemove(
  needs: ClusterServiceDependencies,
  { ID }: MemberRemoveRequest,
  call: CallContext,
): Promise<void> {
  await change(needs, { $case: 'remove', value: { name: known(needs, ID).name } }, call);
}

/** Moves a member; where it is reached already, nothing has to be done. */
async function memberUpdate(
  needs: ClusterServiceDependencies,
  { ID, peerURLs }: MemberUpdateRequest,
  call: CallContext,
): Promise<void> {
  const peerAddress = addressOf(peerURLs);
  const member = known(needs, ID);
  refuseTaken(needs, peerAddress, member);
  if (member.peerAddress === peerAddress) return;
  await change(needs, { $case: 'update', value: { name: member.name, peerAddress, clientAddress: '' } }, call);
}

async function memberPromote(
  needs: ClusterServiceDependencies,
  { ID }: MemberPromoteRequest,
  call: CallContext,
): Promise<void> {
  const member = known(needs, ID);
  if (member.standing !== 'learner') throw new EtcdError('not-a-learner');
  await change(needs, { $case: 'promote', value: { name: member.name } }, call);
}

/**
 * What a refusal by the leader most likely means; what this member can see itself was checked before.
 */
const refusals: Readonly<Partial<Record<Wish['$case'], EtcdErrorName>>> = {
  promote: 'learner-not-ready',
  remove: 'unhealthy-cluster',
  add: 'unhealthy-cluster',
  update: 'unhealthy-cluster',
};

async function change(needs: ClusterServiceDependencies, wish: Wish, call: CallContext): Promise<void> {
  try {
    await needs.membership.changeMembers(wish, call);
  } catch (error) {
    const refusal = refusals[wish.$case];
    if (error instanceof QuorateError && error.code === 'change-refused' && refusal !== undefined) {
      throw new EtcdError(refusal);
    }
    throw error;
  }
}

/** @throws EtcdError `member-not-found` */
function known({ membership }: ClusterServiceDependencies, id: bigint): ListedMember {
  const member = membership.members().find((other) => other.id === id);
  if (member === undefined) throw new EtcdError('member-not-found');
  return member;
}

/** @throws EtcdError `peer-url-exists` */
function refuseTaken(
  { membership }: ClusterServiceDependencies,
  peerAddress: string,
  exceptFor: ListedMember | undefined,
): void {
  const isTaken = membership.members().some((other) => other !== exceptFor && other.peerAddress === peerAddress);
  if (isTaken) throw new EtcdError('peer-url-exists');
}

/** The answer of every call of this service, in the order of ids; etcd tells no revision in it. */
function listing({ facts, membership, secured }: ClusterServiceDependencies): MemberListResponse {
  const members = [...membership.members()].sort((one, other) => (one.id < other.id ? -1 : 1));
  return { header: headerOf(facts, 0), members: members.map((member) => memberMessage(member, secured)) };
}
