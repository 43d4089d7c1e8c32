/** Ranges and comparisons of the model: on all the records there are, with no thought of speed. */
import { unreachable } from '../../base/assert';
import type { Comparison, RangeOperation } from '../../kv/command';
import type { KeyRecord, RangeResult } from '../../kv/result';
import { within } from './draft';

type Live = ReadonlyMap<string, KeyRecord>;

/** @param storeRevision what the result tells */
export function select(live: Live, query: Omit<RangeOperation, 'kind'>, storeRevision: number): RangeResult {
  const found = within(live, query.range);
  const count = found.length;
  if (query.countOnly) return { kind: 'range', revision: storeRevision, records: [], more: false, count };
  const most = query.limit === 0 ? Infinity : query.limit;
  // As etcd: what it must not sort or filter, it does not read beyond the limit, but for one.
  const read = looksAtAll(query) ? found : found.slice(0, most + 1);
  const wanted = inOrder(read.filter(isWithinBounds(query)), query);
  const records = wanted.slice(0, most).map((record) => (query.keysOnly ? { ...record, value: nothing } : record));
  return { kind: 'range', revision: storeRevision, records, more: wanted.length > most, count };
}

const nothing = new Uint8Array(0);

function looksAtAll(query: Omit<RangeOperation, 'kind'>): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = query;
  const bounds = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision];
  return query.sortOrder !== 'none' || bounds.some((bound) => bound !== 0);
}

function isWithinBounds(query: Omit<RangeOperation, 'kind'>): (record: KeyRecord) => boolean {
  return ({ modRevision, createRevision }) =>
    modRevision >= query.minModRevision &&
    (query.maxModRevision === 0 || modRevision <= query.maxModRevision) &&
    createRevision >= query.minCreateRevision &&
    (query.maxCreateRevision === 0 || createRevision <= query.maxCreateRevision);
}

function inOrder(records: readonly KeyRecord[], { sortTarget, sortOrder }: Omit<RangeOperation, 'kind'>): KeyRecord[] {
  const sign = sortOrder === 'descend' ? -1 : 1;
  return [...records].sort((a, b) => sign * difference(a, b, sortTarget));
}

function difference(a: KeyRecord, b: KeyRecord, target: RangeOperation['sortTarget']): number {
  switch (target) {
    case 'key':
      return Buffer.compare(a.key, b.key);
    case 'value':
      return Buffer.compare(a.value, b.value);
    case 'version':
      return a.version - b.version;
    case 'create':
      return a.createRevision - b.createRevision;
    case 'mod':
      return a.modRevision - b.modRevision;
    default:
      return unreachable(target);
  }
}

/** Whether a comparison holds on what there is. */
export function holds(live: Live, comparison: Comparison): boolean {
  const found = within(live, comparison.range);
  if (found.length === 0) return comparison.target.kind !== 'value' && fits(undefined, comparison);
  return found.every((record) => fits(record, comparison));
}

function fits(record: KeyRecord | undefined, { operator, target }: Comparison): boolean {
  const order = orderOf(record, target);
  switch (operator) {
    case 'equal':
      return order === 0;
    case 'not-equal':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
    default:
      return unreachable(operator);
  }
}

function orderOf(record: KeyRecord | undefined, target: Comparison['target']): number {
  switch (target.kind) {
    case 'version':
      return (record?.version ?? 0) - target.number;
    case 'create':
      return (record?.createRevision ?? 0) - target.number;
    case 'mod':
      return (record?.modRevision ?? 0) - target.number;
    case 'lease':
      return Number((record?.lease ?? 0n) - target.lease);
    case 'value':
      return Buffer.compare(record?.value ?? nothing, target.value);
    default:
      return unreachable(target);
  }
}
