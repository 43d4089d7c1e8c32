/** Changes of keys as requests, and their answers: the same for single calls and for the write stream. */
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  DeleteRequest,
  DeleteResponse,
  PutRequest,
  PutResponse,
} from '../gen/quorate/v1/kv';
import {
  fromWireKey,
  fromWireLease,
  invalidField,
  toWireDuration,
  toWireRange,
  toWireSelection,
  toWireValue,
  wellFormed,
} from './convert';
import type {
  DeleteAnswer,
  DeleteOptions,
  DeleteRangeAnswer,
  ExpiryOptions,
  PutAnswer,
  PutOptions,
  Selection,
  Value,
} from './types';

/** A key with its new value. */
export interface Assignment {
  readonly key: string;
  readonly value: Value;
}

/** @throws QuorateError `invalid-argument` */
export function toPutRequest({ key, value }: Assignment, options: PutOptions, requestId: string): PutRequest {
  return {
    key: wellFormed('key', key),
    value: toWireValue(value),
    expiry: toWireExpiry(options),
    ifRevision: options.ifRevision ?? 0,
    ifAbsent: options.ifAbsent ?? false,
    returnPrevious: options.returnPrevious ?? false,
    requestId,
  };
}

/**
 * What ends a key, as the `oneof` of a message.
 *
 * @throws QuorateError `invalid-argument` when two things would
 */
export function toWireExpiry({ ttlMs, leaseId, keepLease }: ExpiryOptions): PutRequest['expiry'] {
  const given = [ttlMs !== undefined, leaseId !== undefined, keepLease === true].filter(Boolean).length;
  if (given > 1) throw invalidField('expiry', 'is given twice: choose one of ttlMs, leaseId and keepLease');
  if (ttlMs !== undefined) return { $case: 'ttl', value: toWireDuration(checkedTtl(ttlMs)) };
  if (leaseId !== undefined) return { $case: 'leaseId', value: leaseId };
  return keepLease === true ? { $case: 'keepLease', value: true } : undefined;
}

/** @throws QuorateError `invalid-argument`, since a duration on the wire cannot express everything */
export function checkedTtl(ttlMs: number): number {
  if (Number.isFinite(ttlMs) && ttlMs > 0) return ttlMs;
  throw invalidField('ttlMs', 'must be a number of milliseconds above 0');
}

export function fromPutResponse(response: PutResponse): PutAnswer {
  const { revision, createRevision, version, previous, leaseId, replayed } = response;
  const more = { previous: fromWireKey(previous), leaseId: fromWireLease(leaseId), replayed };
  return { revision, createRevision, version, ...more };
}

/** @throws QuorateError `invalid-argument` */
export function toDeleteRequest(key: string, options: DeleteOptions, requestId: string): DeleteRequest {
  return {
    key: wellFormed('key', key),
    ifRevision: options.ifRevision ?? 0,
    returnPrevious: options.returnPrevious ?? false,
    requestId,
  };
}

export function fromDeleteResponse({ deleted, revision, previous, replayed }: DeleteResponse): DeleteAnswer {
  return { deleted, revision, previous: fromWireKey(previous), replayed };
}

/** @throws QuorateError `invalid-argument` */
export function toDeleteRangeRequest(selection: Selection, requestId: string): DeleteRangeRequest {
  return { selection: toDeletedSelection(selection), requestId };
}

/** Nothing is deleted by leaving something out: all keys are a range without bounds. */
export function toDeletedSelection(selection: Selection): DeleteRangeRequest['selection'] {
  if (selection.kind !== 'all') return toWireSelection(selection);
  return { $case: 'range', value: toWireRange({ kind: 'range', start: '', end: '' }) };
}

export function fromDeleteRangeResponse({ deleted, revision, replayed }: DeleteRangeResponse): DeleteRangeAnswer {
  return { deleted, revision, replayed };
}
