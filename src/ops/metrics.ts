/** The numbers of a member in the format of Prometheus. Everything is looked up when a page is read, so that no call pays. */
import { status as grpcStatus } from '@grpc/grpc-js';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { MetricsPage } from '../base/metrics';
import type { KvReader } from '../kv/result';
import type { NodeStatus } from '../node/status';
import type { MemberId } from '../raft';

type StoreNumbers =
  | 'revision'
  | 'compactRevision'
  | 'quotaBytes'
  | 'alarms'
  | 'keyCount'
  | 'leaseCount'
  | 'requestCount'
  | 'sizeBytes'
  | 'sizeInUseBytes';

/** Where the numbers come from. */
export interface MetricsSources {
  readonly status: () => NodeStatus;
  /** The name of a member, for people. */
  readonly nameOf: (id: MemberId) => string | undefined;
  readonly store: Pick<KvReader, StoreNumbers>;
  /** Bytes on disk. */
  readonly logSizeBytes: () => number;
  readonly calls: {
    /** Unary calls begun and not yet answered. */
    readonly inFlight: number;
    /** Unary calls answered since the start, by status. */
    readonly answered: ReadonlyMap<grpcStatus, number>;
  };
  readonly watches: {
    readonly size: number;
    /** What waits in the member's memory for readers, bytes. */
    readonly totalQueuedBytes: number;
  };
  /** Processes that serve clients beside the member's own. */
  readonly frontEnds: () => { readonly running: number; readonly restarts: number };
  readonly version: string;
}

/** One number. */
interface Figure {
  readonly name: string;
  readonly help: string;
  readonly value: (sources: MetricsSources) => number;
}

const yes = (is: boolean): number => (is ? 1 : 0);

const figures: readonly Figure[] = [
  {
    name: 'quorate_is_leader',
    help: 'Whether this member leads.',
    value: ({ status }) => yes(status().role === 'leader'),
  },
  {
    name: 'quorate_has_leader',
    help: 'Whether this member knows of a leader.',
    value: ({ status }) => yes(status().leader !== undefined),
  },
  {
    name: 'quorate_has_quorum',
    help: 'Whether this member is in contact with a quorum.',
    value: ({ status }) => yes(status().hasQuorum),
  },
  {
    name: 'quorate_term',
    help: 'The term of Raft. It rises with each election.',
    value: ({ status }) => status().term,
  },
  {
    name: 'quorate_commit_index',
    help: 'The last log entry that this member knows to be committed.',
    value: ({ status }) => status().commitIndex,
  },
  {
    name: 'quorate_applied_index',
    help: 'The last log entry that is applied here.',
    value: ({ status }) => status().appliedIndex,
  },
  {
    name: 'quorate_durable_index',
    help: 'The last log entry that is on the disk here.',
    value: ({ status }) => status().durableLogIndex,
  },
  {
    name: 'quorate_log_entries',
    help: 'Entries that the log holds.',
    value: ({ status }) => status().lastLogIndex - status().firstLogIndex + 1,
  },
  { name: 'quorate_log_bytes', help: 'Size of the log on disk.', value: ({ logSizeBytes }) => logSizeBytes() },
  { name: 'quorate_state_bytes', help: 'Size of the state on disk.', value: ({ store }) => store.sizeBytes() },
  {
    name: 'quorate_state_in_use_bytes',
    help: 'What of the state on disk holds something: the quota is about this.',
    value: ({ store }) => store.sizeInUseBytes(),
  },
  {
    name: 'quorate_quota_bytes',
    help: 'The quota of the state; 0 for none.',
    value: ({ store }) => store.quotaBytes,
  },
  {
    name: 'quorate_revision',
    help: 'The revision of the store here. It rises with each mutation.',
    value: ({ store }) => store.revision,
  },
  {
    name: 'quorate_compact_revision',
    help: 'Up to there the history is compacted.',
    value: ({ store }) => store.compactRevision,
  },
  { name: 'quorate_keys', help: 'Keys that exist now.', value: ({ store }) => store.keyCount },
  { name: 'quorate_leases', help: 'Leases that exist now.', value: ({ store }) => store.leaseCount },
  {
    name: 'quorate_remembered_requests',
    help: 'Request ids whose results are remembered.',
    value: ({ store }) => store.requestCount,
  },
  { name: 'quorate_watches', help: 'Watches at this member.', value: ({ watches }) => watches.size },
  {
    name: 'quorate_watch_queue_bytes',
    help: 'Events that wait in memory for readers of watches.',
    value: ({ watches }) => watches.totalQueuedBytes,
  },
  {
    name: 'quorate_calls_in_flight',
    help: 'Unary calls begun and not yet answered.',
    value: ({ calls }) => calls.inFlight,
  },
  {
    name: 'quorate_front_ends',
    help: 'Front ends that are at work; 0 where the member serves its clients itself.',
    value: ({ frontEnds }) => frontEnds().running,
  },
];

