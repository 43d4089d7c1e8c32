/** `quorate.v1.KVService`: the handlers of its calls; each call has a file of its own in `kv/`. */
import type {
  BatchGetRequest,
  DeleteRangeRequest,
  DeleteRequest,
  GetHistoryRequest,
  GetRequest,
  KVServiceServer,
  ListRequest,
  PutRequest,
  StreamListRequest,
  TxnRequest,
  WatchRequest,
} from '../../gen/quorate/v1/kv';
import type { Scheduler } from '../../base/clock';
import type { KvReader, Result } from '../../kv/result';
import type { Proposer } from '../../node/call';
import type { ReadGate } from '../read-gate';
import type { ServerStreams } from '../server-streams';
import type { UnaryCalls } from '../unary-calls';
import { batchGet } from './kv/batch-get';
import { deleteMutation } from './kv/delete';
import { deleteRangeMutation } from './kv/delete-range';
import { get, type ReadNeeds } from './kv/get';
import { getHistory } from './kv/get-history';
import { list } from './kv/list';
import { putMutation } from './kv/put';
import { streamList } from './kv/stream-list';
import { txn } from './kv/txn';
import { watch, type WatchNeeds } from './kv/watch';
import type { WriteStreams } from './kv/write-streams';
import { mutate, type RequestBounds } from './mutation';

/** What the service needs of a member. */
export interface KvServiceDependencies extends ReadNeeds, RequestBounds, WatchNeeds {
  readonly proposer: Proposer<Result>;
  readonly reader: ReadNeeds['reader'] & Pick<KvReader, 'readTxn'>;
  readonly reads: ReadGate;
  /** The node's own: deadlines are times on it. */
  readonly scheduler: Scheduler;
}

/** Bounds of the listings that are streamed at one time. Each holds one message of at most 256 KiB, or one key. */
export const streamListLimits = { maxStreams: 200, maxStallMs: 60_000 } as const;

/** What carries the calls. */
export interface KvServiceCarriers {
  readonly calls: UnaryCalls;
  /** For `StreamList`. */
  readonly lists: ServerStreams;
  readonly writes: WriteStreams;
  /** For `Watch`. */
  readonly watches: ServerStreams;
}

/** The gRPC handlers of the service. */
export function kvServiceHandlers(
  needs: KvServiceDependencies,
  { calls, lists, writes, watches }: KvServiceCarriers,
): KVServiceServer {
  const { scheduler, limits } = needs;
  return {
    put: calls.handler((request: PutRequest, call) => mutate(needs, putMutation(request, needs), call)),
    get: calls.handler((request: GetRequest, call) => get(needs, request, call)),
    batchGet: calls.handler((request: BatchGetRequest, call) => batchGet(needs, request, call)),
    list: calls.handler((request: ListRequest, call) => list(needs, request, call)),
    streamList: lists.handler((request: StreamListRequest) =>
      streamList(needs, request, { deadline: scheduler.now() + limits.requestTimeoutMs }),
    ),
    delete: calls.handler((request: DeleteRequest, call) => mutate(needs, deleteMutation(request, needs), call)),
    deleteRange: calls.handler((request: DeleteRangeRequest, call) =>
      mutate(needs, deleteRangeMutation(request, needs), call),
    ),
    txn: calls.handler((request: TxnRequest, call) => txn(needs, request, call)),
    write: writes.handler,
    watch: watches.handler((request: WatchRequest, call) => watch(needs, request, call)),
    getHistory: calls.handler((request: GetHistoryRequest, call) => getHistory(needs, request, call)),
  };
}
