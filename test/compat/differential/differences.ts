/**
 * Every way in which two equal replies may look different, each with its reason; nothing else is forgiven.
 * `etcd` is Debian's, version 3.4; quorate answers as version 3.5 does.
 */
import type { RangeResponse } from '../../../src/gen/etcd/etcdserverpb/kv';
import { RangeRequest_SortTarget as Target } from '../../../src/gen/etcd/etcdserverpb/kv';
import type { KeyValue } from '../../../src/gen/etcd/mvccpb/kv';
import type { Call, Outcome, RequestOf, Step } from './step';

type Fields = Readonly<Record<string, unknown>>;

interface Difference {
  readonly reason: string;
  /** Gives what both servers must have in common. Gets replies without what the differences before it took out. */
  readonly common: (outcome: Outcome, step: Step) => Outcome;
}

/** Far below the shortest time to live of a lease (generator.ts). */
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

/** What of an outcome must be the same on both servers. */
export function normalised(outcome: Outcome, step: Step): Outcome {
  return differences.reduce((common, difference) => difference.common(common, step), outcome);
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
