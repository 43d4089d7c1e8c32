/** `quorate.v1.KVService`: check, call, map, reply. */
import { assert } from '../../base/assert';
import {
  type DeleteRequest,
  type DeleteResponse,
  type GetRequest,
  type GetResponse,
  type KeyValue,
  type KVServiceServer,
  type ListRequest,
  type ListResponse,
  type PutRequest,
  type PutResponse,
} from '../../gen/quorate/v1/kv';
import { deleteOperation, putOperation, unnamed } from '../../kv/command-builders';
import { encodeCommand } from '../../kv/command-codec';
import type { KeyRange, KeyRecord, KvReader, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import type { ApiLimits } from '../limits';
import { pageTokenAfter, rangeFrom } from '../page-token';
import type { UnaryCalls } from '../unary-calls';
import { checkedKey, checkedKeyText, checkedPageSize, checkedValue, isLinearizable } from '../validate';

/** What the service needs of a member. */
export interface KvServiceDependencies {
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'revision' | 'get' | 'range'>;
  readonly limits: ApiLimits;
}

/** The gRPC handlers of the service. */
export function kvServiceHandlers(
  needs: KvServiceDependencies,
  calls: UnaryCalls,
): Pick<KVServiceServer, 'put' | 'get' | 'delete' | 'list'> {
  return {
    put: calls.handler((request: PutRequest, call) => put(needs, request, call)),
    get: calls.handler((request: GetRequest, call) => get(needs, request, call)),
    delete: calls.handler((request: DeleteRequest, call) => deleteKey(needs, request, call)),
    list: calls.handler((request: ListRequest, call) => list(needs, request, call)),
  };
}

async function put(needs: KvServiceDependencies, request: PutRequest, call: CallContext): Promise<PutResponse> {
  const key = checkedKey(request.key, needs.limits.maxKeyBytes);
  const value = checkedValue(request.value, needs.limits.maxValueBytes);
  const result = await needs.proposer.propose(encodeCommand(unnamed(putOperation({ key, ...value }))), call);
  assert(result.kind === 'put', 'the result of a put is that of a put');
  return {
    revision: result.revision,
    createRevision: result.createRevision,
    version: result.version,
    previous: undefined,
    leaseId: 0n,
    replayed: false,
  };
}

async function deleteKey(
  needs: KvServiceDependencies,
  request: DeleteRequest,
  call: CallContext,
): Promise<DeleteResponse> {
  const key = checkedKey(request.key, needs.limits.maxKeyBytes);
  const result = await needs.proposer.propose(encodeCommand(unnamed(deleteOperation(key))), call);
  assert(result.kind === 'delete', 'the result of a delete is that of a delete');
  return { deleted: result.deleted > 0, revision: result.revision, previous: undefined, replayed: false };
}

async function get(needs: KvServiceDependencies, request: GetRequest, call: CallContext): Promise<GetResponse> {
  const key = checkedKey(request.key, needs.limits.maxKeyBytes);
  if (isLinearizable(request.consistency)) await needs.proposer.readBarrier(call);
  const record = needs.reader.get(key);
  const kv = record === undefined ? undefined : keyValueOf(record, false);
  return { found: kv !== undefined, kv, revision: needs.reader.revision };
}

async function list(needs: KvServiceDependencies, request: ListRequest, call: CallContext): Promise<ListResponse> {
  const limit = checkedPageSize(request.pageSize);
  const selection = selectionOf(request.selection, needs.limits.maxKeyBytes);
  const range = rangeFrom(selection, request.pageToken);
  if (isLinearizable(request.consistency)) await needs.proposer.readBarrier(call);
  const { reader } = needs;
  if (isEmpty(range)) return { kvs: [], nextPageToken: '', revision: reader.revision };
  const page = reader.range({
    ...range,
    revision: 0,
    limit,
    maxBytes: needs.limits.maxPageBytes,
    keysOnly: request.keysOnly,
  });
  const last = page.records.at(-1);
  assert(!page.more || last !== undefined, 'a page that is not the last holds a record');
  const nextPageToken = page.more && last !== undefined ? pageTokenAfter(selection, last.key) : '';
  const kvs = page.records.map((record) => keyValueOf(record, request.keysOnly));
  return { kvs, nextPageToken, revision: reader.revision };
}

function selectionOf(selection: ListRequest['selection'], maxKeyBytes: number): KeyRange {
  switch (selection?.$case) {
    case undefined:
      return { start: new Uint8Array(), end: undefined };
    case 'prefix': {
      const start = checkedKeyText('prefix', selection.value, maxKeyBytes);
      return { start, end: endOfPrefix(start) };
    }
    case 'range': {
      const end = checkedKeyText('range.end', selection.value.end, maxKeyBytes);
      const start = checkedKeyText('range.start', selection.value.start, maxKeyBytes);
      return { start, end: end.length === 0 ? undefined : end };
    }
  }
}

/** The first byte string after all that begin with `prefix`. UTF-8 never holds a byte 0xff, so the last one can grow. */
function endOfPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const end = Uint8Array.from(prefix);
  const last = end.at(-1);
  if (last === undefined) return undefined;
  assert(last < 0xff, 'UTF-8 holds no byte 0xff');
  end[end.length - 1] = last + 1;
  return end;
}

function isEmpty(range: KeyRange): boolean {
  return range.end !== undefined && Buffer.compare(range.start, range.end) >= 0;
}

function keyValueOf(record: KeyRecord, keysOnly: boolean): KeyValue {
  const { createRevision, modRevision, version, lease: leaseId } = record;
  return {
    key: text(record.key),
    value: keysOnly ? undefined : valueOf(record),
    createRevision,
    modRevision,
    version,
    leaseId,
  };
}

function valueOf({ form, value }: KeyRecord): KeyValue['value'] {
  return form === 'text' ? { $case: 'text', value: text(value) } : { $case: 'data', value: view(value) };
}

function text(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
