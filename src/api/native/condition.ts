/** Mutations of one key on a condition: a transaction of one comparison. */
import { assert } from '../../base/assert';
import { QuorateError } from '../../base/error';
import type { DeleteOperation, KeyRange, PutOperation, RangeOperation, TxnOperation } from '../../kv/command';
import { rangeOfKey } from '../../kv/key-range';
import type { AcceptedResult } from '../refusals';

/** A condition on the key that a mutation changes. */
export interface Condition {
  /** The key's last revision must be this; 0: it must not be there. */
  readonly modRevision: number;
}

/** The operation; if there is a condition, then only if it holds, and otherwise a look at the key for the error. */
export function onCondition(
  condition: Condition | undefined,
  key: Uint8Array,
  operation: PutOperation | DeleteOperation,
): PutOperation | DeleteOperation | TxnOperation {
  if (condition === undefined) return operation;
  const { modRevision } = condition;
  const range = rangeOfKey(key);
  return {
    kind: 'txn',
    compares: [{ range, operator: 'equal', target: { kind: 'mod', number: modRevision } }],
    success: [operation],
    failure: [newestIn(range, { limit: 1, keysOnly: true })],
  };
}

/** Reads the newest state of a range in the order of the keys. */
export function newestIn(
  range: KeyRange,
  {
    limit,
    keysOnly,
    countOnly = false,
  }: { readonly limit: number; readonly keysOnly: boolean; readonly countOnly?: boolean },
): RangeOperation {
  return {
    kind: 'range',
    range,
    revision: 0,
    limit,
    sortTarget: 'key',
    sortOrder: 'none',
    keysOnly,
    countOnly,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

/**
 * What the operation gave.
 *
 * @throws QuorateError `precondition-failed` when the condition did not hold
 */
export function resultOnCondition(condition: Condition | undefined, whole: AcceptedResult): AcceptedResult {
  if (condition === undefined) return whole;
  assert(whole.kind === 'txn', 'a conditional mutation is a transaction');
  const [result] = whole.results;
  assert(result !== undefined && whole.results.length === 1, 'a conditional mutation does one operation');
  if (whole.succeeded) return result;
  assert(result.kind === 'range', 'a conditional mutation looks at the key when its condition does not hold');
  throw failed(condition, result.records[0]?.modRevision);
}

function failed({ modRevision }: Condition, found: number | undefined): QuorateError {
  const limit = modRevision === 0 ? 'that the key is not there' : `that its mod_revision is ${String(modRevision)}`;
  const actual = found === undefined ? 'the key is not there' : `its mod_revision is ${String(found)}`;
  const message = `the condition does not hold: ${actual}, the condition is ${limit}; nothing was changed`;
  return new QuorateError('precondition-failed', message, { details: { limit, actual } });
}
