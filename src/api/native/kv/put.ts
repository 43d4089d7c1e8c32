/** `KVService.Put`: stores a value under a key, on a condition if one is given. */
import { assert } from '../../../base/assert';
import type { PutOperation as PutOperationMessage, PutRequest, PutResponse } from '../../../gen/quorate/v1/kv';
import { noLease, type PutOperation } from '../../../kv/command';
import type { OperationResult } from '../../../kv/result';
import { checkedTtl } from '../../durations';
import { leaseIdsFor, type LeaseIdSource } from '../../lease-ids';
import type { ApiLimits } from '../../limits';
import { checkedRequestId } from '../../request-ids';
import { checkedKey, checkedRevision, checkedValue, invalid } from '../../validate';
import { type Condition, onCondition, resultOnCondition } from '../condition';
import { isReplayed, type Mutation, type RequestBounds } from '../mutation';
import { previousMessage } from './messages';

/** @throws QuorateError `invalid-argument` */
export function putMutation(request: PutRequest, bounds: RequestBounds): Mutation<PutResponse> {
  const requestId = checkedRequestId(request.requestId, bounds.wallClock());
  const operation = putOperationOf(request, bounds.limits, leaseIdsFor(requestId));
  const condition = conditionOf(request);
  const leaseId = newLeaseOf(operation);
  return {
    command: { requestId, command: onCondition(condition, operation.key, operation) },
    // Holds no key and no value while it waits, and copies field by field: in a Write stream both are felt.
    answer(result) {
      const put = resultOnCondition(condition, result);
      assert(put.kind === 'put', 'the result of a put is that of a put');
      const { createRevision, version, previous } = putFacts(leaseId, put);
      return { createRevision, version, previous, leaseId, revision: put.revision, replayed: isReplayed(result) };
    },
  };
}

/** The operation that a put asks for, in a call of its own or in a transaction. */
export function putOperationOf(
  put: PutOperationMessage,
  { maxKeyBytes, maxValueBytes }: ApiLimits,
  newLeaseId: LeaseIdSource,
): PutOperation {
  const key = checkedKey(put.key, maxKeyBytes);
  const { value, form } = checkedValue(put.value, maxValueBytes);
  const { lease, grantTtl, keepLease } = expiryOf(put.expiry, newLeaseId);
  const { returnPrevious } = put;
  return { kind: 'put', key, value, form, lease, grantTtl, keepLease, keepValue: false, returnPrevious };
}

type PutResult = Extract<OperationResult, { readonly kind: 'put' }>;

/** What the store tells of a put, but for its revision; `leaseId` is `newLeaseOf` the operation. */
export function putFacts(leaseId: bigint, { createRevision, version, previous }: PutResult) {
  return { createRevision, version, previous: previousMessage(previous), leaseId };
}

/** The lease that a put grants for its key alone. */
export function newLeaseOf({ grantTtl, lease }: PutOperation): bigint {
  return grantTtl > 0 ? lease : noLease;
}

function expiryOf(
  expiry: PutRequest['expiry'],
  newLeaseId: LeaseIdSource,
): Pick<PutOperation, 'lease' | 'grantTtl' | 'keepLease'> {
  switch (expiry?.$case) {
    case undefined:
      return { lease: noLease, grantTtl: 0, keepLease: false };
    case 'ttl': {
      const grantTtl = checkedTtl(expiry.value);
      return { lease: newLeaseId(), grantTtl, keepLease: false };
    }
    case 'leaseId':
      return { lease: expiry.value, grantTtl: 0, keepLease: false };
    case 'keepLease':
      return { lease: noLease, grantTtl: 0, keepLease: expiry.value };
  }
}

function conditionOf({ ifRevision, ifAbsent }: PutRequest): Condition | undefined {
  const modRevision = checkedRevision('if_revision', ifRevision);
  if (!ifAbsent) return modRevision === 0 ? undefined : { modRevision };
  if (modRevision === 0) return { modRevision: 0 };
  throw invalid('if_absent', 'contradicts if_revision', { limit: 'one of the two', actual: 'both' });
}
