/** Locks and elections of both APIs on a real cluster, whose leader is killed meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { newRequestId, op, type QuorateClient, when } from '../../src/client';
import { KVClient as EtcdKvClient, RangeRequest } from '../../src/gen/etcd/etcdserverpb/kv';
import { ElectionClient, type LeaderKey, type LeaderResponse } from '../../src/gen/etcd/v3electionpb/election';
import { LockClient } from '../../src/gen/etcd/v3lockpb/lock';
import { ElectionServiceClient, type ObserveResponse } from '../../src/gen/quorate/v1/election';
import { type LockRequest, type LockResponse, LockServiceClient } from '../../src/gen/quorate/v1/lock';
import { failure } from '../support/kv-caller';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { unaryCall } from '../support/unary-call';

let cluster: ProcessCluster;
const open: { close(): void }[] = [];

beforeAll(async () => {
  cluster = await ProcessCluster.start();
});

afterAll(async () => {
  for (const client of open) client.close();
  await cluster.stop();
});

function connect<C extends { close(): void }>(
  make: new (address: string, channel: ChannelCredentials) => C,
  member: ProcessMember,
): C {
  const client = new make(member.clientAddress, credentials.createInsecure());
  open.push(client);
  return client;
}

const lockRequest = (name: string, more: Partial<LockRequest> = {}): LockRequest => ({
  ...{ name, hold: { $case: 'ttl', value: { seconds: 60n, nanos: 0 } }, noWait: false, owner: '', requestId: '' },
  ...more,
});

/** The keys below a name, from this member's own copy. */
async function queueOf(member: ProcessMember, name: string): Promise<readonly string[]> {
  const kv = connect(EtcdKvClient, member);
  const [key, rangeEnd] = [Buffer.from(`${name}/`), Buffer.from(`${name}0`)];
  const request = { ...RangeRequest.decode(Buffer.alloc(0)), key, rangeEnd, serializable: true };
  const { kvs } = await unaryCall(kv, kv.range, request, 5000);
  return kvs.map((kv) => kv.key.toString());
}

const lengthOf = (member: ProcessMember, name: string, length: number) => async () => {
  const queue = await queueOf(member, name);
  return queue.length === length ? queue : undefined;
};

async function follower(): Promise<ProcessMember> {
  const leader = await cluster.leader();
  const found = cluster.members.find(({ name, process }) => process !== undefined && name !== leader.name);
  if (found === undefined) throw new Error('there is a follower');
  return found;
}

/** Kills the leader, waits for the next, starts it again and waits until it answers. */
async function killLeader(): Promise<void> {
  const leader = await cluster.leader();
  await cluster.end(leader, 'SIGKILL');
  await cluster.leader(cluster.members.filter(({ name }) => name !== leader.name));
  cluster.startMember(leader);
  await eventually(20_000, 'the member that was killed', () => cluster.status(leader));
}

/** Asks for a lock until it is granted, through one member after the other: by its request id it keeps its place. */
async function lockAnywhere(request: LockRequest, firstMember: number): Promise<LockResponse> {
  for (let turn = firstMember; ; turn++) {
    const member = cluster.members[turn % cluster.members.length];
    if (member === undefined) throw new Error('there are members');
    const locks = new LockServiceClient(member.clientAddress, credentials.createInsecure());
    try {
      return await unaryCall(locks, locks.lock, request, 60_000);
    } catch (error) {
      if ((error as ServiceError).code !== status.UNAVAILABLE) throw error;
      await sleep(50);
    } finally {
      locks.close();
    }
  }
}

describe('A lock with 20 contenders, while leaders are killed', () => {
  const contenders = 20;
  const kills = 3;
  const minGrants = 100;

  it('has one holder at a time, with growing tokens; nothing is lost that is done under it', async () => {
    const admin = cluster.client();
    const tokens: number[] = [];
    const wrong: string[] = [];
    let isOver = false;
    let holder: number | undefined;

    /** A counter goes up by one, read and written in two steps that only the lock keeps together. */
    const countOnce = async (contender: number): Promise<void> => {
      const request = lockRequest('crowded', { owner: String(contender), requestId: newRequestId() });
      const { key, fencingToken } = await lockAnywhere(request, contender + tokens.length);
      if (holder !== undefined) wrong.push(`${String(contender)} beside ${String(holder)}`);
      holder = contender;
      tokens.push(fencingToken);
      const count = await countOf(admin);
      const isStillHeld = when.createRevision(key, '=', fencingToken);
      const step = op.put('count', String(count + 1));
      const { succeeded } = await admin.txn().if(isStillHeld).do(step).commit();
      if (!succeeded) wrong.push(`${String(contender)} lost what it held`);
      holder = undefined;
      await admin.locks.release(key, fencingToken);
    };
    const all = Array.from({ length: contenders }, async (_, contender) => {
      while (!isOver) await countOnce(contender);
    });
    for (let kill = 0; kill < kills; kill++) {
      await sleep(1000);
      await killLeader();
    }
    await eventually(60_000, 'grants', () => Promise.resolve(tokens.length >= minGrants ? true : undefined));
    isOver = true;
    await Promise.all(all);
    expect(wrong).toEqual([]);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(await countOf(admin)).toBe(tokens.length);
    expect(await queueOf(await cluster.leader(), 'crowded')).toEqual([]);
  });
});

