/** Transactions of etcd's KV service: the rules a request must keep, and what it asks of the store. */
import { unreachable } from '../../base/assert';
import type { RangeRequest, RequestOp, TxnRequest } from '../../gen/etcd/etcdserverpb/kv';
import type { Operation, RangeOperation, TxnOperation } from '../../kv/command';
import { EtcdError } from './errors';
import {
  checkDelete,
  checkPut,
  checkRange,
  comparison,
  deleteOperation,
  putOperation,
  rangeOperation,
} from './kv-requests';

/**
 * Checks a transaction and those nested in it; which keys its operations touch is checked apart (`touchesKeyTwice`).
 *
 * @param maxOperations most comparisons, and most operations of one branch; a nested transaction gets what is left
 * @throws EtcdError `too-many-ops`, `empty-key`, `key-not-found` for an operation that is none of the known kinds, and
 *   what the checks of its operations throw
 */
export function checkTxn({ compare, success, failure }: TxnRequest, maxOperations: number): void {
  const operations = Math.max(compare.length, success.length, failure.length);
  if (operations > maxOperations) throw new EtcdError('too-many-ops');
  if (compare.some(({ key }) => key.length === 0)) throw new EtcdError('empty-key');
  for (const operation of [...success, ...failure]) checkOperation(operation, maxOperations - operations);
}

function checkOperation({ request }: RequestOp, maxOperations: number): void {
  switch (request?.$case) {
    case 'requestRange':
      checkRange(request.value);
      return;
    case 'requestPut':
      checkPut(request.value);
      return;
    case 'requestDeleteRange':
      checkDelete(request.value);
      return;
    case 'requestTxn':
      checkTxn(request.value, maxOperations);
      return;
    case undefined:
      throw new EtcdError('key-not-found');
    default:
      unreachable(request);
  }
}

/** A transaction that has passed its checks. */
export function txnOperation({ compare, success, failure }: TxnRequest): TxnOperation {
  return {
    kind: 'txn',
    compares: compare.map(comparison),
    success: success.map(operationOf),
    failure: failure.map(operationOf),
  };
}

function operationOf({ request }: RequestOp): Operation {
  switch (request?.$case) {
    case 'requestRange':
      return rangeWithin(request.value);
    case 'requestPut':
      return putOperation(request.value);
    case 'requestDeleteRange':
      return deleteOperation(request.value);
    case 'requestTxn':
      return txnOperation(request.value);
    case undefined:
      throw new EtcdError('key-not-found');
    default:
      return unreachable(request);
  }
}

/** A negative revision is the newest to a range of its own, and below all revisions to one within a transaction. */
function rangeWithin(range: RangeRequest): RangeOperation {
  const operation = rangeOperation(range);
  return range.revision < 0n ? { ...operation, revision: -1 } : operation;
}

/** How a transaction that only reads is answered: from what this member has, or with everything acknowledged before. */
export type ReadOnlyKind = 'serializable' | 'linearizable';

/** `undefined` for a transaction that has to go through the log: one that writes, or holds another one. */
export function readOnlyKind({ success, failure }: TxnRequest): ReadOnlyKind | undefined {
  let isSerializable = true;
  for (const { request } of [...success, ...failure]) {
    if (request?.$case !== 'requestRange') return undefined;
    isSerializable &&= request.value.serializable;
  }
  return isSerializable ? 'serializable' : 'linearizable';
}
