/** `etcdserverpb.KV`: check, call, map, reply. */
import type { handleUnaryCall } from '@grpc/grpc-js';
import { assert } from '../../base/assert';
import type {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KVServer,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from '../../gen/etcd/etcdserverpb/kv';
import type { TxnOperation } from '../../kv/command';
import { touchesKeyTwice } from '../../kv/duplicate-keys';
import type { KvReader, Result, TxnResult } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import type { Attention } from '../attention';
import type { Encoded } from '../encoded-responses';
import { putBytes, rangeBytes } from './answer-bytes';
import { EtcdError } from './errors';
import type { EtcdCalls } from './etcd-calls';
import { HeaderBytes, headerOf, type HeaderFacts } from './header';
import { deleteMessage, txnMessage } from './kv-messages';
import {
  checkDelete,
  checkPut,
  checkRange,
  deleteOperation,
  putOperation,
  rangeOperation,
  storeNumber,
} from './kv-requests';
import { etcdLimits } from './limits';
import { propose } from './proposals';
import { checkTxn, readOnlyKind, type ReadOnlyKind, txnOperation } from './txn-requests';

/** What the service needs of a member. */
export interface KvServiceDependencies {
  readonly facts: HeaderFacts;
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'select' | 'readTxn' | 'spaceReclaimed'>;
  readonly attention: Pick<Attention, 'onStaleRead'>;
}

/** With what is shared by all calls. */
interface KvServiceNeeds extends KvServiceDependencies {
  readonly headers: HeaderBytes;
}

/** The handlers of the service; the answers to its most frequent calls are bytes already. */
type KvHandlers = Pick<KVServer, 'deleteRange' | 'txn' | 'compact'> & {
  readonly range: handleUnaryCall<RangeRequest, Encoded<RangeResponse>>;
  readonly put: handleUnaryCall<PutRequest, Encoded<PutResponse>>;
};

/** The gRPC handlers of the service. */
export function kvServiceHandlers(dependencies: KvServiceDependencies, calls: EtcdCalls): KvHandlers {
  const needs = { ...dependencies, headers: new HeaderBytes(dependencies.facts) };
  return {
    range: calls.unary(
      (request: RangeRequest, call) => range(needs, request, call),
      ({ serializable }) => serializable,
    ),
    put: calls.unary((request: PutRequest, call) => put(needs, request, call)),
    deleteRange: calls.unary((request: DeleteRangeRequest, call) => deleteRange(needs, request, call)),
    txn: calls.unary((request: TxnRequest, call) => txn(needs, request, call)),
    compact: calls.unary((request: CompactionRequest, call) => compact(needs, request, call)),
  };
}

async function range(needs: KvServiceNeeds, request: RangeRequest, call: CallContext): Promise<Encoded<RangeResponse>> {
  checkRange(request);
  if (request.serializable) needs.attention.onStaleRead();
  else await needs.proposer.readBarrier(call);
  const result = needs.reader.select(rangeOperation(request));
  return rangeBytes(needs.headers, result);
}

async function put(needs: KvServiceNeeds, request: PutRequest, call: CallContext): Promise<Encoded<PutResponse>> {
  checkPut(request);
  const result = await propose(needs.proposer, putOperation(request), call);
  assert(result.kind === 'put', 'the result of a put is that of a put');
  return putBytes(needs.headers, result);
}

async function deleteRange(
  needs: KvServiceDependencies,
  request: DeleteRangeRequest,
  call: CallContext,
): Promise<DeleteRangeResponse> {
  checkDelete(request);
  const result = await propose(needs.proposer, deleteOperation(request), call);
  assert(result.kind === 'delete', 'the result of a delete is that of a delete');
  return { ...deleteMessage(result), header: headerOf(needs.facts, result.revision) };
}

async function txn(needs: KvServiceDependencies, request: TxnRequest, call: CallContext): Promise<TxnResponse> {
  checkTxn(request, etcdLimits.maxTxnOperations);
  const operation = txnOperation(request);
  if (touchesKeyTwice(operation)) throw new EtcdError('duplicate-key');
  const result = await txnResult(needs, { operation, readOnly: readOnlyKind(request) }, call);
  return { ...txnMessage(result), header: headerOf(needs.facts, result.revision) };
}

/** What only reads needs no entry in the log. */
async function txnResult(
  needs: KvServiceDependencies,
  { operation, readOnly }: { readonly operation: TxnOperation; readonly readOnly: ReadOnlyKind | undefined },
  call: CallContext,
): Promise<TxnResult> {
  if (readOnly === undefined) {
    const result = await propose(needs.proposer, operation, call);
    assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
    return result;
  }
  if (readOnly === 'serializable') needs.attention.onStaleRead();
  else await needs.proposer.readBarrier(call);
  return needs.reader.readTxn(operation);
}

async function compact(
  needs: KvServiceDependencies,
  { revision, physical }: CompactionRequest,
  call: CallContext,
): Promise<CompactionResponse> {
  // The store begins with nothing compacted, at 0.
  if (revision < 0n) throw new EtcdError('compacted');
  const result = await propose(needs.proposer, { kind: 'compact', revision: storeNumber(revision) }, call);
  if (physical) await needs.reader.spaceReclaimed();
  return { header: headerOf(needs.facts, result.revision) };
}