async function countOf(client: QuorateClient): Promise<number> {
  const { kv } = await client.get('count');
  return Number(kv?.value ?? 0);
}

describe('A lock', () => {
  it('is granted through a follower although the leader is killed while it is waited for', async () => {
    const member = await follower();
    const locks = connect(LockServiceClient, member);
    const first = await unaryCall(locks, locks.lock, lockRequest('patient'), 5000);
    const second = unaryCall(locks, locks.lock, lockRequest('patient'), 60_000);
    await eventually(5000, 'a queue', lengthOf(member, 'patient', 2));
    await killLeader();
    await cluster.client([member]).locks.release(first.key, first.fencingToken);
    const { key, fencingToken } = await second;
    expect(fencingToken).toBeGreaterThan(first.fencingToken);
    await cluster.client([member]).locks.release(key, fencingToken);
  });

  it('is not waited for any more when the call is cancelled or its deadline passes', async () => {
    const member = await follower();
    const locks = connect(LockServiceClient, member);
    const { key, fencingToken } = await unaryCall(locks, locks.lock, lockRequest('given-up'), 5000);
    const cancelled = unaryCall(locks, locks.lock, lockRequest('given-up'));
    const late = unaryCall(locks, locks.lock, lockRequest('given-up'), 1000);
    const ends = Promise.allSettled([cancelled, late]);
    await eventually(5000, 'a queue', lengthOf(member, 'given-up', 3));
    cancelled.cancel();
    const codes = (await ends).map((end) =>
      end.status === 'rejected' ? (end.reason as ServiceError).code : 'granted',
    );
    expect(codes).toEqual([status.CANCELLED, status.DEADLINE_EXCEEDED]);
    await eventually(5000, 'an empty queue behind the holder', lengthOf(member, 'given-up', 1));
    expect(await cluster.client().locks.get('given-up')).toMatchObject({ holder: { key, fencingToken }, waiting: 0 });
  });

  it('is refused at once to who does not want to wait', async () => {
    const locks = connect(LockServiceClient, await follower());
    const noWait = lockRequest('busy', { noWait: true });
    await unaryCall(locks, locks.lock, noWait, 5000);
    await expect(unaryCall(locks, locks.lock, noWait, 5000)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
  });

  it('has a token by which the write of a former holder is refused', async () => {
    const client = cluster.client();
    const locks = connect(LockServiceClient, await follower());
    const former = await unaryCall(locks, locks.lock, lockRequest('fenced'), 5000);
    // As when its lease ends while it is paused.
    await client.locks.release(former.key, 0);
    const holder = await unaryCall(locks, locks.lock, lockRequest('fenced'), 5000);
    const writeAs = ({ key, fencingToken }: LockResponse, name: string) =>
      client
        .txn()
        .if(when.createRevision(key, '=', fencingToken))
        .do(op.put('guarded', name))
        .commit();
    expect((await writeAs(holder, 'holder')).succeeded).toBe(true);
    expect((await writeAs(former, 'former')).succeeded).toBe(false);
    expect((await client.get('guarded')).kv?.value).toBe('holder');
  });
});

describe("Lock of etcd's API", () => {
  it('locks, waits, unlocks; shares its queues with the native API', async () => {
    const member = await follower();
    const locks = connect(LockClient, member);
    const name = Buffer.from('shared');
    const first = await unaryCall(locks, locks.lock, { name, lease: 0n }, 5000);
    expect(first.key.toString()).toMatch(/^shared\/[0-9a-f]{1,16}$/);
    expect(first.header?.revision).toBeGreaterThan(1n);
    const native = connect(LockServiceClient, member);
    const second = unaryCall(native, native.lock, lockRequest('shared'), 20_000);
    await eventually(5000, 'a queue', lengthOf(member, 'shared', 2));
    await unaryCall(locks, locks.unlock, { key: first.key }, 5000);
    expect((await second).key).toMatch(/^shared\//);
  });

  it('answers in the words of etcd', async () => {
    const locks = connect(LockClient, await follower());
    const name = Buffer.from('worded');
    await expect(unaryCall(locks, locks.lock, { name, lease: 12345n }, 5000)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: 'etcdserver: requested lease not found',
    });
    await expect(unaryCall(locks, locks.unlock, { key: Buffer.alloc(0) }, 5000)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'etcdserver: key is not provided',
    });
    const { key } = await unaryCall(locks, locks.lock, { name, lease: 0n }, 5000);
    const waiting = failure(unaryCall(locks, locks.lock, { name, lease: 0n }, 20_000));
    const member = cluster.members[0];
    if (member === undefined) throw new Error('there are members');
    const queue = await eventually(5000, 'a queue', lengthOf(member, 'worded', 2));
    const own = queue.find((other) => other !== key.toString()) ?? '';
    await unaryCall(locks, locks.unlock, { key: Buffer.from(own) }, 5000);
    expect(await waiting).toMatchObject({ code: status.UNKNOWN, details: 'mutex: session is expired' });
  });
});

