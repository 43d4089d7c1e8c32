/** `quorate.v1.ElectionService`: check, wait, map, reply. */
import { QuorateError } from '../../base/error';
import type {
  CampaignRequest,
  CampaignResponse,
  ElectionServiceServer,
  GetLeaderRequest,
  GetLeaderResponse,
  Leader,
  ObserveRequest,
  ObserveResponse,
  ProclaimRequest,
  ProclaimResponse,
  ResignRequest,
  ResignResponse,
} from '../../gen/quorate/v1/election';
import type { KeyRecord, KvReader } from '../../kv/result';
import type { CallContext } from '../../node/call';
import type { ReadGate } from '../read-gate';
import type { Recipes } from '../recipes/recipes';
import { checkedRequestId } from '../request-ids';
import type { UnaryCalls } from '../unary-calls';
import { checkedKey, checkedValue, invalid, type RequestValue } from '../validate';
import type { WaitingCall } from '../waiting-calls';
import { checkedQueueName, checkedToken, leaseOfHold } from './contender';
import { keyValueMessage } from './kv/messages';
import type { RequestBounds } from './mutation';

/** What the service needs of a member. */
export interface ElectionServiceDependencies extends RequestBounds {
  readonly reads: ReadGate;
  readonly reader: Pick<KvReader, 'revision'>;
}

type Needs = ElectionServiceDependencies & Pick<Recipes, 'elections'>;

/** The gRPC handlers of the service. */
export function electionServiceHandlers(
  member: ElectionServiceDependencies,
  calls: UnaryCalls,
  { elections, waiting, observers }: Recipes,
): ElectionServiceServer {
  const needs = { ...member, elections };
  return {
    campaign: waiting.handler((request: CampaignRequest, call) => campaign(needs, request, call)),
    proclaim: calls.handler((request: ProclaimRequest, call) => proclaim(needs, request, call)),
    resign: calls.handler((request: ResignRequest, call) => resign(needs, request, call)),
    getLeader: calls.handler((request: GetLeaderRequest, call) => getLeader(needs, request, call)),
    observe: observers.handler((request: ObserveRequest, call) => observe(needs, request, call.signal)),
  };
}

async function campaign(needs: Needs, request: CampaignRequest, call: WaitingCall): Promise<CampaignResponse> {
  const { limits, wallClock } = needs;
  const name = checkedQueueName(request.name, limits.maxKeyBytes);
  const value = checkedValueOrNone(request.value, limits.maxValueBytes);
  const lease = leaseOfHold(request.hold, checkedRequestId(request.requestId, wallClock()));
  const place = await needs.elections.campaign({ name, ...value, lease }, call.signal);
  if (place === undefined) throw lost();
  const key = Buffer.from(place.key).toString('utf8');
  return { key, fencingToken: place.createRevision, leaseId: place.lease, revision: needs.reader.revision };
}

async function proclaim(needs: Needs, request: ProclaimRequest, call: CallContext): Promise<ProclaimResponse> {
  const { limits, wallClock } = needs;
  const key = checkedKey(request.key, limits.maxKeyBytes);
  const createRevision = checkedToken(request.fencingToken);
  if (createRevision === undefined) throw invalid('fencing_token', 'is missing', { limit: '1 or more', actual: '0' });
  const value = checkedValueOrNone(request.value, limits.maxValueBytes);
  const requestId = checkedRequestId(request.requestId, wallClock());
  const { done, revision, replayed } = await needs.elections.proclaim(
    { key, createRevision, ...value, requestId },
    call,
  );
  if (!done) throw new QuorateError('precondition-failed', 'nobody leads by this key and token any more');
  return { revision, replayed };
}

async function resign(needs: Needs, request: ResignRequest, call: CallContext): Promise<ResignResponse> {
  const place = {
    key: checkedKey(request.key, needs.limits.maxKeyBytes),
    createRevision: checkedToken(request.fencingToken),
    requestId: checkedRequestId(request.requestId, needs.wallClock()),
  };
  const { freed: resigned, revision, replayed } = await needs.elections.resign(place, call);
  return { resigned, revision, replayed };
}

async function getLeader(
  needs: Needs,
  { name, consistency }: GetLeaderRequest,
  call: CallContext,
): Promise<GetLeaderResponse> {
  const queue = checkedQueueName(name, needs.limits.maxKeyBytes);
  await needs.reads.admit({ consistency, maxStaleness: undefined, minRevision: 0 }, call);
  const { first, revision } = needs.elections.standing(queue);
  return { leader: leaderMessage(first), revision };
}

async function* observe(
  needs: Needs,
  { name }: ObserveRequest,
  signal: AbortSignal,
): AsyncGenerator<ObserveResponse, void, undefined> {
  const queue = checkedQueueName(name, needs.limits.maxKeyBytes);
  for await (const { leader, revision } of needs.elections.observe(queue, signal)) {
    yield { leader: leaderMessage(leader), revision };
  }
}

function leaderMessage(record: KeyRecord | undefined): Leader | undefined {
  if (record === undefined) return undefined;
  return { kv: keyValueMessage(record, false), fencingToken: record.createRevision };
}

function checkedValueOrNone(value: RequestValue, maxValueBytes: number) {
  return checkedValue(value ?? { $case: 'text', value: '' }, maxValueBytes);
}

function lost(): QuorateError {
  return new QuorateError('not-found', 'the lease has ended, or the key was deleted, during the campaign');
}
