/** Between transactions as this client has them and their messages. */
import {
  Compare_Operator,
  type Compare,
  type Operation as WireOperation,
  type OperationResult,
  type TxnRequest,
  type TxnResponse,
} from '../gen/quorate/v1/kv';
import { fromWireKey, fromWireKeyValue, fromWireLease, toWireSelection, toWireValue, wellFormed } from './convert';
import { toDeletedSelection, toWireExpiry } from './mutations';
import type { Condition, ConditionTarget, Operation, OperationAnswer, Operator, Transaction, TxnAnswer } from './txn';
import type { Selection } from './types';

/** @throws QuorateError `invalid-argument` */
export function toTxnRequest(transaction: Transaction, requestId: string): TxnRequest {
  return { ...toWireTransaction(transaction), requestId };
}

export function fromTxnResponse({ succeeded, results, revision, replayed }: TxnResponse): TxnAnswer {
  return { succeeded, results: results.flatMap(fromWireResult), revision, replayed };
}

function toWireTransaction({ conditions, success, failure }: Transaction) {
  return {
    compares: conditions.map(toWireCompare),
    success: success.map(toWireOperation),
    failure: failure.map(toWireOperation),
  };
}

const operators: Readonly<Record<Operator, Compare_Operator>> = {
  '=': Compare_Operator.EQUAL,
  '!=': Compare_Operator.NOT_EQUAL,
  '>': Compare_Operator.GREATER,
  '<': Compare_Operator.LESS,
};

function toWireCompare({ keys, operator, target }: Condition): Compare {
  return { selection: toComparedSelection(keys), operator: operators[operator], target: toWireTarget(target) };
}

/** A comparison names its keys: all of them are a prefix of nothing. */
function toComparedSelection(keys: string | Selection): Compare['selection'] {
  if (typeof keys === 'string') return { $case: 'key', value: wellFormed('key', keys) };
  return toWireSelection(keys) ?? { $case: 'prefix', value: '' };
}

function toWireTarget(target: ConditionTarget): Compare['target'] {
  switch (target.kind) {
    case 'version':
      return { $case: 'version', value: BigInt(target.number) };
    case 'create-revision':
      return { $case: 'createRevision', value: BigInt(target.number) };
    case 'mod-revision':
      return { $case: 'modRevision', value: BigInt(target.number) };
    case 'value':
      return toWireValue(target.value);
    case 'lease':
      return { $case: 'leaseId', value: target.leaseId };
  }
}

function toWireOperation(operation: Operation): WireOperation {
  return { operation: toWireStep(operation) };
}

function toWireStep(operation: Operation): WireOperation['operation'] {
  switch (operation.kind) {
    case 'put': {
      const { key, value, options } = operation;
      const { returnPrevious = false } = options;
      const put = { key: wellFormed('key', key), value: toWireValue(value), expiry: toWireExpiry(options) };
      return { $case: 'put', value: { ...put, returnPrevious } };
    }
    case 'get':
      return { $case: 'get', value: { key: wellFormed('key', operation.key) } };
    case 'list': {
      const { limit = 0, keysOnly = false, countOnly = false } = operation.options;
      return {
        $case: 'list',
        value: { selection: toWireSelection(operation.selection), limit, keysOnly, countOnly },
      };
    }
    case 'delete': {
      const { returnPrevious = false } = operation.options;
      return { $case: 'delete', value: { key: wellFormed('key', operation.key), returnPrevious } };
    }
    case 'delete-range':
      return { $case: 'deleteRange', value: { selection: toDeletedSelection(operation.selection) } };
    case 'txn':
      return { $case: 'txn', value: toWireTransaction(operation) };
  }
}

/** Nothing for a kind that a newer member made up. */
function fromWireResult({ result }: OperationResult): readonly OperationAnswer[] {
  const answer = result === undefined ? undefined : fromKnownResult(result);
  return answer === undefined ? [] : [answer];
}

function fromKnownResult(result: Exclude<OperationResult['result'], undefined>): OperationAnswer {
  switch (result.$case) {
    case 'put': {
      const { createRevision, version, previous, leaseId } = result.value;
      const more = { previous: fromWireKey(previous), leaseId: fromWireLease(leaseId) };
      return { kind: 'put', createRevision, version, ...more };
    }
    case 'get':
      return { kind: 'get', kv: fromWireKey(result.value.kv) };
    case 'list': {
      const { kvs, more, count } = result.value;
      return { kind: 'list', kvs: kvs.map(fromWireKeyValue), more, count };
    }
    case 'delete':
      return { kind: 'delete', deleted: result.value.deleted, previous: fromWireKey(result.value.previous) };
    case 'deleteRange':
      return { kind: 'delete-range', deleted: result.value.deleted };
    case 'txn': {
      const { succeeded, results } = result.value;
      return { kind: 'txn', succeeded, results: results.flatMap(fromWireResult) };
    }
  }
}
