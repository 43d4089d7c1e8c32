/** Requests of etcd's KV service as operations of the store. Each is checked first, in etcd's order. */
import { assert } from '../../base/assert';
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
} from '../../gen/etcd/etcdserverpb/kv';
import type { Comparison, CompareTarget, DeleteOperation, PutOperation, RangeOperation } from '../../kv/command';
import { invalid } from '../validate';
import { EtcdError } from './errors';
import { keyRangeOf } from './key-range';

/** Greater than every revision, version and number of keys that a store will ever have, and a safe integer. */
const beyondAll = 2 ** 52;

/** A number of a request as the store counts; what is beyond all that it will ever have is as good as this. */
export function storeNumber(number: bigint): number {
  const clamped = number > BigInt(beyondAll) ? beyondAll : number < -BigInt(beyondAll) ? -beyondAll : number;
  return Number(clamped);
}

/** A number where 0 and everything below mean the same: the newest revision, no limit. */
export function positiveNumber(number: bigint): number {
  return number <= 0n ? 0 : storeNumber(number);
}

/** A bound of revisions, where only 0 is none: everything is above a negative one, and nothing below. */
function bound(number: bigint): number {
  return number < 0n ? -1 : storeNumber(number);
}

/** @throws EtcdError `empty-key`, `invalid-sort-option` */
export function checkRange({ key, sortOrder, sortTarget }: RangeRequest): void {
  if (key.length === 0) throw new EtcdError('empty-key');
  if (!(sortOrder in sortOrders) || !(sortTarget in sortTargets)) throw new EtcdError('invalid-sort-option');
}

/** @throws EtcdError `empty-key`, `value-provided`, `lease-provided` */
export function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): void {
  if (key.length === 0) throw new EtcdError('empty-key');
  if (ignoreValue && value.length > 0) throw new EtcdError('value-provided');
  if (ignoreLease && lease !== 0n) throw new EtcdError('lease-provided');
}

/** @throws EtcdError `empty-key` */
export function checkDelete({ key }: DeleteRangeRequest): void {
  if (key.length === 0) throw new EtcdError('empty-key');
}

/** A range that has passed its check. */
export function rangeOperation(request: RangeRequest): RangeOperation {
  const sortTarget = sortTargets[request.sortTarget];
  const sortOrder = sortOrders[request.sortOrder];
  assert(sortTarget !== undefined && sortOrder !== undefined, 'the request was checked');
  return {
    kind: 'range',
    range: keyRangeOf(request.key, request.rangeEnd),
    revision: positiveNumber(request.revision),
    limit: positiveNumber(request.limit),
    sortTarget,
    sortOrder,
    keysOnly: request.keysOnly,
    countOnly: request.countOnly,
    minModRevision: bound(request.minModRevision),
    maxModRevision: bound(request.maxModRevision),
    minCreateRevision: bound(request.minCreateRevision),
    maxCreateRevision: bound(request.maxCreateRevision),
  };
}

/** A put that has passed its check. */
export function putOperation(request: PutRequest): PutOperation {
  return {
    kind: 'put',
    key: request.key,
    value: request.value,
    // The API knows bytes alone.
    form: 'bytes',
    lease: request.lease,
    grantTtl: 0,
    keepValue: request.ignoreValue,
    keepLease: request.ignoreLease,
    returnPrevious: request.prevKv,
  };
}

/** A delete that has passed its check. */
export function deleteOperation({ key, rangeEnd, prevKv }: DeleteRangeRequest): DeleteOperation {
  return { kind: 'delete', range: keyRangeOf(key, rangeEnd), returnPrevious: prevKv };
}

/**
 * A comparison whose key is not empty.
 *
 * @throws QuorateError `invalid-argument` for an operator or a target that is not known (etcd v3.5 takes it for true)
 */
export function comparison({ key, rangeEnd, result, target, targetUnion }: Compare): Comparison {
  const operator = operators[result];
  if (operator === undefined) throw invalid('result', 'is not known', { limit: '0 to 3', actual: String(result) });
  return { range: keyRangeOf(key, rangeEnd), operator, target: compareTarget(target, targetUnion) };
}

/** A value of another kind than the target says counts as none: 0, or no bytes. */
function compareTarget(target: number, union: Compare['targetUnion']): CompareTarget {
  switch (target) {
    case Compare_CompareTarget.VERSION:
      return { kind: 'version', number: union?.$case === 'version' ? storeNumber(union.value) : 0 };
    case Compare_CompareTarget.CREATE:
      return { kind: 'create', number: union?.$case === 'createRevision' ? storeNumber(union.value) : 0 };
    case Compare_CompareTarget.MOD:
      return { kind: 'mod', number: union?.$case === 'modRevision' ? storeNumber(union.value) : 0 };
    case Compare_CompareTarget.LEASE:
      return { kind: 'lease', lease: union?.$case === 'lease' ? union.value : 0n };
    case Compare_CompareTarget.VALUE:
      return { kind: 'value', value: union?.$case === 'value' ? union.value : new Uint8Array() };
    default:
      throw invalid('target', 'is not known', { limit: '0 to 4', actual: String(target) });
  }
}

const sortTargets: Readonly<Record<number, RangeOperation['sortTarget']>> = {
  [RangeRequest_SortTarget.KEY]: 'key',
  [RangeRequest_SortTarget.VERSION]: 'version',
  [RangeRequest_SortTarget.CREATE]: 'create',
  [RangeRequest_SortTarget.MOD]: 'mod',
  [RangeRequest_SortTarget.VALUE]: 'value',
};

const sortOrders: Readonly<Record<number, RangeOperation['sortOrder']>> = {
  [RangeRequest_SortOrder.NONE]: 'none',
  [RangeRequest_SortOrder.ASCEND]: 'ascend',
  [RangeRequest_SortOrder.DESCEND]: 'descend',
};

const operators: Readonly<Record<number, Comparison['operator']>> = {
  [Compare_CompareResult.EQUAL]: 'equal',
  [Compare_CompareResult.GREATER]: 'greater',
  [Compare_CompareResult.LESS]: 'less',
  [Compare_CompareResult.NOT_EQUAL]: 'not-equal',
};
