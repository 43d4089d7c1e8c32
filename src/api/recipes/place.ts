/** A contender's place below a name: its key, and what is said of it in transactions. */
import { assert } from '../../base/assert';
import { deleteOperation } from '../../kv/command-builders';
import type { Comparison, KeyRange, RangeOperation, TxnOperation, ValueForm } from '../../kv/command';
import { rangeOfKey } from '../../kv/key-range';

/** A place in the queue of a name. */
export interface Place {
  readonly name: Uint8Array;
  /** See `contenderKey`. */
  readonly key: Uint8Array;
  /** The key lives as long as this lease. */
  readonly lease: bigint;
  /**
   * When the key was created. Places are served in this order, so of two holders the later one has the greater number:
   * it is the fencing token.
   */
  readonly createRevision: number;
}

/** What a contender's key holds. */
export interface ContenderValue {
  readonly value: Uint8Array;
  readonly form: ValueForm;
}

/** The name, a slash, and the lease in hexadecimal digits: as etcd makes it, whose clients wait in the same queues. */
export function contenderKey(name: Uint8Array, lease: bigint): Uint8Array {
  return Buffer.concat([name, Buffer.from(`/${BigInt.asUintN(64, lease).toString(16)}`)]);
}

/** All keys below a name. */
export function rangeOfName(name: Uint8Array): KeyRange {
  const slash = 0x2f;
  const below = (last: number) => Buffer.concat([name, Uint8Array.of(last)]);
  return { start: below(slash), end: below(slash + 1) };
}

/** Reads the keys below a name in the order of their creation; 0 for no bound. */
export function queueQuery(name: Uint8Array, more: Partial<RangeOperation>): Omit<RangeOperation, 'kind'> {
  return {
    range: rangeOfName(name),
    revision: 0,
    limit: 1,
    sortTarget: 'create',
    sortOrder: 'ascend',
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...more,
  };
}

/** That the key was created at this revision and has been there since; 0: that it is not there. */
export function isCreatedAt(key: Uint8Array, revision: number): Comparison {
  return keyComparison(key, 'equal', { kind: 'create', number: revision });
}

/** That the key was last written at this revision. */
export function isModifiedAt(key: Uint8Array, revision: number): Comparison {
  return keyComparison(key, 'equal', { kind: 'mod', number: revision });
}

/** That the key is there. */
export function isThere(key: Uint8Array): Comparison {
  return keyComparison(key, 'greater', { kind: 'create', number: 0 });
}

/** That no key is below the name. */
export function isFree(name: Uint8Array): Comparison {
  return { range: rangeOfName(name), operator: 'equal', target: { kind: 'create', number: 0 } };
}

/** Deletes the key if all of this holds. */
export function deleteIf(key: Uint8Array, compares: readonly Comparison[]): TxnOperation {
  assert(compares.length > 0, 'a contender is removed under a condition');
  return { kind: 'txn', compares, success: [deleteOperation(key)], failure: [] };
}

function keyComparison(key: Uint8Array, operator: Comparison['operator'], target: Comparison['target']): Comparison {
  return { range: rangeOfKey(key), operator, target };
}
