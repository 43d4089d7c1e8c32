/** `etcdserverpb.Maintenance`: the state of one member, copies of it, and care for it. */
import { QuorateError } from '../../base/error';
import type {
  AlarmRequest,
  DefragmentResponse,
  DowngradeRequest,
  HashKVRequest,
  HashKVResponse,
  HashResponse,
  MaintenanceServer,
  MoveLeaderRequest,
  MoveLeaderResponse,
  SnapshotResponse,
  StatusResponse,
} from '../../gen/etcd/etcdserverpb/maintenance';
import type { KvReader } from '../../kv/result';
import type { CallContext, MembershipAuthority } from '../../node/call';
import type { NodeStatus } from '../../node/status';
import { knownLeader, type LeaderSource } from '../leadership';
import type { ServerStreams } from '../server-streams';
import { chunksOf, type SnapshotSource } from '../state-copies';
import { alarm, type AlarmDependencies, alarmTexts } from './alarms';
import { etcdVersion, refuseDowngrade } from './downgrade';
import { EtcdError, etcdErrors } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { headerOf, type HeaderFacts } from './header';
import { positiveNumber } from './kv-requests';

/** What the service needs of a member. */
export interface MaintenanceServiceDependencies extends AlarmDependencies, LeaderSource {
  readonly facts: HeaderFacts;
  readonly reader: Pick<
    KvReader,
    'alarms' | 'revision' | 'quotaBytes' | 'sizeBytes' | 'sizeInUseBytes' | 'hashKv' | 'spaceReclaimed'
  >;
  readonly membership: MembershipAuthority;
  status(): Pick<NodeStatus, 'leader' | 'term' | 'commitIndex' | 'appliedIndex'>;
  isLearner(): boolean;
  readonly snapshots: SnapshotSource;
}

/** The gRPC handlers of the service. */
export function maintenanceServiceHandlers(
  needs: MaintenanceServiceDependencies,
  calls: EtcdCalls,
  streams: ServerStreams,
): MaintenanceServer {
  return {
    status: calls.unary<unknown, StatusResponse>(
      () => Promise.resolve(status(needs)),
      () => true,
    ),
    alarm: calls.unary((request: AlarmRequest, call) => alarm(needs, request, call)),
    defragment: calls.unary<unknown, DefragmentResponse>(() => defragment(needs)),
    hash: calls.unary<unknown, HashResponse>(() => hash(needs)),
    hashKv: calls.unary((request: HashKVRequest) => hashKv(needs, request)),
    moveLeader: calls.unary((request: MoveLeaderRequest, call) => moveLeader(needs, request, call)),
    downgrade: calls.unary<DowngradeRequest, never>(async (request) => refuseDowngrade(request)),
    snapshot: calls.serverStream(streams, () => snapshot(needs)),
  };
}

function status(needs: MaintenanceServiceDependencies): StatusResponse {
  const { reader, facts } = needs;
  const { leader, term, commitIndex, appliedIndex } = needs.status();
  return {
    header: headerOf(facts, reader.revision),
    version: etcdVersion,
    dbSize: BigInt(reader.sizeBytes()),
    leader: leader ?? 0n,
    raftIndex: BigInt(commitIndex),
    raftTerm: BigInt(term),
    raftAppliedIndex: BigInt(appliedIndex),
    errors: [...(leader === undefined ? [etcdErrors['no-leader'][1]] : []), ...alarmTexts(reader.alarms)],
    dbSizeInUse: BigInt(reader.sizeInUseBytes()),
    isLearner: needs.isLearner(),
    // Versions of etcd after 3.5 tell what follows.
    storageVersion: '',
    dbSizeQuota: BigInt(reader.quotaBytes),
    downgradeInfo: undefined,
  };
}

/** Space is given back all the time, beside the other work; this waits until there is none left to give. */
async function defragment({ reader }: MaintenanceServiceDependencies): Promise<DefragmentResponse> {
  await reader.spaceReclaimed();
  return { header: undefined };
}

/** etcd hashes its file, which no two members have in common; here it is the hash of what they do have in common. */
async function hash({ facts, reader }: MaintenanceServiceDependencies): Promise<HashResponse> {
  const { hash: value } = await reader.hashKv(0);
  return { header: headerOf(facts, reader.revision), hash: value };
}

async function hashKv(
  { facts, reader }: MaintenanceServiceDependencies,
  request: HashKVRequest,
): Promise<HashKVResponse> {
  const { hash: value, revision, compactRevision } = await reader.hashKv(positiveNumber(request.revision));
  // -1 before the first compaction, as etcd says it.
  const revisions = { compactRevision: BigInt(compactRevision || -1), hashRevision: BigInt(revision) };
  return { header: headerOf(facts, reader.revision), hash: value, ...revisions };
}

/** Returns when this member knows that the other one leads. */
async function moveLeader(
  needs: MaintenanceServiceDependencies,
  { targetID }: MoveLeaderRequest,
  call: CallContext,
): Promise<MoveLeaderResponse> {
  const { membership, facts } = needs;
  if (needs.status().leader !== facts.memberId) throw new EtcdError('not-leader');
  const successor = membership.members().find(({ id }) => id === targetID);
  if (successor?.standing !== 'voter') throw new EtcdError('bad-transferee');
  if (targetID === facts.memberId) return { header: undefined };
  try {
    await membership.changeMembers({ $case: 'transfer', value: { name: successor.name } }, call);
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'change-refused') throw new EtcdError('transfer-timed-out');
    throw error;
  }
  await knownLeader(needs, (id) => id === targetID, call);
  return { header: undefined };
}

/** The state database, and after it its SHA-256, which `etcdctl` looks for behind a multiple of 512 bytes. */
async function* snapshot({
  snapshots,
}: MaintenanceServiceDependencies): AsyncGenerator<SnapshotResponse, void, undefined> {
  const copy = await snapshots.takeSnapshot();
  try {
    let remaining = copy.sizeBytes;
    for await (const blob of chunksOf(copy)) {
      remaining -= blob.length;
      yield snapshotMessage(remaining, blob);
    }
    yield snapshotMessage(0, Buffer.from(copy.sha256, 'hex'));
  } finally {
    await copy.release();
  }
}

function snapshotMessage(remainingBytes: number, blob: Buffer): SnapshotResponse {
  return { header: undefined, remainingBytes: BigInt(remainingBytes), blob, version: '' };
}
