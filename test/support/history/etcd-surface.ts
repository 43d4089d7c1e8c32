/** The etcd API: Range, Put, DeleteRange and Txn as every etcd client sends them. */
import { status, type ServiceError } from '@grpc/grpc-js';
import { QuorateError } from '../../../src/client';
import {
  type Compare,
  Compare_CompareResult,
  Compare_CompareTarget,
  DeleteRangeRequest,
  type DeleteRangeResponse,
  PutRequest,
  type PutResponse,
  RangeRequest,
  type RangeResponse,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from '../../../src/gen/etcd/etcdserverpb/kv';
import type { KeyValue } from '../../../src/gen/etcd/mvccpb/kv';
import { required } from '../../../src/base/assert';
import type { Comparison, Operation, RangeOperation, TxnOperation } from '../../../src/kv/command';
import { isSingleKey } from '../../../src/kv/key-range';
import type { KeyRecord, OperationResult } from '../../../src/kv/result';
import type { EtcdCaller } from '../etcd-caller';
import { rangeResult, readAnswer, type Surface, type Told } from './surface';
import type { Drawn } from './workload';

export function etcdSurface(etcd: EtcdCaller, members: string): Surface {
  return {
    api: 'etcd',
    members,
    make: (drawn) =>
      make(etcd, drawn).catch((error: unknown) => {
        throw toQuorateError(error as ServiceError);
      }),
  };
}

/** Statuses by which etcd tells that it did nothing. Of all others nobody knows. */
const refusals = new Set([status.INVALID_ARGUMENT, status.FAILED_PRECONDITION, status.NOT_FOUND, status.OUT_OF_RANGE]);

function toQuorateError({ code, details }: ServiceError): QuorateError {
  if (refusals.has(code)) return new QuorateError('invalid-argument', details);
  return new QuorateError('outcome-unknown', details, { outcome: 'unknown' });
}

async function make(etcd: EtcdCaller, { operation }: Drawn): Promise<Told> {
  switch (operation.kind) {
    case 'mutation':
      return change(etcd, operation.command as Operation);
    case 'get': {
      const { kvs, header } = await etcd.range(operation.key);
      return readAnswer(Number(header?.revision), kvs.map(toRecord));
    }
    case 'list': {
      const { kvs, header } = await etcd.range(operation.start, { rangeEnd: Buffer.from(operation.end) });
      return readAnswer(Number(header?.revision), kvs.map(toRecord));
    }
    case 'select': {
      const request = toRange({ kind: 'range', ...operation.query });
      const { kvs, count, more, header } = await etcd.range(String(request.key), request);
      return readAnswer(Number(header?.revision), kvs.map(toRecord), { count: Number(count), more });
    }
    case 'renew':
    case 'lease':
      throw new Error(`${operation.kind} is not made through the etcd API`);
  }
}

async function change(etcd: EtcdCaller, operation: Operation): Promise<Told> {
  switch (operation.kind) {
    case 'put': {
      const { key, value, prevKv } = toPut(operation);
      return ofResult(putResult(await etcd.put(String(key), String(value), { prevKv })));
    }
    case 'delete': {
      const request = toDelete(operation);
      return ofResult(deleteResult(await etcd.deleteRange(String(request.key), request)));
    }
    case 'txn':
      return ofResult(txnResult(await etcd.txn(toTxn(operation))));
    case 'range':
      throw new Error('a range is no change');
  }
}

function ofResult(result: OperationResult): Told {
  return { answer: result };
}

function toTxn({ compares, success, failure }: TxnOperation): TxnRequest {
  return { compare: compares.map(toCompare), success: success.map(toRequestOp), failure: failure.map(toRequestOp) };
}

const comparisons = {
  equal: Compare_CompareResult.EQUAL,
  'not-equal': Compare_CompareResult.NOT_EQUAL,
  greater: Compare_CompareResult.GREATER,
  less: Compare_CompareResult.LESS,
} as const;

function toCompare({ range, operator, target }: Comparison): Compare {
  const rangeEnd = isSingleKey(range) ? Buffer.alloc(0) : Buffer.from(range.end ?? '\0');
  return { key: Buffer.from(range.start), rangeEnd, result: comparisons[operator], ...toTarget(target) };
}

function toTarget(target: Comparison['target']): Pick<Compare, 'target' | 'targetUnion'> {
  switch (target.kind) {
    case 'version':
      return {
        target: Compare_CompareTarget.VERSION,
        targetUnion: { $case: 'version', value: BigInt(target.number) },
      };
    case 'create':
      return {
        target: Compare_CompareTarget.CREATE,
        targetUnion: { $case: 'createRevision', value: BigInt(target.number) },
      };
    case 'mod':
      return {
        target: Compare_CompareTarget.MOD,
        targetUnion: { $case: 'modRevision', value: BigInt(target.number) },
      };
    case 'value':
      return { target: Compare_CompareTarget.VALUE, targetUnion: { $case: 'value', value: Buffer.from(target.value) } };
    case 'lease':
      return { target: Compare_CompareTarget.LEASE, targetUnion: { $case: 'lease', value: target.lease } };
  }
}

function toRequestOp(operation: Operation): RequestOp {
  switch (operation.kind) {
    case 'put':
      return { request: { $case: 'requestPut', value: toPut(operation) } };
    case 'delete':
      return { request: { $case: 'requestDeleteRange', value: toDelete(operation) } };
    case 'range':
      return { request: { $case: 'requestRange', value: toRange(operation) } };
    case 'txn':
      return { request: { $case: 'requestTxn', value: toTxn(operation) } };
  }
}

const none = Buffer.alloc(0);
const rangeEndOf = (range: Comparison['range']): Buffer => (isSingleKey(range) ? none : Buffer.from(range.end ?? '\0'));

function toPut({ key, value, returnPrevious }: Extract<Operation, { kind: 'put' }>): PutRequest {
  return {
    ...PutRequest.decode(none),
    ...{ key: Buffer.from(key), value: Buffer.from(value), prevKv: returnPrevious },
  };
}

function toDelete({ range, returnPrevious }: Extract<Operation, { kind: 'delete' }>): DeleteRangeRequest {
  return {
    ...DeleteRangeRequest.decode(none),
    ...{ key: Buffer.from(range.start), rangeEnd: rangeEndOf(range), prevKv: returnPrevious },
  };
}

const sortTargets = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
const sortOrders = { none: 0, ascend: 1, descend: 2 } as const;

function toRange(range: RangeOperation): RangeRequest {
  return {
    ...RangeRequest.decode(none),
    ...{ key: Buffer.from(range.range.start), rangeEnd: rangeEndOf(range.range), limit: BigInt(range.limit) },
    ...{ sortOrder: sortOrders[range.sortOrder], sortTarget: sortTargets[range.sortTarget] },
    ...{ keysOnly: range.keysOnly, countOnly: range.countOnly },
  };
}

function toRecord({ key, value, createRevision, modRevision, version, lease }: KeyValue): KeyRecord {
  const revisions = { createRevision: Number(createRevision), modRevision: Number(modRevision) };
  return { key, value, form: 'bytes', ...revisions, version: Number(version), lease };
}

/** etcd does not tell how often a key was put, nor when it was made: they are not compared. */
function putResult({ header, prevKv }: PutResponse): OperationResult {
  const previous = prevKv === undefined ? undefined : toRecord(prevKv);
  return { kind: 'put', revision: Number(header?.revision ?? 0), createRevision: 0, version: 0, previous };
}

function deleteResult({ header, deleted, prevKvs }: DeleteRangeResponse): OperationResult {
  return {
    ...{ kind: 'delete', revision: Number(header?.revision ?? 0), deleted: Number(deleted) },
    previous: prevKvs.map(toRecord),
  };
}

function rangeResultOf({ kvs, count, more }: RangeResponse): OperationResult {
  return rangeResult(kvs.map(toRecord), Number(count), more);
}

function txnResult({ header, succeeded, responses }: TxnResponse): OperationResult {
  return { kind: 'txn', revision: Number(header?.revision ?? 0), succeeded, results: responses.map(resultOf) };
}

function resultOf({ response }: ResponseOp): OperationResult {
  const { $case, value } = required(response, 'an operation has a response');
  switch ($case) {
    case 'responsePut':
      return putResult(value);
    case 'responseDeleteRange':
      return deleteResult(value);
    case 'responseRange':
      return rangeResultOf(value);
    case 'responseTxn':
      return txnResult(value);
  }
}