describe("Election of etcd's API", () => {
  it('elects, proclaims, resigns and lets itself be observed', async () => {
    const election = connect(ElectionClient, await follower());
    const name = Buffer.from('office');
    const campaign = (value: string) =>
      unaryCall(election, election.campaign, { name, lease: 0n, value: Buffer.from(value) }, 20_000);
    const noLeader = { code: status.UNKNOWN, details: 'election: no leader' };
    await expect(unaryCall(election, election.leader, { name }, 5000)).rejects.toMatchObject(noLeader);

    const seen: string[] = [];
    const stream = election.observe({ name }).on('error', () => undefined);
    stream.on('data', ({ kv }: LeaderResponse) => seen.push(kv?.value.toString() ?? 'nobody'));
    const first = leaderOf((await campaign('one')).leader);
    const second = campaign('two');
    await unaryCall(election, election.proclaim, { leader: first, value: Buffer.from('one again') }, 5000);
    expect((await unaryCall(election, election.leader, { name }, 5000)).kv?.value.toString()).toBe('one again');
    await unaryCall(election, election.resign, { leader: first }, 5000);
    await second;
    await eventually(5000, 'observations', () => Promise.resolve(seen.length >= 3 ? true : undefined));
    stream.cancel();
    expect(seen).toEqual(['one', 'one again', 'two']);

    const notLeader = { code: status.UNKNOWN, details: 'election: not leader' };
    const late = { leader: first, value: Buffer.from('late') };
    await expect(unaryCall(election, election.proclaim, late, 5000)).rejects.toMatchObject(notLeader);
    await unaryCall(election, election.resign, { leader: first }, 5000);
    const missing = { code: status.UNKNOWN, details: '"leader" field must be provided' };
    const nobody = { leader: undefined };
    await expect(unaryCall(election, election.resign, nobody, 5000)).rejects.toMatchObject(missing);
  });
});

describe('ElectionService', () => {
  it('is won by the next when the leader resigns; observers hear of everything', async () => {
    const election = connect(ElectionServiceClient, await follower());
    const hold = { $case: 'ttl', value: { seconds: 60n, nanos: 0 } } as const;
    const campaign = (value: string) => {
      const request = { name: 'native', hold, value: { $case: 'text', value } as const, requestId: newRequestId() };
      return unaryCall(election, election.campaign, request, 20_000);
    };
    const seen: string[] = [];
    const stream = election.observe({ name: 'native' }).on('error', () => undefined);
    stream.on('data', ({ leader }: ObserveResponse) => seen.push(leader?.kv?.value?.value.toString() ?? 'nobody'));
    await eventually(5000, 'that nobody leads', () => Promise.resolve(seen.length === 1 ? true : undefined));
    const first = await campaign('one');
    const second = campaign('two');
    await sleep(200);
    await killLeader();
    const { key, fencingToken } = first;
    const resign = { key, fencingToken, requestId: newRequestId() };
    expect(await unaryCall(election, election.resign, resign, 10_000)).toMatchObject({
      resigned: true,
      replayed: false,
    });
    expect(await unaryCall(election, election.resign, resign, 5000)).toMatchObject({ resigned: true, replayed: true });
    expect((await second).fencingToken).toBeGreaterThan(fencingToken);
    const proclamation = { key, fencingToken, value: undefined, requestId: '' };
    await expect(unaryCall(election, election.proclaim, proclamation, 5000)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    await eventually(5000, 'observations', () => Promise.resolve(seen.length >= 3 ? true : undefined));
    stream.cancel();
    expect(seen).toEqual(['nobody', 'one', 'two']);
  });
});

function leaderOf(leader: LeaderKey | undefined): LeaderKey {
  if (leader === undefined) throw new Error('a campaign that was won tells who leads');
  return leader;
}
