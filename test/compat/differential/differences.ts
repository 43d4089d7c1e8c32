/**
 * Every way in which two equal replies may look different, each with its reason; nothing else is forgiven.
 * `etcd` is Debian's, version 3.4; quorate answers as version 3.5 does.
 */
import { status } from '@grpc/grpc-js';
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget as Target,
  type RangeResponse,
} from '../../../src/gen/etcd/etcdserverpb/kv';
import type { StatusResponse } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import type { KeyValue } from '../../../src/gen/etcd/mvccpb/kv';
import { type Call, type Outcome, type RequestOf, type Step, textOf } from './step';

const valuesOf = (enumeration: Readonly<Record<string, number>>): ReadonlySet<number> =>
  new Set(Object.values(enumeration).filter((value) => value >= 0));
const known = {
  order: valuesOf(RangeRequest_SortOrder),
  sortTarget: valuesOf(Target),
  operator: valuesOf(Compare_CompareResult),
  target: valuesOf(Compare_CompareTarget),
};
const alarmTexts = ['etcdserver: mvcc: database space exceeded', 'etcdserver: corrupt cluster'];
/** Seconds. */
const maxTtl = 9_000_000_000n;

type Fields = Readonly<Record<string, unknown>>;

interface Difference {
  readonly reason: string;
  /** Gives what both servers must have in common. Gets replies without what the differences before it took out. */
  readonly common: (outcome: Outcome, step: Step) => Outcome;
  /** What etcd is known to do otherwise; the answers of quorate stay as they are. */
  readonly isOfEtcd?: true;
}

/** Far below the shortest time to live of a lease that is asked about while it is there (generator.ts). */
const longestRunSeconds = 10_000n;