/** What etcd calls some of them, by our names: for its dashboards and alerts. */
const etcdNames: Readonly<Record<string, string>> = {
  quorate_has_leader: 'etcd_server_has_leader',
  quorate_is_leader: 'etcd_server_is_leader',
  quorate_commit_index: 'etcd_server_proposals_committed_total',
  quorate_applied_index: 'etcd_server_proposals_applied_total',
  quorate_state_bytes: 'etcd_mvcc_db_total_size_in_bytes',
  quorate_state_in_use_bytes: 'etcd_mvcc_db_total_size_in_use_in_bytes',
  quorate_keys: 'etcd_debugging_mvcc_keys_total',
};

/** The page of a member, with what Node tells of its process: memory, CPU, the event loop, garbage collection. */
export function metricsPage(sources: MetricsSources): MetricsPage {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const add = ({ name, help, value }: Figure): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(sources));
      },
    });
  };
  for (const figure of figures) {
    add(figure);
    const etcdName = etcdNames[figure.name];
    if (etcdName !== undefined) add({ ...figure, name: etcdName, help: `As ${figure.name}.` });
  }
  new Gauge({ name: 'quorate_info', help: 'The version of the program.', labelNames: ['version'], registers }).set(
    { version: sources.version },
    1,
  );
  addAlarms(sources, registers);
  addCalls(sources, registers);
  addFrontEndRestarts(sources, registers);
  addPeers(sources, registers);
  return { contentType: registry.contentType, read: () => registry.metrics() };
}

function addAlarms({ store }: MetricsSources, registers: Registry[]): void {
  new Gauge({
    name: 'quorate_alarms',
    help: 'Alarms that stand, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      for (const { alarm } of store.alarms) this.inc({ kind: alarm });
    },
  });
}

function addCalls({ calls }: MetricsSources, registers: Registry[]): void {
  new Counter({
    name: 'quorate_unary_calls_total',
    help: 'Unary calls answered since the start, by the status of gRPC.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of calls.answered) this.inc({ code: grpcStatus[code] }, count);
    },
  });
}

function addFrontEndRestarts({ frontEnds }: MetricsSources, registers: Registry[]): void {
  new Counter({
    name: 'quorate_front_end_restarts_total',
    help: 'Front ends that were started in the place of one that had ended.',
    registers,
    collect() {
      this.reset();
      this.inc(frontEnds().restarts);
    },
  });
}

/** Of a leader alone: it is the only one that knows. */
function addPeers({ status, nameOf }: MetricsSources, registers: Registry[]): void {
  const gauge = (name: string, help: string, value: (peer: NodeStatus['peers'][number]) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['peer'],
      registers,
      collect() {
        this.reset();
        for (const peer of status().peers) this.set({ peer: nameOf(peer.id) ?? String(peer.id) }, value(peer));
      },
    });
  };
  gauge('quorate_peer_match_index', 'The last log entry known to be durable at a peer.', (peer) => peer.matchIndex);
  gauge('quorate_peer_silent_seconds', 'How long a peer was not heard from.', (peer) => peer.silentMs / 1000);
}
