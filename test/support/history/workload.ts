/** What the clients of a history do: every class of operation, drawn on few keys at a time so that calls meet. */
import { between, type Rng } from '../../../src/base/rng';
import { newestIn, onCondition } from '../../../src/api/native/condition';
import type { Comparison, Operation as Step, RangeOperation, TxnOperation } from '../../../src/kv/command';
import { deleteOperation, putOperation } from '../../../src/kv/command-builders';
import { rangeOfKey } from '../../../src/kv/key-range';
import type { Operation } from '../../../src/sim/workload/call';
import { mutation } from '../../../src/sim/workload/operation-kind';
import { pick } from '../../../src/sim/world/chance';
import type { Api } from './recorded-call';

/** An operation to make, and what the simulator's words for it do not say. */
export interface Drawn {
  readonly kind: string;
  readonly operation: Operation;
  /** Of a put or a delete on a condition. */
  readonly condition?: { readonly modRevision: number };
  /** Of a stale read. */
  readonly minRevision?: number;
}

export interface DrawnFrom {
  readonly rng: Rng;
  /** All that an operation speaks of lies within one group of keys: the checkers look at each by itself. */
  readonly group: string;
  /** A value that no other operation writes. */
  readonly fresh: string;
  /** The newest revision that anybody was told of. */
  readonly revision: number;
  /** The newest compaction that anybody asked for. */
  readonly compacted: number;
  /** Leases of the group that were granted of late. */
  readonly leases: readonly bigint[];
  readonly freshLease: bigint;
  /** A `modRevision` that some key of the group had, with its key. */
  readonly seen: { readonly key: string; readonly modRevision: number } | undefined;
}

const plainNames = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const leasedNames = ['a', 'b', 'c'] as const;
/** Long enough for a leader's death not to end it by chance, short enough to end within the run. */
const ttlSeconds = 4;

const keyOf = (group: string, rng: Rng): string => `k${group}/${pick(rng, plainNames)}`;
const leasedKeyOf = (group: string, rng: Rng): string => `l${group}/${pick(rng, leasedNames)}`;
const allOf = (group: string) => ({ start: `k${group}/`, end: `k${group}0` });
const bytes = (text: string): Buffer => Buffer.from(text);
const rangeOf = ({ start, end }: { readonly start: string; readonly end: string }) => {
  return { start: bytes(start), end: bytes(end) };
};

interface Kind {
  readonly name: string;
  readonly weight: number;
  readonly apis: readonly Api[];
  draw(from: DrawnFrom): Omit<Drawn, 'kind'>;
}

const everywhere: readonly Api[] = ['native', 'stream', 'etcd'];
const unary: readonly Api[] = ['native', 'etcd'];
const put = (key: string, { fresh }: DrawnFrom, more: Partial<Extract<Step, { kind: 'put' }>> = {}) =>
  putOperation({ key: bytes(key), value: bytes(fresh), form: 'text', ...more });

const kinds: readonly Kind[] = [
  {
    ...{ name: 'put', weight: 20, apis: everywhere },
    draw: (from) => ({ operation: mutation(put(keyOf(from.group, from.rng), from), true) }),
  },
  {
    ...{ name: 'put if_absent', weight: 4, apis: ['native', 'stream'] },
    draw: (from) => conditional(keyOf(from.group, from.rng), 0, from),
  },
  {
    ...{ name: 'put if_revision', weight: 5, apis: ['native', 'stream'] },
    draw: (from) => conditional(from.seen?.key ?? keyOf(from.group, from.rng), from.seen?.modRevision ?? 1, from),
  },
  {
    ...{ name: 'put with a ttl', weight: 1.5, apis: ['native', 'stream'] },
    draw: (from) => {
      const step = put(leasedKeyOf(from.group, from.rng), from, { grantTtl: ttlSeconds });
      return { operation: mutation(step, true) };
    },
  },
  {
    ...{ name: 'put on a lease', weight: 1.5, apis: ['native', 'stream'] },
    draw: (from) => {
      const lease = pick(from.rng, from.leases.length === 0 ? [1n] : from.leases);
      return { operation: mutation(put(leasedKeyOf(from.group, from.rng), from, { lease }), true) };
    },
  },
  {
    ...{ name: 'get', weight: 14, apis: unary },
    draw: ({ group, rng }) => ({ operation: { kind: 'get', key: keyOf(group, rng), revision: 0, isStale: false } }),
  },
  {
    ...{ name: 'stale get', weight: 4, apis: ['native'] },
    draw: ({ group, rng, revision }) => {
      const minRevision = pick(rng, [0, Math.max(1, revision - 100), revision]);
      return { operation: { kind: 'get', key: keyOf(group, rng), revision: 0, isStale: true }, minRevision };
    },
  },
  {
    ...{ name: 'get of the past', weight: 2, apis: ['native'] },
    draw: ({ group, rng, ...from }) => {
      const revision = Math.max(
        1,
        pick(rng, [from.compacted - 1, from.compacted, from.revision - between(rng, 0, 200)]),
      );
      return { operation: { kind: 'get', key: keyOf(group, rng), revision, isStale: false } };
    },
  },
  {
    ...{ name: 'list', weight: 5, apis: unary },
    draw: ({ group, rng }) => {
      const range = pick(rng, [allOf(group), { start: keyOf(group, rng), end: `k${group}0` }]);
      return { operation: { kind: 'list', ...range, revision: 0, isStale: false } };
    },
  },
  {
    ...{ name: 'range', weight: 3, apis: ['etcd'] },
    draw: ({ group, rng }) => ({ operation: { kind: 'select', query: drawRange(group, rng), isStale: false } }),
  },
  {
    ...{ name: 'delete', weight: 6, apis: everywhere },
    draw: ({ group, rng }) => ({ operation: mutation(deleteOperation(bytes(keyOf(group, rng)))) }),
  },
  {
    ...{ name: 'delete if_revision', weight: 2, apis: ['native', 'stream'] },
    draw: ({ group, rng, seen }) => {
      const key = bytes(seen?.key ?? keyOf(group, rng));
      const condition = { modRevision: seen?.modRevision ?? 1 };
      return { operation: mutation(onCondition(condition, key, deleteOperation(key))), condition };
    },
  },
  {
    ...{ name: 'delete range', weight: 2, apis: everywhere },
    draw: ({ group, rng }) => {
      const range = rangeOf(pick(rng, [allOf(group), { start: keyOf(group, rng), end: `k${group}0` }]));
      return { operation: mutation({ kind: 'delete', range, returnPrevious: false }) };
    },
  },
  {
    ...{ name: 'txn', weight: 7, apis: everywhere },
    draw: (from) => ({ operation: mutation(drawTxn(from, 0), true) }),
  },
  {
    ...{ name: 'nested txn', weight: 4, apis: everywhere },
    draw: (from) => ({ operation: mutation(drawTxn(from, 1), true) }),
  },
  {
    ...{ name: 'lease grant', weight: 1, apis: ['native'] },
    draw: ({ freshLease }) => ({ operation: mutation({ kind: 'lease-grant', id: freshLease, ttl: ttlSeconds }) }),
  },
  {
    ...{ name: 'lease revoke', weight: 0.5, apis: ['native'] },
    draw: ({ rng, leases }) => ({
      operation: mutation({ kind: 'lease-revoke', id: leases.length === 0 ? 1n : pick(rng, leases) }),
    }),
  },
  {
    ...{ name: 'lease keep-alive', weight: 1.5, apis: ['native'] },
    draw: ({ rng, leases }) => ({ operation: { kind: 'renew', lease: leases.length === 0 ? 1n : pick(rng, leases) } }),
  },
];