const differences: readonly Difference[] = [
  {
    reason: 'Clusters, members and terms have their own numbers; only whether a header has them is the same.',
    common: onReplies((reply) => withHeaders(reply)),
  },
  {
    reason: 'Time goes on between two calls: what is left of a lease is equal to within the time of a run.',
    common: onReplies((reply, step) => {
      if (!isCall(step, 'leaseTimeToLive')) return reply;
      const { TTL, grantedTTL } = reply as { readonly TTL: bigint; readonly grantedTTL: bigint };
      return grantedTTL > 0n && TTL > grantedTTL - longestRunSeconds && TTL <= grantedTTL
        ? { ...reply, TTL: grantedTTL }
        : reply;
    }),
  },
  {
    reason: 'Which revision was hashed is told since version 3.6.',
    common: onReplies((reply, step) => (isCall(step, 'hashKv') ? { ...reply, hashRevision: undefined } : reply)),
  },
  {
    reason: 'Leases are listed by the time they have left, which is equal for some.',
    common: onReplies((reply, step) => {
      if (!isCall(step, 'leaseLeases')) return reply;
      const { leases } = reply as { readonly leases: readonly { readonly ID: bigint }[] };
      return { ...reply, leases: [...leases].sort((a, b) => (a.ID < b.ID ? -1 : 1)) };
    }),
  },
  {
    reason: 'The keys of a lease come in no order (etcd keeps them in a map of Go); quorate orders them.',
    common: onReplies((reply, step) => {
      if (!isCall(step, 'leaseTimeToLive')) return reply;
      return { ...reply, keys: [...(reply as { readonly keys: readonly Buffer[] }).keys].sort(Buffer.compare) };
    }),
  },
  {
    reason:
      'Answers about alarms have a header since version 3.5. Alarms come in no order (etcd keeps them in a map of Go).',
    common: onReplies((reply, step) => {
      if (!isCall(step, 'alarm')) return reply;
      return { ...reply, header: undefined, alarms: sorted((reply as { readonly alarms: readonly Fields[] }).alarms) };
    }),
  },
  {
    reason: 'Programs, files and logs have their own versions, sizes and lengths; alarms come in no order.',
    common: onReplies((reply, step) =>
      isCall(step, 'status') ? statusInCommon(reply as unknown as StatusResponse) : reply,
    ),
  },
  {
    reason: 'A message that is larger than gRPC itself takes is refused by its library, in the words of Go or of Node.',
    common: (outcome) => {
      if ('reply' in outcome) return outcome;
      const [, actual, most] =
        /^(?:grpc: r|R)eceived message larger than max \((\d+) vs\.? (\d+)\)$/.exec(outcome.message) ?? [];
      return actual === undefined ? outcome : { ...outcome, message: `${actual} bytes are more than ${most}` };
    },
  },
  {
    reason: 'An unknown order, or an unknown thing to sort by, is refused since version 3.5.',
    isOfEtcd: true,
    common: (outcome, step) => {
      const ranges = step.kind === 'call' ? rangesOf(step) : [];
      const isKnown = ranges.every(
        ({ sortOrder, sortTarget }) => known.order.has(sortOrder) && known.sortTarget.has(sortTarget),
      );
      return isKnown || isInvalid(outcome) ? outcome : invalidArgument('etcdserver: invalid sort option');
    },
  },
  {
    reason:
      'An unknown comparison is refused by quorate: what it asks is not known, so nothing may be done as if it were true. ' +
      'etcd takes an unknown operator for true, and compares as equal what an unknown target means.',
    isOfEtcd: true,
    common: (outcome, step) => {
      if (step.kind !== 'call' || step.method !== 'txn' || isInvalid(outcome)) return outcome;
      const odd = step.request.compare.find(
        ({ result, target }) => !known.operator.has(result) || !known.target.has(target),
      );
      if (odd === undefined) return outcome;
      const isTarget = known.operator.has(odd.result);
      return invalidArgument(
        isTarget
          ? `target is not known: it is ${odd.target}, allowed is 0 to 4`
          : `result is not known: it is ${odd.result}, allowed is 0 to 3`,
      );
    },
  },
  {
    reason: 'Of two reasons to refuse a lease, alarms are the first to etcd, and the length of its time is to quorate.',
    isOfEtcd: true,
    common: (outcome, step) => {
      const isTooLong = step.kind === 'call' && step.method === 'leaseGrant' && step.request.TTL > maxTtl;
      const isByAlarm = 'message' in outcome && alarmTexts.includes(outcome.message);
      return isTooLong && isByAlarm
        ? { code: status.OUT_OF_RANGE, message: 'etcdserver: too large lease TTL' }
        : outcome;
    },
  },
  {
    reason: 'The order of keys with equal sort values is not defined (etcd sorts by a method that is not stable).',
    common: onReplies((reply, step) => inDefinedOrder(reply, step)),
  },
];

/**
 * How long a difference may last before it is one, ms. The hash of a moment at which no key is there covers, in etcd, also what
 * its last compaction has not removed yet; that goes on in the background, and shows once it is committed.
 */
export function patienceMsWith(step: Step): number {
  return isCall(step, 'hashKv') ? 3000 : 0;
}

/** What of an outcome must be the same on both servers, `quorate` or one of etcd. */
export function normalised(outcome: Outcome, step: Step, server: string): Outcome {
  const all = server === 'quorate' ? differences.filter(({ isOfEtcd }) => isOfEtcd !== true) : differences;
  return all.reduce((common, difference) => difference.common(common, step), outcome);
}

function invalidArgument(message: string): Outcome {
  return { code: status.INVALID_ARGUMENT, message };
}

/** Whether etcd refused it, too, before it came to what is unknown. */
function isInvalid(outcome: Outcome): boolean {
  const refused: number = status.INVALID_ARGUMENT;
  return 'code' in outcome && outcome.code === refused;
}

/** Of a call, or of a transaction's own operations. */
function rangesOf(call: Call): readonly RequestOf<'range'>[] {
  if (call.method === 'range') return [call.request];
  if (call.method !== 'txn') return [];
  const { success, failure } = call.request;
  return [...success, ...failure].flatMap(({ request }) => (request?.$case === 'requestRange' ? [request.value] : []));
}

