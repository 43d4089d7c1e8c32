/** What etcd tells with plain HTTP: its version, and whether it is well. */
import type { KvReader, Result } from '../../../kv/result';
import type { Proposer } from '../../../node/call';
import type { NodeStatus } from '../../../node/status';
import type { Scheduler } from '../../../base/clock';
import { QuorateError } from '../../../base/error';
import { toldAlarms } from '../../told-alarms';
import { etcdVersion } from '../downgrade';

/** What probes look at. */
export interface ProbeDependencies {
  readonly proposer: Pick<Proposer<Result>, 'readBarrier'>;
  readonly reader: Pick<KvReader, 'alarms'>;
  status(): Pick<NodeStatus, 'leader'>;
  isLearner(): boolean;
  readonly scheduler: Pick<Scheduler, 'now'>;
}

/** An answer in HTTP. */
export interface ProbeAnswer {
  readonly status: 200 | 404 | 503;
  readonly type: 'json' | 'text';
  readonly body: string;
}

/** How long a linearizable read may take before the member counts as ill, milliseconds. */
const readTimeoutMs = 1000;

/** Answers GET; `undefined` for a path that is none of these. Never rejects. */
export async function probe(
  needs: ProbeDependencies,
  { pathname, searchParams }: URL,
): Promise<ProbeAnswer | undefined> {
  if (pathname === '/version') return version();
  if (pathname === '/health') return health(needs, searchParams);
  const [, kind = '', only] = pathname.split('/');
  if (kind !== 'livez' && kind !== 'readyz') return undefined;
  return checks(needs, { names: checksOf[kind], only, kind, searchParams });
}

function version(): ProbeAnswer {
  const minor = etcdVersion.replace(/\.\d+$/, '.0');
  const body = { etcdserver: etcdVersion, etcdcluster: minor, storage: minor };
  return { status: 200, type: 'json', body: JSON.stringify(body) };
}

async function health(needs: ProbeDependencies, query: URLSearchParams): Promise<ProbeAnswer> {
  const excluded = new Set(query.getAll('exclude'));
  const alarm = toldAlarms(needs.reader.alarms)
    .map((it) => alarmNames[it.alarm])
    .find((name) => !excluded.has(name));
  let reason = '';
  if (alarm !== undefined) reason = `ALARM ${alarm}`;
  else if (query.get('serializable') !== 'true') {
    if (needs.status().leader === undefined) reason = 'RAFT NO LEADER';
    else reason = await linearizableRead(needs).then((why) => (why === '' ? '' : `RANGE ERROR:${why}`));
  }
  const body = JSON.stringify({ health: String(reason === ''), reason });
  return { status: reason === '' ? 200 : 503, type: 'json', body };
}

/** What is looked at, by the name etcd gives it; each says why it is not so, or nothing. */
const checkByName = {
  serializable_read: () => Promise.resolve(''),
  linearizable_read: linearizableRead,
  data_corruption: ({ reader }: ProbeDependencies) =>
    Promise.resolve(reader.alarms.some(({ alarm }) => alarm === 'corrupt') ? 'alarm activated: CORRUPT' : ''),
  non_learner: (needs: ProbeDependencies) => Promise.resolve(needs.isLearner() ? 'the local member is a learner' : ''),
} as const;

type CheckName = keyof typeof checkByName;

const checksOf: Readonly<Record<'livez' | 'readyz', readonly CheckName[]>> = {
  livez: ['serializable_read'],
  readyz: ['data_corruption', 'serializable_read', 'linearizable_read', 'non_learner'],
};

interface Checkup {
  readonly kind: 'livez' | 'readyz';
  readonly names: readonly CheckName[];
  /** The one check that is asked for. */
  readonly only: string | undefined;
  readonly searchParams: URLSearchParams;
}

async function checks(needs: ProbeDependencies, { kind, names, only, searchParams }: Checkup): Promise<ProbeAnswer> {
  const excluded = new Set(searchParams.getAll('exclude'));
  const wanted = names.filter((name) => (only === undefined ? !excluded.has(name) : name === only));
  if (only !== undefined && wanted.length === 0) return { status: 404, type: 'text', body: '404 page not found\n' };
  const reasons = await Promise.all(wanted.map((name) => checkByName[name](needs)));
  const lines = wanted.map((name, at) =>
    reasons[at] === '' ? `[+]${name} ok\n` : `[-]${name} failed: ${reasons[at]}\n`,
  );
  const isWell = reasons.every((reason) => reason === '');
  if (!isWell) return { status: 503, type: 'text', body: `${lines.join('')}${kind} check failed\n` };
  return { status: 200, type: 'text', body: `${searchParams.has('verbose') ? lines.join('') : ''}ok\n` };
}

async function linearizableRead({ proposer, scheduler }: ProbeDependencies): Promise<string> {
  try {
    await proposer.readBarrier({ deadline: scheduler.now() + readTimeoutMs });
    return '';
  } catch (error) {
    if (error instanceof QuorateError) return error.message;
    throw error;
  }
}

const alarmNames = { 'no-space': 'NOSPACE', corrupt: 'CORRUPT' } as const;
