/** etcd's KV service on a cluster of real processes: any member, any call. */
import { status } from '@grpc/grpc-js';
import { Compare } from '../../src/gen/etcd/etcdserverpb/kv';
import { EtcdCaller, put, range } from '../support/etcd-caller';
import { ProcessCluster } from '../support/process-cluster';

let cluster: ProcessCluster;
let callers: EtcdCaller[];
/** One caller for each member, whoever leads. */
let one: EtcdCaller;
let another: EtcdCaller;

beforeAll(async () => {
  cluster = await ProcessCluster.start();
  callers = cluster.members.map(({ clientAddress }) => new EtcdCaller(clientAddress));
  [one, another] = callers as [EtcdCaller, EtcdCaller];
}, 60_000);

afterAll(async () => {
  for (const caller of callers) caller.close();
  await cluster.stop();
});

const absent = (key: string): Compare => ({
  ...Compare.decode(Buffer.alloc(0)),
  key: Buffer.from(key),
  target: 1,
  targetUnion: { $case: 'createRevision', value: 0n },
});

const valuesOf = ({ kvs }: { kvs: { value: Buffer }[] }) => kvs.map(({ value }) => value.toString());

describe('etcd KV', () => {
  it('writes through any member, and reads through any other what was acknowledged before', async () => {
    for (const [at, caller] of callers.entries()) {
      const { header } = await caller.put('shared', `from ${at}`);
      for (const reader of callers) {
        const read = await reader.range('shared');
        expect(valuesOf(read)).toEqual([`from ${at}`]);
        expect(read.header?.revision).toBeGreaterThanOrEqual(header?.revision ?? 0n);
      }
    }
  });

  it('heads every answer with the cluster, the member that answered, its term and the revision', async () => {
    const made = await one.put('headed', '1');
    const read = await another.range('headed');
    expect(read.header).toMatchObject({ clusterId: made.header?.clusterId, revision: made.header?.revision });
    expect(read.header?.memberId).not.toBe(made.header?.memberId);
    expect(read.header?.raftTerm).toBeGreaterThan(0n);
  });

  it('tells records as etcd does: revisions, version, previous, and nothing of the form a value was given in', async () => {
    const first = await one.put('record', 'a');
    const second = await one.put('record', 'b', { prevKv: true });
    const revisions = { createRevision: first.header?.revision, modRevision: first.header?.revision };
    expect(second.prevKv).toMatchObject({ ...revisions, version: 1n, value: Buffer.from('a'), lease: 0n });
    const gone = await another.deleteRange('record', { prevKv: true });
    expect(gone).toMatchObject({ deleted: 1n, prevKvs: [{ version: 2n, value: Buffer.from('b') }] });
    expect((await one.deleteRange('record')).header?.revision).toBe(gone.header?.revision);
  });

  it('reads ranges with limits, orders and past revisions', async () => {
    for (const [key, value] of ['r/a 3', 'r/b 1', 'r/c 2'].map((it) => it.split(' ') as [string, string])) {
      await one.put(key, value);
    }
    const { header } = await one.put('r/a', '0');
    const before = { rangeEnd: Buffer.from('r0'), revision: (header?.revision ?? 0n) - 1n };
    expect(await another.range('r/', { ...before, limit: 2n })).toMatchObject({ more: true, count: 3n });
    const sorted = await another.range('r/', { ...before, sortOrder: 2, sortTarget: 4 });
    expect(valuesOf(sorted)).toEqual(['3', '2', '1']);
    expect(sorted.header?.revision).toBe(header?.revision);
    expect(valuesOf(await another.range('r/', { rangeEnd: Buffer.from('r0'), serializable: false }))).toEqual([
      '0',
      '1',
      '2',
    ]);
  });

  it('does a transaction at one revision, and heads the answers within with nothing but it', async () => {
    const nested = { compare: [absent('t/x')], success: [put('t/y', '2'), range('t/x')], failure: [] };
    const done = await one.txn({
      compare: [absent('t/x')],
      success: [put('t/x', '1'), { request: { $case: 'requestTxn', value: nested } }],
    });
    const revision = done.header?.revision;
    const inner = { clusterId: 0n, memberId: 0n, raftTerm: 0n, revision };
    expect(done).toMatchObject({
      succeeded: true,
      responses: [
        { response: { $case: 'responsePut', value: { header: inner } } },
        {
          response: {
            $case: 'responseTxn',
            value: {
              header: { ...inner, revision: 0n },
              succeeded: true,
              responses: [
                { response: { value: { header: inner } } },
                { response: { value: { header: inner, kvs: [{ modRevision: revision }] } } },
              ],
            },
          },
        },
      ],
    });
    expect((await another.txn({ compare: [absent('t/x')], failure: [range('t/x')] })).succeeded).toBe(false);
  });

  it('needs no entry in the log for a transaction that only reads', async () => {
    await one.put('read', '1');
    const before = await one.status();
    for (let n = 0; n < 5; n++) await one.txn({ success: [range('read')] });
    expect((await one.status()).raftIndex).toBe(before.raftIndex);
  });

  it('refuses in etcd’s words, and then has done nothing', async () => {
    const revision = (await one.range('none')).header?.revision;
    const expected: readonly [() => Promise<unknown>, status, string][] = [
      [() => one.put('', ''), status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
      [() => one.put('none', '', { ignoreValue: true }), status.INVALID_ARGUMENT, 'etcdserver: key not found'],
      [() => one.put('none', '', { lease: 123n }), status.NOT_FOUND, 'etcdserver: requested lease not found'],
      [
        () => one.txn({ success: [put('none', '1'), put('none', '2')] }),
        status.INVALID_ARGUMENT,
        'etcdserver: duplicate key given in txn request',
      ],
      [
        () => one.txn({ success: [put('none', '1'), range('none', { revision: 10_000n })] }),
        status.OUT_OF_RANGE,
        'etcdserver: mvcc: required revision is a future revision',
      ],
      [
        () => one.txn({ success: Array(129).fill(range('none')) }),
        status.INVALID_ARGUMENT,
        'etcdserver: too many operations in txn request',
      ],
      [() => one.put('none', 'x'.repeat(1_600_000)), status.INVALID_ARGUMENT, 'etcdserver: request is too large'],
    ];
    for (const [call, code, details] of expected) await expect(call()).rejects.toMatchObject({ code, details });
    expect((await one.range('none')).header?.revision).toBe(revision);
  });

  it('takes a value of a mebibyte and a half, nearly', async () => {
    const value = 'v'.repeat(1_500_000);
    await one.put('large', value);
    expect(valuesOf(await another.range('large'))).toEqual([value]);
  });

  it('forgets what is compacted, on every member', async () => {
    await one.put('old', '1');
    const { header } = await one.put('old', '2');
    const revision = Number(header?.revision);
    await another.compact(revision, true);
    for (const caller of callers) {
      await caller.range('old');
      await expect(caller.range('old', { revision: BigInt(revision - 1) })).rejects.toMatchObject({
        code: status.OUT_OF_RANGE,
        details: 'etcdserver: mvcc: required revision has been compacted',
      });
      expect(valuesOf(await caller.range('old', { revision: BigInt(revision) }))).toEqual(['2']);
    }
    await expect(one.compact(revision)).rejects.toMatchObject({ code: status.OUT_OF_RANGE });
    await expect(one.compact(revision + 1000)).rejects.toMatchObject({ code: status.OUT_OF_RANGE });
  });
});
