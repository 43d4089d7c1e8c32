/** `v3electionpb.Election`: check, wait, map, reply. */
import type {
  CampaignRequest,
  CampaignResponse,
  ElectionServer,
  LeaderKey,
  LeaderRequest,
  LeaderResponse,
  ProclaimRequest,
  ProclaimResponse,
  ResignRequest,
  ResignResponse,
} from '../../gen/etcd/v3electionpb/election';
import type { KvReader, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import type { Recipes } from '../recipes/recipes';
import type { WaitingCall } from '../waiting-calls';
import { contenderOf } from './contender';
import { EtcdError } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';
import { bufferOf, keyValueOf } from './kv-messages';
import { storeNumber } from './kv-requests';

/** What the service needs of a member. */
export interface ElectionServiceDependencies {
  readonly facts: HeaderFacts;
  readonly proposer: Pick<Proposer<Result>, 'readBarrier'>;
  readonly reader: Pick<KvReader, 'revision'>;
}

type Needs = ElectionServiceDependencies & Pick<Recipes, 'elections'>;

/** The gRPC handlers of the service. */
export function electionServiceHandlers(
  member: ElectionServiceDependencies,
  calls: EtcdCalls,
  { elections, waiting, observers }: Recipes,
): ElectionServer {
  const needs = { ...member, elections };
  return {
    campaign: calls.waiting(waiting, (request: CampaignRequest, call) => campaign(needs, request, call)),
    proclaim: calls.unary((request: ProclaimRequest, call) => proclaim(needs, request, call)),
    leader: calls.unary((request: LeaderRequest, call) => leader(needs, request, call)),
    observe: calls.serverStream(observers, (request: LeaderRequest, call) => observe(needs, request, call.signal)),
    resign: calls.unary((request: ResignRequest, call) => resign(needs, request, call)),
  };
}

async function campaign(needs: Needs, request: CampaignRequest, call: WaitingCall): Promise<CampaignResponse> {
  const place = await needs.elections.campaign(contenderOf(request), call.signal);
  if (place === undefined) throw new EtcdError('not-elected');
  const { name, key, lease, createRevision } = place;
  const leaderKey = { name: bufferOf(name), key: bufferOf(key), rev: BigInt(createRevision), lease };
  return { header: headerOf(needs.facts, needs.reader.revision), leader: leaderKey };
}

async function proclaim(
  needs: Needs,
  { leader: leaderKey, value }: ProclaimRequest,
  call: CallContext,
): Promise<ProclaimResponse> {
  const place = placeOf(leaderKey);
  const { done, revision } = await needs.elections.proclaim({ ...place, value, form: 'bytes' }, call);
  if (!done) throw new EtcdError('not-elected');
  return { header: headerOf(needs.facts, revision) };
}

async function leader(needs: Needs, { name }: LeaderRequest, call: CallContext): Promise<LeaderResponse> {
  await needs.proposer.readBarrier(call);
  const { first, revision } = needs.elections.standing(name);
  if (first === undefined) throw new EtcdError('no-elected-leader');
  return { header: headerOf(needs.facts, revision), kv: keyValueOf(first) };
}

/** etcd says nothing while nobody leads. */
async function* observe(
  needs: Needs,
  { name }: LeaderRequest,
  signal: AbortSignal,
): AsyncGenerator<LeaderResponse, void, undefined> {
  for await (const { leader: kv, revision } of needs.elections.observe(name, signal)) {
    if (kv !== undefined) yield { header: headerOf(needs.facts, revision), kv: keyValueOf(kv) };
  }
}

async function resign(needs: Needs, { leader: leaderKey }: ResignRequest, call: CallContext): Promise<ResignResponse> {
  const { revision } = await needs.elections.resign(placeOf(leaderKey), call);
  return { header: headerOf(needs.facts, revision) };
}

/** @throws EtcdError `no-leader-key`, `empty-key` */
function placeOf(leaderKey: LeaderKey | undefined) {
  if (leaderKey === undefined) throw new EtcdError('no-leader-key');
  if (leaderKey.key.length === 0) throw new EtcdError('empty-key');
  return { key: leaderKey.key, createRevision: storeNumber(leaderKey.rev), requestId: undefined };
}
