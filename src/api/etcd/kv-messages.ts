/** Results of the store as messages of etcd's KV service. Headers are those of answers within a transaction. */
import { unreachable } from '../../base/assert';
import type {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from '../../gen/etcd/etcdserverpb/kv';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv';
import type { DeleteResult, KeyRecord, OperationResult, PutResult, RangeResult, TxnResult } from '../../kv/result';
import { innerHeader } from './header';

/** A key as it stands, or stood. */
export function keyValueOf(record: KeyRecord): KeyValue {
  return {
    key: bufferOf(record.key),
    createRevision: BigInt(record.createRevision),
    modRevision: BigInt(record.modRevision),
    version: BigInt(record.version),
    value: bufferOf(record.value),
    lease: record.lease,
  };
}

/** The same bytes, not a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function rangeMessage({ revision, records, more, count }: RangeResult): RangeResponse {
  return { header: innerHeader(revision), kvs: records.map(keyValueOf), more, count: BigInt(count) };
}

export function putMessage({ revision, previous }: PutResult): PutResponse {
  return { header: innerHeader(revision), prevKv: previous === undefined ? undefined : keyValueOf(previous) };
}

export function deleteMessage({ revision, deleted, previous }: DeleteResult): DeleteRangeResponse {
  return { header: innerHeader(revision), deleted: BigInt(deleted), prevKvs: previous.map(keyValueOf) };
}

export function txnMessage({ revision, succeeded, results }: TxnResult): TxnResponse {
  return { header: innerHeader(revision), succeeded, responses: results.map(responseOf) };
}

function responseOf(result: OperationResult): ResponseOp {
  switch (result.kind) {
    case 'range':
      return { response: { $case: 'responseRange', value: rangeMessage(result) } };
    case 'put':
      return { response: { $case: 'responsePut', value: putMessage(result) } };
    case 'delete':
      return { response: { $case: 'responseDeleteRange', value: deleteMessage(result) } };
    case 'txn': {
      // etcd tells the revision of the outermost transaction alone.
      const value = { ...txnMessage(result), header: innerHeader(0) };
      return { response: { $case: 'responseTxn', value } };
    }
    default:
      return unreachable(result);
  }
}
