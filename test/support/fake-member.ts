/** A member without Raft, for tests of what clients see: a map behind the real services on a real listener. */
import { ClientServer } from '../../src/api/client-server';
import type { ApiLimits } from '../../src/api/limits';
import { copyLimits } from '../../src/api/state-copies';
import { nativeApi, type NativeDependencies } from '../../src/api/native/services';
import { ServerStreams } from '../../src/api/server-streams';
import { UnaryCalls } from '../../src/api/unary-calls';
import type { Scheduler } from '../../src/base/clock';
import type { DeleteOperation, PutOperation } from '../../src/kv/command';
import { decodeCommand } from '../../src/kv/command-codec';
import type {
  HistoryPage,
  KeyRecord,
  KvHash,
  KvReader,
  RangePage,
  RangeQuery,
  Result,
  TxnResult,
} from '../../src/kv/result';
import type { CallContext, Proposer } from '../../src/node/call';
import type { NodeStatus } from '../../src/node/status';
import { Health } from '../../src/ops/health';
import { clientReflection } from '../../src/ops/reflection';
import { FakeMembership } from './fake-membership';
import { FakeSnapshots } from './fake-snapshots';

export const testLimits: ApiLimits = {
  maxKeyBytes: 100,
  maxValueBytes: 1000,
  maxPageBytes: 4096,
  requestTimeoutMs: 1000,
  maxCallsInFlight: 8,
};

/** Real time, as the program has it. */
const realScheduler: Scheduler = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  atEndOfTurn: (callback) => void setImmediate(callback),
};

/** What the fake store can be asked. */
type FakedReads = NativeDependencies['reader'];

/** A store that applies every command at once, and remembers how it was asked. */
export class FakeStore implements Proposer<Result>, FakedReads {
  readonly records = new Map<string, KeyRecord>();
  revision = 1;
  /** The deadlines that came with the calls. */
  readonly deadlines: number[] = [];
  barriers = 0;
  /** When set, every proposal and barrier ends so. */
  behaviour: ((call: CallContext) => Promise<void>) | undefined;

  async propose(command: Uint8Array, call: CallContext): Promise<Result> {
    this.deadlines.push(call.deadline);
    await this.behaviour?.(call);
    const decoded = decodeCommand(command).command;
    if (decoded.kind === 'delete') return this.#delete(decoded);
    if (decoded.kind === 'put') return this.#put(decoded);
    throw new Error(`the fake store knows no ${decoded.kind}`);
  }

  #delete({ range }: DeleteOperation): Result {
    const deleted = this.records.delete(Buffer.from(range.start).toString('hex')) ? 1 : 0;
    this.revision += deleted;
    return { kind: 'delete', deleted, revision: this.revision, previous: [] };
  }

  #put({ key, value, form, lease }: PutOperation): Result {
    const name = Buffer.from(key).toString('hex');
    const before = this.records.get(name);
    const modRevision = ++this.revision;
    const createRevision = before?.createRevision ?? modRevision;
    const version = (before?.version ?? 0) + 1;
    this.records.set(name, { key, value, form, lease, createRevision, modRevision, version });
    return { kind: 'put', revision: modRevision, createRevision, version, previous: before };
  }

  async readBarrier(call: CallContext): Promise<void> {
    this.barriers++;
    this.deadlines.push(call.deadline);
    await this.behaviour?.(call);
  }

  get(key: Uint8Array): KeyRecord | undefined {
    return this.records.get(Buffer.from(key).toString('hex'));
  }

  range({ start, end, limit, maxBytes, keysOnly }: RangeQuery): RangePage {
    const inRange = [...this.records.values()]
      .filter(({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0))
      .sort((a, b) => Buffer.compare(a.key, b.key));
    const records: KeyRecord[] = [];
    let bytes = 0;
    for (const record of inRange.slice(0, limit)) {
      bytes += record.key.length + record.value.length;
      if (bytes > maxBytes && records.length > 0) break;
      records.push(keysOnly ? { ...record, value: new Uint8Array() } : record);
    }
    return { records, more: records.length < inRange.length };
  }

  readonly compactRevision = 0;
  readonly leaseCount = 0;
  readonly quotaBytes = 0;
  readonly alarms: KvReader['alarms'] = [];

  get keyCount(): number {
    return this.records.size;
  }

  sizeBytes(): number {
    return 4096;
  }

  sizeInUseBytes(): number {
    return 2048;
  }

  readTxn(): TxnResult {
    throw new Error('the fake store knows no transactions');
  }

  keyHistory(): HistoryPage {
    throw new Error('the fake store keeps no history');
  }

  hashKv(): Promise<KvHash> {
    return Promise.resolve({ hash: 7, revision: this.revision, compactRevision: 0 });
  }
}

/** A listener on an ephemeral loopback port, with everything a test may turn. */
export interface FakeMember {
  readonly store: FakeStore;
  readonly membership: FakeMembership;
  readonly snapshots: FakeSnapshots;
  readonly server: ClientServer;
  readonly calls: UnaryCalls;
  readonly bugs: unknown[];
  readonly address: string;
  readonly health: Health;
  quorum: boolean;
}

const fakeLeader = { id: 7n, name: 'm7', peerAddress: 'h:2', clientAddress: 'h:1' };
const fakeSelf = { id: 2n ** 63n, name: 'm1', peerAddress: 'a:2', clientAddress: 'a:1' };

export const fakeStatus: NodeStatus = {
  role: 'follower',
  term: 5,
  leader: 7n,
  commitIndex: 11,
  appliedIndex: 10,
  firstLogIndex: 1,
  lastLogIndex: 12,
  durableLogIndex: 12,
  hasQuorum: true,
  peers: [],
};

/** How long the fake member waits for a client that takes nothing of a stream. */
const maxStallMs = 2000;

export async function startFakeMember(limits: Partial<ApiLimits> = {}): Promise<FakeMember> {
  const store = new FakeStore();
  const membership = new FakeMembership([fakeLeader, fakeSelf], fakeLeader.id);
  const snapshots = new FakeSnapshots();
  const bugs: unknown[] = [];
  const all = { ...testLimits, ...limits };
  const calls = new UnaryCalls({
    clock: realScheduler,
    requestTimeoutMs: all.requestTimeoutMs,
    maxCallsInFlight: all.maxCallsInFlight,
    leaderHint: (id) => (id === fakeLeader.id ? fakeLeader : undefined),
    onBug: (error) => bugs.push(error),
  });
  const state = { quorum: true };
  const health = new Health({ scheduler: realScheduler, hasQuorum: () => state.quorum, intervalMs: 10 });
  const streams = new ServerStreams({ calls, scheduler: realScheduler, ...copyLimits, maxStallMs });
  const native = nativeApi(
    {
      clusterId: 2n ** 64n - 1n,
      self: fakeSelf,
      proposer: store,
      reader: store,
      membership,
      status: () => ({ ...fakeStatus, leader: membership.leader }),
      scheduler: realScheduler,
      snapshots,
      limits: all,
      wallClock: Date.now,
      logSizeBytes: () => 8192,
      version: '1.2.3',
    },
    { calls, streams },
  );
  const server = new ClientServer({
    address: '127.0.0.1:0',
    limits: all,
    maxStreamsPerConnection: 100,
    calls,
    ...native,
    additions: [health, clientReflection()],
  });
  const port = await server.listen();
  const member = { store, membership, snapshots, server, calls, bugs, health, address: `127.0.0.1:${String(port)}` };
  return Object.defineProperty(member, 'quorum', {
    get: () => state.quorum,
    set: (value: boolean) => {
      state.quorum = value;
    },
  }) as FakeMember;
}
