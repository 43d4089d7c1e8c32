/** Which calls look at this member's copy as it stands: then it hears of every commit at once (ADR 15). */
import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { EtcdCalls } from '../../../../src/api/etcd/etcd-calls';
import { kvServiceHandlers } from '../../../../src/api/etcd/kv-service';
import { UnaryCalls } from '../../../../src/api/unary-calls';
import { DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from '../../../../src/gen/etcd/etcdserverpb/kv';
import { InstantStore } from '../../../support/instant-store';

const key = Buffer.from('k');
const none = Buffer.alloc(0);

const rangeOf = (serializable: boolean): RangeRequest => ({ ...RangeRequest.decode(none), key, serializable });

function setUp() {
  const store = new InstantStore();
  let staleReads = 0;
  const calls = new UnaryCalls({
    clock: { now: () => 0 },
    requestTimeoutMs: 1000,
    maxCallsInFlight: 1,
    leaderHint: () => undefined,
    onBug: (error) => {
      throw error;
    },
  });
  const handlers = kvServiceHandlers(
    {
      facts: { clusterId: 1n, memberId: 2n, term: () => 3 },
      proposer: store,
      reader: store.reader,
      attention: {
        onStaleRead: () => {
          staleReads++;
        },
      },
    },
    new EtcdCalls(calls, { leader: () => 2n, isLearner: () => false }),
  );
  return { store, handlers, staleReads: () => staleReads };
}

type Handler<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  callback: (error: unknown, response?: Response | null) => void,
) => void;

/** Fails if the call is refused. */
function ask<Request, Response>(handler: Handler<Request, Response>, request: Request): Promise<void> {
  const call: unknown = { request, metadata: new Metadata(), getDeadline: () => Infinity, cancelled: false };
  return new Promise((resolve, reject) => {
    handler(call as ServerUnaryCall<Request, Response>, (error) => {
      if (error === null) resolve();
      else reject(new Error('refused', { cause: error }));
    });
  });
}

function readTxn(...serializable: boolean[]): TxnRequest {
  const success = serializable.map((one) => ({ request: { $case: 'requestRange' as const, value: rangeOf(one) } }));
  return { ...TxnRequest.decode(none), success };
}

it('are serializable reads, and transactions of nothing else', async () => {
  const { store, handlers, staleReads } = setUp();
  await ask(handlers.range, rangeOf(true));
  expect(staleReads()).toBe(1);
  await ask(handlers.txn, readTxn(true, true));
  expect(staleReads()).toBe(2);
  expect(store.barriers).toBe(0);
});

it('are no linearizable reads, which wait for what they need', async () => {
  const { store, handlers, staleReads } = setUp();
  await ask(handlers.range, rangeOf(false));
  await ask(handlers.txn, readTxn(true, false));
  expect(store.barriers).toBe(2);
  expect(staleReads()).toBe(0);
});

it('are no mutations', async () => {
  const { store, handlers, staleReads } = setUp();
  await ask(handlers.put, { ...PutRequest.decode(none), key });
  await ask(handlers.deleteRange, { ...DeleteRangeRequest.decode(none), key });
  expect(store.commands).toHaveLength(2);
  expect(staleReads()).toBe(0);
});