/** After the headers' difference, only whether there is a term is told. */
function statusInCommon(reply: StatusResponse): Fields {
  return {
    isVersion: /^3\.\d+\.\d+$/.test(reply.version),
    isOfSomeSize: reply.dbSizeInUse > 0n && reply.dbSizeInUse <= reply.dbSize,
    isApplied: reply.raftAppliedIndex > 0n && reply.raftAppliedIndex <= reply.raftIndex,
    hasLeader: reply.leader !== 0n,
    hasTerm: reply.raftTerm,
    isLearner: reply.isLearner,
    errors: sorted(reply.errors),
  };
}

/** In the order of what they look like. */
function sorted<T>(values: readonly T[]): readonly T[] {
  return [...values].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

function onReplies(change: (reply: Fields, step: Step) => Fields): Difference['common'] {
  return (outcome, step) => ('reply' in outcome ? { reply: change(outcome.reply as Fields, step) } : outcome);
}

function isCall(step: Step, method: Call['method']): boolean {
  return step.kind === 'call' && step.method === method;
}

/** Ids and terms of all headers, also of those within a transaction or a watch, become whether they are there. */
function withHeaders<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withHeaders(item)) as T;
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    // Keys and values have no headers within.
    const isPlain = typeof field !== 'object' || name === 'kvs' || name === 'events' || name === 'prevKvs';
    if (name === 'clusterId' || name === 'memberId' || name === 'raftTerm') copy[name] = field !== 0n;
    else copy[name] = isPlain ? field : withHeaders(field);
  }
  return copy as T;
}

function inDefinedOrder(reply: Fields, step: Step): Fields {
  if (step.kind !== 'call') return reply;
  if (step.method === 'range') return rangeInOrder(reply as unknown as RangeResponse, step.request);
  if (step.method === 'txn') return txnInOrder(reply, step.request);
  return reply;
}

function txnInOrder(reply: Fields, { success, failure }: RequestOf<'txn'>): Fields {
  const { succeeded, responses } = reply as unknown as { succeeded: boolean; responses: { response: unknown }[] };
  const operations = succeeded ? success : failure;
  const inOrder = responses.map(({ response }, at) => {
    const { request } = operations[at] ?? {};
    const { $case, value } = response as { readonly $case: string; readonly value: Fields };
    if (request?.$case === 'requestRange') {
      return { response: { $case, value: rangeInOrder(value as unknown as RangeResponse, request.value) } };
    }
    if (request?.$case === 'requestTxn') return { response: { $case, value: txnInOrder(value, request.value) } };
    return { response };
  });
  return { ...reply, responses: inOrder };
}

/** Groups of equal sort values become sorted by key; of a group that the limit cuts through, only the size counts. */
function rangeInOrder(reply: RangeResponse, request: RequestOf<'range'>): Fields {
  const rank = rankOf(request.sortTarget);
  if (rank === undefined) return { ...reply };
  const last = reply.kvs.at(-1);
  const kvs = reply.kvs.map((kv, at) => ({ kv, at, rank: rank(kv) }));
  const isCut = (of: string): boolean => reply.more && last !== undefined && of === rank(last);
  // Neighbours of equal rank change places; what is out of order stays so, and shows.
  const groups: (typeof kvs)[] = [];
  for (const item of kvs) {
    if (groups.at(-1)?.[0]?.rank === item.rank) groups.at(-1)?.push(item);
    else groups.push([item]);
  }
  const shown: unknown[] = groups.flatMap<unknown>((group) =>
    isCut(group[0]?.rank ?? '')
      ? group.map((item) => ({ rank: item.rank }))
      : group.map(({ kv }) => kv).sort((a, b) => Buffer.compare(a.key, b.key)),
  );
  return { ...reply, kvs: shown };
}

function rankOf(target: number): ((kv: KeyValue) => string) | undefined {
  switch (target) {
    case Target.VERSION:
      return ({ version }) => version.toString();
    case Target.CREATE:
      return ({ createRevision }) => createRevision.toString();
    case Target.MOD:
      return ({ modRevision }) => modRevision.toString();
    case Target.VALUE:
      return ({ value }) => value.toString('latin1');
    default:
      return undefined;
  }
}
