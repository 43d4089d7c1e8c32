/** The operations of a transaction: from the request to the store, and from its results to the answer. */
import { assert } from '../../../base/assert';
import type {
  GetOperation,
  ListOperation,
  Operation as OperationMessage,
  OperationResult as ResultMessage,
  TxnOperation as TxnMessage,
  TxnResult as TxnResultMessage,
} from '../../../gen/quorate/v1/kv';
import type { Operation, TxnOperation } from '../../../kv/command';
import { rangeOfKey } from '../../../kv/key-range';
import type { OperationResult, RangeResult, TxnResult } from '../../../kv/result';
import type { LeaseIdSource } from '../../lease-ids';
import type { ApiLimits } from '../../limits';
import { checkedKey, checkedPageSize, invalid } from '../../validate';
import { newestIn } from '../condition';
import { selectedRange } from '../selection';
import { comparisonOf } from './compare';
import { deleteFacts } from './delete';
import { deleteRangeOperation } from './delete-range';
import { foundMessage, keyValueMessage } from './messages';
import { newLeaseOf, putFacts, putOperationOf } from './put';

/** How much one transaction may be, counting both lists and everything nested in them. */
export const txnLimits = { compares: 512, operations: 512, depth: 8 } as const;

/** What the operations of a transaction are made with. */
interface Workshop {
  readonly limits: ApiLimits;
  readonly newLeaseId: LeaseIdSource;
}

/** The same, and how much room is left. */
interface Budget extends Workshop {
  compares: number;
  operations: number;
}

/** An operation as the store takes it, and how its result is told. */
interface Prepared<Op, Gives, Message> {
  readonly operation: Op;
  readonly tell: (result: Gives) => Message;
}

type PreparedOperation = Prepared<Operation, OperationResult, ResultMessage>;

/** @throws QuorateError `invalid-argument` */
export function preparedTxn(
  message: TxnMessage,
  workshop: Workshop,
): Prepared<TxnOperation, TxnResult, TxnResultMessage> {
  return txnWithin(message, { ...workshop, compares: 0, operations: 0 }, 1);
}

function txnWithin(
  message: TxnMessage,
  budget: Budget,
  depth: number,
): Prepared<TxnOperation, TxnResult, TxnResultMessage> {
  if (depth > txnLimits.depth) {
    throw invalid('txn', 'is nested too deep', { limit: `${String(txnLimits.depth)} deep`, actual: 'deeper' });
  }
  spend(budget, 'compares', message.compares.length);
  spend(budget, 'operations', message.success.length + message.failure.length);
  const compares = message.compares.map((compare) => comparisonOf(compare, budget.limits));
  const success = message.success.map((operation) => prepared(operation, budget, depth));
  const failure = message.failure.map((operation) => prepared(operation, budget, depth));
  const operations = (list: readonly PreparedOperation[]) => list.map(({ operation }) => operation);
  return {
    operation: { kind: 'txn', compares, success: operations(success), failure: operations(failure) },
    tell({ succeeded, results }) {
      const done = succeeded ? success : failure;
      assert(results.length === done.length, 'every operation has its result');
      return { succeeded, results: results.map((result, at) => told(done[at], result)) };
    },
  };
}

function told(operation: PreparedOperation | undefined, result: OperationResult): ResultMessage {
  assert(operation !== undefined, 'every result has its operation');
  return operation.tell(result);
}

function spend(budget: Budget, what: 'compares' | 'operations', count: number): void {
  budget[what] += count;
  if (budget[what] <= txnLimits[what]) return;
  throw invalid(what, 'are too many', { limit: `at most ${String(txnLimits[what])} in all`, actual: 'more' });
}

/** The dispatcher: the field that is set decides. */
function prepared({ operation }: OperationMessage, budget: Budget, depth: number): PreparedOperation {
  switch (operation?.$case) {
    case undefined:
      throw invalid('operation', 'is missing', { limit: 'one of its fields', actual: 'none' });
    case 'put':
      return preparedPut(operation.value, budget);
    case 'get':
      return preparedGet(operation.value, budget);
    case 'list':
      return preparedList(operation.value, budget);
    case 'delete':
      return preparedDelete(operation.value, budget);
    case 'deleteRange':
      return preparedDeleteRange(operation.value, budget);
    case 'txn': {
      const inner = txnWithin(operation.value, budget, depth + 1);
      return {
        operation: inner.operation,
        tell(result) {
          assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
          return { result: { $case: 'txn', value: inner.tell(result) } };
        },
      };
    }
  }
}

type Message<Case extends string> = Extract<OperationMessage['operation'], { readonly $case: Case }>['value'];

function preparedPut(message: Message<'put'>, { limits, newLeaseId }: Budget): PreparedOperation {
  const operation = putOperationOf(message, limits, newLeaseId);
  return {
    operation,
    tell(result) {
      assert(result.kind === 'put', 'the result of a put is that of a put');
      return { result: { $case: 'put', value: putFacts(newLeaseOf(operation), result) } };
    },
  };
}

function preparedGet({ key }: GetOperation, { limits }: Budget): PreparedOperation {
  const range = rangeOfKey(checkedKey(key, limits.maxKeyBytes));
  return {
    operation: newestIn(range, { limit: 1, keysOnly: false }),
    tell: (result) => ({ result: { $case: 'get', value: foundMessage(asRange(result).records[0]) } }),
  };
}

function preparedList(message: ListOperation, { limits }: Budget): PreparedOperation {
  const { keysOnly, countOnly } = message;
  const range = selectedRange(message.selection, limits.maxKeyBytes);
  const limit = checkedPageSize(message.limit, 'limit');
  const operation = newestIn(range, { limit, keysOnly, countOnly });
  return {
    operation,
    tell(result) {
      const { records, more, count } = asRange(result);
      const kvs = records.map((record) => keyValueMessage(record, keysOnly));
      return { result: { $case: 'list', value: { kvs, more, count } } };
    },
  };
}

function preparedDelete({ key, returnPrevious }: Message<'delete'>, { limits }: Budget): PreparedOperation {
  const range = rangeOfKey(checkedKey(key, limits.maxKeyBytes));
  return {
    operation: { kind: 'delete', range, returnPrevious },
    tell(result) {
      assert(result.kind === 'delete', 'the result of a delete is that of a delete');
      return { result: { $case: 'delete', value: deleteFacts(result) } };
    },
  };
}

function preparedDeleteRange({ selection }: Message<'deleteRange'>, { limits }: Budget): PreparedOperation {
  return {
    operation: deleteRangeOperation(selection, limits.maxKeyBytes),
    tell(result) {
      assert(result.kind === 'delete', 'the result of a delete is that of a delete');
      return { result: { $case: 'deleteRange', value: { deleted: result.deleted } } };
    },
  };
}

function asRange(result: OperationResult): RangeResult {
  assert(result.kind === 'range', 'the result of a read is that of a range');
  return result;
}
