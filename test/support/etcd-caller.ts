/** Calls the etcd API of one member through the generated stubs, with promises. */
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AuthClient, AuthUserAddRequest } from '../../src/gen/etcd/etcdserverpb/auth';
import {
  ClusterClient,
  type MemberAddRequest,
  type MemberAddResponse,
  type MemberListResponse,
} from '../../src/gen/etcd/etcdserverpb/cluster';
import {
  type CompactionResponse,
  DeleteRangeRequest,
  type DeleteRangeResponse,
  KVClient,
  PutRequest,
  type PutResponse,
  RangeRequest,
  type RangeResponse,
  type RequestOp,
  TxnRequest,
  type TxnResponse,
} from '../../src/gen/etcd/etcdserverpb/kv';
import {
  type AlarmRequest,
  type AlarmResponse,
  type HashKVResponse,
  MaintenanceClient,
  type SnapshotResponse,
  type StatusResponse,
} from '../../src/gen/etcd/etcdserverpb/maintenance';

const defaultTimeoutMs = 10_000;
/** A member that was down is looked for often. */
const channelOptions = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 };
const none = Buffer.alloc(0);

/** Every field at its default but those given. */
const rangeOf = (key: string, more: Partial<RangeRequest> = {}): RangeRequest => ({
  ...RangeRequest.decode(none),
  key: Buffer.from(key),
  ...more,
});
const putOf = (key: string, value: string, more: Partial<PutRequest> = {}): PutRequest => ({
  ...PutRequest.decode(none),
  key: Buffer.from(key),
  value: Buffer.from(value),
  ...more,
});
const deleteOf = (key: string, more: Partial<DeleteRangeRequest> = {}): DeleteRangeRequest => ({
  ...DeleteRangeRequest.decode(none),
  key: Buffer.from(key),
  ...more,
});
const txnOf = (more: Partial<TxnRequest>): TxnRequest => ({ ...TxnRequest.decode(none), ...more });

export const put = (key: string, value: string): RequestOp => ({
  request: { $case: 'requestPut', value: putOf(key, value) },
});
export const range = (key: string, more: Partial<RangeRequest> = {}): RequestOp => ({
  request: { $case: 'requestRange', value: rangeOf(key, more) },
});

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** Rejects with the ServiceError. */
export class EtcdCaller {
  readonly #kv: KVClient;
  readonly #cluster: ClusterClient;
  readonly #maintenance: MaintenanceClient;
  readonly #auth: AuthClient;
  readonly #timeoutMs: number;
  /** Sent along with every call. */
  readonly metadata = new Metadata();

  constructor(address: string, timeoutMs = defaultTimeoutMs, shown = credentials.createInsecure()) {
    this.#timeoutMs = timeoutMs;
    this.#kv = new KVClient(address, shown, channelOptions);
    this.#cluster = new ClusterClient(address, shown);
    this.#maintenance = new MaintenanceClient(address, shown);
    this.#auth = new AuthClient(address, shown);
  }

  range(key: string, more: Partial<RangeRequest> = {}): Promise<RangeResponse> {
    return this.#call(this.#kv.range.bind(this.#kv), rangeOf(key, more));
  }

  put(key: string, value: string, more: Partial<PutRequest> = {}): Promise<PutResponse> {
    return this.#call(this.#kv.put.bind(this.#kv), putOf(key, value, more));
  }

  deleteRange(key: string, more: Partial<DeleteRangeRequest> = {}): Promise<DeleteRangeResponse> {
    return this.#call(this.#kv.deleteRange.bind(this.#kv), deleteOf(key, more));
  }

  txn(more: Partial<TxnRequest>): Promise<TxnResponse> {
    return this.#call(this.#kv.txn.bind(this.#kv), txnOf(more));
  }

  compact(revision: number, physical = false): Promise<CompactionResponse> {
    return this.#call(this.#kv.compact.bind(this.#kv), { revision: BigInt(revision), physical });
  }

  memberList(linearizable = true): Promise<MemberListResponse> {
    return this.#call(this.#cluster.memberList.bind(this.#cluster), { linearizable });
  }

  memberAdd(request: MemberAddRequest): Promise<MemberAddResponse> {
    return this.#call(this.#cluster.memberAdd.bind(this.#cluster), request);
  }

  memberPromote(ID: bigint): Promise<MemberListResponse> {
    return this.#call(this.#cluster.memberPromote.bind(this.#cluster), { ID });
  }

  memberRemove(ID: bigint): Promise<MemberListResponse> {
    return this.#call(this.#cluster.memberRemove.bind(this.#cluster), { ID });
  }

  status(): Promise<StatusResponse> {
    return this.#call(this.#maintenance.status.bind(this.#maintenance), {});
  }

  alarm(request: AlarmRequest): Promise<AlarmResponse> {
    return this.#call(this.#maintenance.alarm.bind(this.#maintenance), request);
  }

  hashKv(revision: number): Promise<HashKVResponse> {
    return this.#call(this.#maintenance.hashKv.bind(this.#maintenance), { revision: BigInt(revision) });
  }

  moveLeader(targetID: bigint): Promise<unknown> {
    return this.#call(this.#maintenance.moveLeader.bind(this.#maintenance), { targetID });
  }

  userList(): Promise<unknown> {
    return this.#call(this.#auth.userList.bind(this.#auth), {});
  }

  userAdd(name: string): Promise<unknown> {
    return this.#call(this.#auth.userAdd.bind(this.#auth), { ...AuthUserAddRequest.decode(new Uint8Array(0)), name });
  }

  authStatus(): Promise<unknown> {
    return this.#call(this.#auth.authStatus.bind(this.#auth), {});
  }

  /** All messages of a snapshot. */
  async snapshot(): Promise<SnapshotResponse[]> {
    const messages: SnapshotResponse[] = [];
    for await (const message of this.#maintenance.snapshot({}, this.metadata)) {
      messages.push(message as SnapshotResponse);
    }
    return messages;
  }

  close(): void {
    for (const client of [this.#kv, this.#cluster, this.#maintenance, this.#auth]) client.close();
  }

  #call<Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      method(request, this.metadata, { deadline: Date.now() + this.#timeoutMs }, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }
}
