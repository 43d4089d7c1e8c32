/** The conditions of a transaction, from the request to the store. */
import { Compare_Operator, type Compare } from '../../../gen/quorate/v1/kv';
import type { CompareTarget, Comparison, KeyRange } from '../../../kv/command';
import { rangeOfKey } from '../../../kv/key-range';
import type { ApiLimits } from '../../limits';
import { checkedKey, checkedValue, invalid } from '../../validate';
import { selectedRange } from '../selection';

/** @throws QuorateError `invalid-argument` */
export function comparisonOf(compare: Compare, limits: ApiLimits): Comparison {
  return {
    range: rangeOf(compare.selection, limits.maxKeyBytes),
    operator: operatorOf(compare.operator),
    target: targetOf(compare.target, limits.maxValueBytes),
  };
}

/** Unlike a listing, a condition never means all keys because a field was left out. */
function rangeOf(selection: Compare['selection'], maxKeyBytes: number): KeyRange {
  if (selection === undefined) {
    throw invalid('selection', 'is missing', { limit: 'a key, a prefix or a range', actual: 'none' });
  }
  return selection.$case === 'key'
    ? rangeOfKey(checkedKey(selection.value, maxKeyBytes))
    : selectedRange(selection, maxKeyBytes);
}

function operatorOf(operator: number): Comparison['operator'] {
  switch (operator) {
    case Compare_Operator.UNSPECIFIED:
    case Compare_Operator.EQUAL:
      return 'equal';
    case Compare_Operator.NOT_EQUAL:
      return 'not-equal';
    case Compare_Operator.GREATER:
      return 'greater';
    case Compare_Operator.LESS:
      return 'less';
    default:
      throw invalid('operator', 'is not known', { limit: '0 to 4', actual: String(operator) });
  }
}

function targetOf(target: Compare['target'], maxValueBytes: number): CompareTarget {
  switch (target?.$case) {
    case undefined:
      throw invalid('target', 'is missing', { limit: 'what to compare with', actual: 'nothing' });
    case 'version':
      return { kind: 'version', number: checkedNumber('version', target.value) };
    case 'createRevision':
      return { kind: 'create', number: checkedNumber('create_revision', target.value) };
    case 'modRevision':
      return { kind: 'mod', number: checkedNumber('mod_revision', target.value) };
    case 'text':
    case 'data':
      return { kind: 'value', value: checkedValue(target, maxValueBytes).value };
    case 'leaseId':
      return { kind: 'lease', lease: target.value };
  }
}

/** Revisions and versions never get beyond the safe integers. */
function checkedNumber(field: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw invalid(field, 'is out of range', { limit: '-(2^53 - 1) to 2^53 - 1', actual: String(value) });
}
