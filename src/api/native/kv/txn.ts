/** `KVService.Txn`: conditions, then one of two lists of operations, all of it or nothing. */
import { assert } from '../../../base/assert';
import type { TxnRequest, TxnResponse } from '../../../gen/quorate/v1/kv';
import type { TxnOperation } from '../../../kv/command';
import { touchesKeyTwice } from '../../../kv/duplicate-keys';
import type { KvReader, Result } from '../../../kv/result';
import type { CallContext, Proposer } from '../../../node/call';
import { leaseIdsFor } from '../../lease-ids';
import type { ReadGate } from '../../read-gate';
import { checkedRequestId } from '../../request-ids';
import { invalid } from '../../validate';
import { isReplayed, mutate, type Mutation, type RequestBounds } from '../mutation';
import { preparedTxn } from './txn-operations';

/** What the call needs of a member. */
export interface TxnNeeds extends RequestBounds {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly reader: Pick<KvReader, 'readTxn'>;
  readonly reads: Pick<ReadGate, 'linearizable'>;
}

/** A transaction that only reads, and is not to be remembered, is a read. */
export async function txn(needs: TxnNeeds, request: TxnRequest, call: CallContext): Promise<TxnResponse> {
  const mutation = txnMutation(request, needs);
  const { requestId, command } = mutation.command;
  assert(command.kind === 'txn', 'a transaction is one command');
  if (requestId !== undefined || !readsOnly(command)) return mutate(needs, mutation, call);
  await needs.reads.linearizable(call);
  return mutation.answer(needs.reader.readTxn(command));
}

/** @throws QuorateError `invalid-argument` */
export function txnMutation(request: TxnRequest, { limits, wallClock }: RequestBounds): Mutation<TxnResponse> {
  const requestId = checkedRequestId(request.requestId, wallClock());
  const { operation, tell } = preparedTxn(request, { limits, newLeaseId: leaseIdsFor(requestId) });
  if (touchesKeyTwice(operation)) throw keyTouchedTwice();
  return {
    command: { requestId, command: operation },
    answer(result) {
      assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
      const { succeeded, results } = tell(result);
      return { succeeded, results, revision: result.revision, replayed: isReplayed(result) };
    },
  };
}

function keyTouchedTwice() {
  return invalid('operations', 'touch a key twice', {
    limit: 'one put a key in each list, and none that a delete of the list covers',
    actual: 'more',
  });
}

function readsOnly({ success, failure }: TxnOperation): boolean {
  return [...success, ...failure].every((it) => it.kind === 'range' || (it.kind === 'txn' && readsOnly(it)));
}