export const kindNames: readonly string[] = [...kinds.map(({ name }) => name), 'compact'];

/** Draws an operation that an API has. */
export function draw(api: Api, from: DrawnFrom): Drawn {
  const ofApi = kinds.filter(({ apis }) => apis.includes(api));
  let left = (ofApi.reduce((sum, { weight }) => sum + weight, 0) * between(from.rng, 0, 1_000_000)) / 1_000_000;
  const kind = ofApi.find(({ weight }) => (left -= weight) <= 0) ?? ofApi[0];
  if (kind === undefined) throw new Error('every API has operations');
  return { kind: kind.name, ...kind.draw(from) };
}

export function compaction(revision: number): Drawn {
  return { kind: 'compact', operation: mutation({ kind: 'compact', revision }) };
}

function conditional(key: string, modRevision: number, from: DrawnFrom): Omit<Drawn, 'kind'> {
  const condition = { modRevision };
  return { operation: mutation(onCondition(condition, bytes(key), put(key, from)), true), condition };
}

function drawRange(group: string, rng: Rng): RangeOperation {
  return {
    ...{ kind: 'range', range: rangeOf(allOf(group)), revision: 0, limit: pick(rng, [0, 0, 1, 3]) },
    ...{ sortTarget: pick(rng, ['key', 'version', 'create', 'mod', 'value'] as const) },
    ...{ sortOrder: pick(rng, ['none', 'ascend', 'descend'] as const) },
    ...{ keysOnly: pick(rng, [false, false, true]), countOnly: pick(rng, [false, false, false, true]) },
    ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
  };
}

/** Compares, and in either branch puts, deletes, reads or, while `depth` lasts, another one; no key is changed twice. */
function drawTxn(from: DrawnFrom, depth: number, names: readonly string[] = plainNames): TxnOperation {
  const { group, rng } = from;
  const [first, second, ...rest] = names.map((name) => `k${group}/${name}`) as [string, string, ...string[]];
  const compares = pick(rng, [[first], [second], [first, second]]).map((key) => drawComparison(from, key));
  const inner = (): readonly Step[] => (depth > 0 ? [drawTxn(from, depth - 1, ['e', 'f'])] : []);
  const read: Step = pick<Step>(rng, [
    newestIn(rangeOfKey(bytes(pick(rng, [first, second]))), everyRecord),
    newestIn(rangeOf(allOf(group)), everyRecord),
  ]);
  const remove = { ...deleteOperation(bytes(second)), returnPrevious: pick(rng, [true, false]) };
  const more = rest.length === 0 ? [] : [remove];
  return {
    kind: 'txn',
    compares,
    success: [put(first, from, { returnPrevious: pick(rng, [true, false]) }), ...inner(), read],
    failure: [read, ...pick<readonly Step[]>(rng, [[], more, inner()])],
  };
}

const everyRecord = { limit: 0, keysOnly: false } as const;

function drawComparison({ rng, seen, revision }: DrawnFrom, key: string): Comparison {
  const operator = pick(rng, ['equal', 'not-equal', 'greater', 'less'] as const);
  const target = pick<Comparison['target']>(rng, [
    { kind: 'version', number: between(rng, 0, 2) },
    { kind: 'create', number: 0 },
    { kind: 'mod', number: seen?.modRevision ?? revision },
    { kind: 'value', value: bytes(`v${String(seen?.modRevision ?? 0)}`) },
  ]);
  return { range: rangeOfKey(bytes(key)), operator, target };
}
