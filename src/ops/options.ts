/** THE table of the program's options. `--help`, flags, `QUORATE_*` variables, the YAML file and all checks come from it. */
import { variableOf } from '../base/names';
import { defaultStoreTaskOptions } from '../kv/store-tasks';
import { defaultNodeOptions } from '../node/options';
import { defaultRaftOptions } from '../raft';
import type { OptionSpec, OptionTable } from './option-spec';
import {
  addressesValue,
  addressTemplateValue,
  addressValue,
  fraction,
  type MemberEntry,
  membersValue,
  nameValue,
  oneOf,
  text,
  wholeNumber,
  yesOrNo,
} from './option-values';
import { type TlsOptions, tlsOptionTable } from './tls-options';

/** All settings of a member, by the names the code uses. */
export interface ServeOptions extends TlsOptions {
  readonly name: string;
  readonly clusterName: string;
  readonly dataDir: string;
  readonly clientListen: string;
  readonly peerListen: string;
  readonly metricsListen: string | undefined;
  readonly initialMembers: readonly MemberEntry[] | undefined;
  readonly join: readonly string[] | undefined;
  readonly forceNewCluster: boolean;
  readonly peerAddressTemplate: string | undefined;
  readonly clientAddressTemplate: string | undefined;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
  readonly maxPageBytes: number;
  readonly maxCallsInFlight: number;
  readonly maxStreamsPerConnection: number;
  readonly frontEnds: number;
  readonly maxWatches: number;
  readonly watchQueueBytes: number;
  readonly watchMemoryBytes: number;
  readonly watchProgressIntervalMs: number;
  readonly maxAppendBytes: number;
  readonly maxInflightAppends: number;
  readonly maxInflightBytes: number;
  readonly maxUncommittedBytes: number;
  readonly maxCachedBytes: number;
  readonly maxPendingReads: number;
  readonly leaseReads: boolean;
  readonly maxClockDrift: number;
  readonly compactLogEntries: number;
  readonly compactLogBytes: number;
  readonly trailingLogEntries: number;
  readonly trailingLogBytes: number;
  readonly slowDiskMs: number;
  readonly maxPromotionLag: number;
  readonly retainMs: number;
  readonly retainRevisions: number;
  readonly maxExpiriesPerSecond: number;
  readonly logLevel: LogLevel;
  readonly logBufferBytes: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const yearMs = 365 * 24 * 3_600_000;
const path = text('path', 'a path, not empty', /^[^\0]+$/);

export const optionTable: OptionTable<ServeOptions> = {
  name: {
    flag: 'name',
    kind: nameValue,
    default: undefined,
    whenAbsent: 'required',
    help: "this member's name, unique in the cluster; its id follows from it, so it must not change",
  },
  clusterName: {
    flag: 'cluster-name',
    kind: nameValue,
    default: 'quorate',
    help: "the cluster's name, the same on all members",
  },
  dataDir: {
    flag: 'data-dir',
    kind: path,
    default: 'quorate-data',
    help: "this member's own directory; made if it is missing",
  },
  clientListen: {
    flag: 'client-listen',
    kind: addressValue,
    default: '127.0.0.1:2379',
    help: 'where to listen for clients',
  },
  peerListen: {
    flag: 'peer-listen',
    kind: addressValue,
    default: '127.0.0.1:2380',
    help: 'where to listen for the other members',
  },
  metricsListen: {
    flag: 'metrics-listen',
    kind: addressValue,
    default: undefined,
    whenAbsent: 'none',
    help: 'where to serve metrics, probes and the version once more, in plain HTTP whatever the clients use: for those who cannot show a certificate',
  },
  ...tlsOptionTable,
  initialMembers: {
    flag: 'initial-members',
    kind: membersValue,
    default: undefined,
    whenAbsent: 'this member alone, at the addresses it listens on',
    help: 'the members the cluster begins with, this one among them, the same on all members',
  },
  join: {
    flag: 'join',
    kind: addressesValue,
    default: undefined,
    whenAbsent: 'begin with the initial members',
    help: 'at the first start of a member that was added by `quorate member add`: where clients reach members of the cluster; not with initial-members',
  },
  forceNewCluster: {
    flag: 'force-new-cluster',
    kind: yesOrNo,
    default: false,
    help: 'when a majority is lost for ever: begin a new cluster of this member alone with the data it has; works once; what the others alone had acknowledged is lost',
  },
  peerAddressTemplate: {
    flag: 'peer-address-template',
    kind: addressTemplateValue,
    default: undefined,
    whenAbsent: 'none',
    help: 'where peers reach the members that initial-members only names; {name} stands for the name',
  },
  clientAddressTemplate: {
    flag: 'client-address-template',
    kind: addressTemplateValue,
    default: undefined,
    whenAbsent: 'none',
    help: 'where clients reach the members that initial-members only names; {name} stands for the name',
  },
  heartbeatIntervalMs: {
    flag: 'heartbeat-interval',
    kind: wholeNumber('ms', 5, 20_000),
    default: defaultRaftOptions.heartbeatIntervalMs,
    help: 'the leader lets no member wait longer than this for a sign of life',
  },
  electionTimeoutMs: {
    flag: 'election-timeout',
    kind: wholeNumber('ms', 50, 60_000),
    default: defaultRaftOptions.electionTimeoutMs,
    help: 'a member that hears nothing from a leader calls an election after one to two times this; at least three heartbeat intervals',
  },
  requestTimeoutMs: {
    flag: 'request-timeout',
    kind: wholeNumber('ms', 10, 600_000),
    default: 5000,
    help: 'how long a call without a deadline of its own may take',
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    kind: wholeNumber('ms', 0, 600_000),
    default: 10_000,
    help: 'on SIGTERM, how long to wait for calls that are being answered',
  },
  maxKeyBytes: {
    flag: 'max-key-bytes',
    kind: wholeNumber('bytes', 1, 64 * KiB),
    default: 4 * KiB,
    help: 'the longest key, in UTF-8; the same on all members',
  },
  maxValueBytes: {
    flag: 'max-value-bytes',
    kind: wholeNumber('bytes', 1, 16 * MiB),
    default: 1 * MiB,
    help: 'the longest value; the same on all members; above 4 MiB most clients must raise their own limit to read it',
  },
  maxPageBytes: {
    flag: 'max-page-bytes',
    kind: wholeNumber('bytes', 1 * KiB, 16 * MiB),
    default: 1 * MiB,
    help: 'the most bytes of keys and values in one page of a listing; a page holds one key at least',
  },
  maxCallsInFlight: {
    flag: 'max-calls-in-flight',
    kind: wholeNumber('calls', 1, 1_000_000),
    default: 10_000,
    help: 'the most calls answered at one time; more are refused with RESOURCE_EXHAUSTED, surely not done',
  },
  maxStreamsPerConnection: {
    flag: 'max-streams-per-connection',
    kind: wholeNumber('streams', 1, 1_000_000),
    default: 2_000,
    help: 'the most calls at one time on one connection; more wait at the client',
  },
  frontEnds: {
    flag: 'front-ends',
    kind: wholeNumber('processes', 0, 64),
    default: 0,
    help: "processes that speak gRPC with clients in the place of the member's own, which then does the rest; for machines with more than two cores; 0: the member's own does all",
  },
  maxWatches: {
    flag: 'max-watches',
    kind: wholeNumber('watches', 1, 10_000_000),
    default: 100_000,
    help: 'the most watches at one time, of all clients together; more are refused with RESOURCE_EXHAUSTED',
  },
  watchQueueBytes: {
    flag: 'watch-queue-bytes',
    kind: wholeNumber('bytes', 1 * KiB, 1 * GiB),
    default: 256 * KiB,
    help: 'events held for one watch whose client reads slowly; beyond, they are dropped and read from the history when it reads on',
  },
  watchMemoryBytes: {
    flag: 'watch-memory-bytes',
    kind: wholeNumber('bytes', 1 * MiB, 64 * GiB),
    default: 64 * MiB,
    help: 'events held for all watches together; an event that many watches wait for counts once',
  },
  watchProgressIntervalMs: {
    flag: 'watch-progress-interval',
    kind: wholeNumber('ms', 100, 24 * 3_600_000),
    default: 600_000,
    help: 'how often a silent watch of the etcd API with progress_notify is told how far it is',
  },
  maxAppendBytes: {
    flag: 'max-append-bytes',
    kind: wholeNumber('bytes', 1 * KiB, 64 * MiB),
    default: defaultRaftOptions.maxAppendBytes,
    help: 'the most entry bytes in one AppendEntries; a larger entry travels alone',
  },
  maxInflightAppends: {
    flag: 'max-inflight-appends',
    kind: wholeNumber('messages', 1, 4096),
    default: defaultRaftOptions.maxInflightAppends,
    help: 'the most AppendEntries with entries on their way to one member',
  },
  maxInflightBytes: {
    flag: 'max-inflight-bytes',
    kind: wholeNumber('bytes', 64 * KiB, 1 * GiB),
    default: defaultRaftOptions.maxInflightBytes,
    help: 'the most entry bytes on their way to one member',
  },
  maxUncommittedBytes: {
    flag: 'max-uncommitted-bytes',
    kind: wholeNumber('bytes', 1 * MiB, 4 * GiB),
    default: defaultRaftOptions.maxUncommittedBytes,
    help: 'the most entry bytes the leader holds that are not yet committed; beyond, writes are refused, surely not done',
  },
  maxCachedBytes: {
    flag: 'max-cached-bytes',
    kind: wholeNumber('bytes', 0, 4 * GiB),
    default: defaultRaftOptions.maxCachedBytes,
    help: 'entry bytes kept in memory for members that lag a little',
  },
  maxPendingReads: {
    flag: 'max-pending-reads',
    kind: wholeNumber('reads', 1, 10_000_000),
    default: defaultRaftOptions.maxPendingReads,
    help: 'the most linearizable reads waiting for a confirmation',
  },
  leaseReads: {
    flag: 'lease-reads',
    kind: yesOrNo,
    default: defaultRaftOptions.leaseReads,
    help: 'answer linearizable reads without asking the others while the leader is sure to lead; right only if no clock drifts more than --max-clock-drift and no machine is ever suspended; the same on all members',
  },
  maxClockDrift: {
    flag: 'max-clock-drift',
    kind: fraction(0, 0.5),
    default: defaultRaftOptions.maxClockDrift,
    help: "by how much one member's clock may be slower than another's, as a fraction: lease reads rely on it, and by so much a lease of a key may end early",
  },
  maxPromotionLag: {
    flag: 'max-promotion-lag',
    kind: wholeNumber('entries', 0, 1_000_000),
    default: defaultRaftOptions.maxPromotionLag,
    help: 'how many committed entries a learner may lack when it is promoted to voter',
  },
  compactLogEntries: {
    flag: 'compact-log-entries',
    kind: wholeNumber('entries', 1, 10_000_000),
    default: defaultNodeOptions.compactLogEntries,
    help: 'the log is cut when so many entries can go, or --compact-log-bytes',
  },
  compactLogBytes: {
    flag: 'compact-log-bytes',
    kind: wholeNumber('bytes', 1 * KiB, 64 * GiB),
    default: defaultNodeOptions.compactLogBytes,
    help: 'the log is cut when so many entry bytes can go, or --compact-log-entries',
  },
  trailingLogEntries: {
    flag: 'trailing-log-entries',
    kind: wholeNumber('entries', 0, 10_000_000),
    default: defaultNodeOptions.trailingLogEntries,
    help: 'entries kept in the log for members that lag a little; one that lags more is sent the whole state',
  },
  trailingLogBytes: {
    flag: 'trailing-log-bytes',
    kind: wholeNumber('bytes', 0, 64 * GiB),
    default: defaultNodeOptions.trailingLogBytes,
    help: 'but no more entry bytes than this',
  },
  slowDiskMs: {
    flag: 'slow-disk',
    kind: wholeNumber('ms', 10, 60_000),
    default: defaultNodeOptions.slowDiskMs,
    help: 'a leader whose disk takes so long for one write hands leadership over',
  },
  retainMs: {
    flag: 'auto-compaction-retention',
    kind: wholeNumber('ms', 0, yearMs),
    default: defaultStoreTaskOptions.retainMs,
    help: 'how long old revisions of keys are kept for reads and watches; 0: for ever, unless there are too many; of the leader',
  },
  retainRevisions: {
    flag: 'auto-compaction-revisions',
    kind: wholeNumber('revisions', 0, 1_000_000_000),
    default: defaultStoreTaskOptions.retainRevisions,
    help: 'the most revisions that are kept, however young, and up to a tenth more; 0: any number; of the leader',
  },
  maxExpiriesPerSecond: {
    flag: 'max-lease-expiries',
    kind: wholeNumber('leases/s', 1, 1_000_000),
    default: defaultStoreTaskOptions.maxExpiriesPerSecond,
    help: 'how many leases may expire in a second; what is due beyond it waits; of the leader',
  },
  logLevel: {
    flag: 'log-level',
    kind: oneOf<LogLevel>(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    help: 'the least important lines to log',
  },
  logBufferBytes: {
    flag: 'log-buffer-bytes',
    kind: wholeNumber('bytes', 16 * KiB, 256 * MiB),
    default: 1 * MiB,
    help: 'log bytes held for a slow reader; beyond, lines are dropped and counted',
  },
};

/** The table as a list, for those who walk it. */
export const optionList = Object.entries(optionTable) as readonly [keyof ServeOptions, OptionSpec<unknown>][];

/** What `--help` says of an option: meaning, range, default. */
export function helpOf(spec: OptionSpec<unknown>): string {
  const fallback = spec.default === undefined ? (spec.whenAbsent ?? 'none') : textOf(spec.default);
  return `${spec.help} (allowed: ${spec.kind.limit}; default: ${fallback}; env: ${variableOf(spec.flag)})`;
}

/** Options with a default are words or numbers; lists have none. */
function textOf(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : typeof value === 'string'
      ? value
      : 'none';
}
