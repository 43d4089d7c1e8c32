/** The client API over real gRPC, with a store that needs no Raft: answers, checks, errors. */
import { credentials, status } from '@grpc/grpc-js';
import { QuorateError } from '../../src/base/error';
import { ClusterServiceClient, type GetStatusResponse } from '../../src/gen/quorate/v1/cluster';
import { type ListResponse, PutRequest } from '../../src/gen/quorate/v1/kv';
import { type FakeMember, fakeStatus, startFakeMember } from '../support/fake-member';
import { failure, KvCaller } from '../support/kv-caller';
import { deleteRequest, putRequest } from '../support/kv-requests';
import { detailsOf, RawClient } from '../support/raw-call';

const putPath = '/quorate.v1.KVService/Put';
let member: FakeMember;
let caller: KvCaller;
let raw: RawClient;

beforeEach(async () => {
  member = await startFakeMember();
  caller = new KvCaller(member.address);
  raw = new RawClient(member.address);
});

afterEach(async () => {
  caller.close();
  raw.close();
  await member.server.drain(1000);
});

describe('KVService', () => {
  it('stores text and bytes and gives them back in the same form', async () => {
    expect(await caller.put('a', '1')).toMatchObject({ revision: 2, createRevision: 2, version: 1 });
    const data = Buffer.from([0, 255, 254]);
    await caller.putValue('b', { $case: 'data', value: data });
    expect((await caller.get('a')).kv?.value).toEqual({ $case: 'text', value: '1' });
    expect((await caller.get('b')).kv?.value).toEqual({ $case: 'data', value: data });
  });

  it('answers that a key is missing, not an error', async () => {
    expect(await caller.get('nothing')).toEqual({ found: false, kv: undefined, revision: 1 });
  });

  it('deletes, and says whether there was something to delete', async () => {
    await caller.put('a', '1');
    expect(await caller.ask(caller.kv.delete, deleteRequest({ key: 'a' }))).toMatchObject({
      deleted: true,
      revision: 3,
    });
    expect(await caller.ask(caller.kv.delete, deleteRequest({ key: 'a' }))).toMatchObject({
      deleted: false,
      revision: 3,
    });
  });

  it('waits for a barrier before a linearizable read, and not before a stale one (thesis §6.4)', async () => {
    await caller.get('a', 0);
    await caller.get('a', 1);
    expect(member.store.barriers).toBe(2);
    await caller.get('a', 2);
    expect(member.store.barriers).toBe(2);
  });

  it('keeps a byte order mark in a key', async () => {
    await caller.put('\uFEFFa', 'with');
    expect(await caller.get('a')).toMatchObject({ found: false });
    expect(await caller.get('\uFEFFa')).toMatchObject({ found: true, kv: { key: '\uFEFFa' } });
  });
});

describe('List', () => {
  const keysOf = (page: ListResponse) => page.kvs.map(({ key }) => key);

  beforeEach(async () => {
    for (const key of ['a', 'b', 'b/1', 'b/2', 'b/3', 'bz', 'é', '😀']) await caller.put(key, `value of ${key}`);
  });

  it('lists all, a prefix, and a range, in byte order', async () => {
    expect(keysOf(await caller.list({}))).toEqual(['a', 'b', 'b/1', 'b/2', 'b/3', 'bz', 'é', '😀']);
    expect(keysOf(await caller.list({ selection: { $case: 'prefix', value: 'b/' } }))).toEqual(['b/1', 'b/2', 'b/3']);
    expect(keysOf(await caller.list({ selection: { $case: 'prefix', value: '' } }))).toHaveLength(8);
    expect(keysOf(await caller.list({ selection: { $case: 'range', value: { start: 'b', end: 'b/3' } } }))).toEqual([
      'b',
      'b/1',
      'b/2',
    ]);
    expect(keysOf(await caller.list({ selection: { $case: 'range', value: { start: 'bz', end: '' } } }))).toEqual([
      'bz',
      'é',
      '😀',
    ]);
    expect(keysOf(await caller.list({ selection: { $case: 'range', value: { start: 'z', end: 'a' } } }))).toEqual([]);
  });

  it('goes on page by page to the end, with or without values', async () => {
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await caller.list({ pageSize: 3, pageToken, keysOnly: true });
      expect(page.kvs.every(({ value }) => value === undefined)).toBe(true);
      seen.push(...keysOf(page));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(['a', 'b', 'b/1', 'b/2', 'b/3', 'bz', 'é', '😀']);
  });

  it('refuses a token of another selection, a cut one, and a changed one', async () => {
    const { nextPageToken } = await caller.list({ pageSize: 2, selection: { $case: 'prefix', value: 'b' } });
    expect(nextPageToken).not.toBe('');
    const foreign = [nextPageToken.slice(0, -2), `${nextPageToken}AA==`, 'x', '!!', `B${nextPageToken.slice(1)}`];
    for (const pageToken of foreign) {
      const error = await failure(caller.list({ pageToken, selection: { $case: 'prefix', value: 'b' } }));
      expect(detailsOf(error).fields).toEqual(['page_token']);
    }
    const other = await failure(caller.list({ pageToken: nextPageToken, selection: { $case: 'prefix', value: 'a' } }));
    expect(detailsOf(other)).toMatchObject({ fields: ['page_token'], info: { reason: 'INVALID_ARGUMENT' } });
  });

  it('bounds a page by bytes', async () => {
    for (let i = 0; i < 10; i++) await caller.put(`big/${String(i)}`, 'x'.repeat(1000));
    const page = await caller.list({ selection: { $case: 'prefix', value: 'big/' } });
    expect(page.kvs).toHaveLength(4);
    expect(page.nextPageToken).not.toBe('');
  });

  it.each([-1, 1001, 2 ** 31 - 1])('refuses the page size %d', async (pageSize) => {
    const error = await failure(caller.list({ pageSize }));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(detailsOf(error).info.metadata).toMatchObject({
      field: 'page_size',
      limit: '0 to 1000',
      actual: String(pageSize),
    });
  });
});

describe('ClusterService', () => {
  it('tells the state of the member, ids as full 64-bit numbers', async () => {
    const cluster = new ClusterServiceClient(member.address, credentials.createInsecure());
    const answer = await new Promise<GetStatusResponse>((resolve, reject) => {
      cluster.getStatus({}, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
    cluster.close();
    expect(answer).toMatchObject({
      clusterId: 2n ** 64n - 1n,
      member: { id: 2n ** 63n, name: 'm1' },
      role: 1,
      term: fakeStatus.term,
      leaderId: 7n,
      appliedIndex: 10,
      stateDatabaseBytes: member.store.reader.sizeBytes(),
      logDatabaseBytes: 8192,
      version: '1.2.3',
      hasQuorum: true,
    });
  });
});

describe('request checks', () => {
  const expectRefusal = async (call: Promise<unknown>, metadata: Record<string, string>) => {
    const before = member.store.reader.revision;
    const error = await failure(call);
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    const { info, fields, retryAfterMs } = detailsOf(error);
    expect(info).toMatchObject({ reason: 'INVALID_ARGUMENT', domain: 'quorate.dev' });
    expect(info.metadata).toMatchObject({ ...metadata, outcome: 'not-done' });
    expect(fields).toEqual([metadata['field']]);
    expect(retryAfterMs).toBeUndefined();
    expect(member.store.reader.revision).toBe(before);
  };

  it('refuses an empty key on every call', async () => {
    await expectRefusal(caller.put('', 'x'), { field: 'key', actual: '0 bytes' });
    await expectRefusal(caller.get(''), { field: 'key' });
    await expectRefusal(caller.ask(caller.kv.delete, deleteRequest({ key: '' })), { field: 'key' });
  });

  it('refuses a key that is too long, in bytes of UTF-8, and names limit and length', async () => {
    await expectRefusal(caller.put('é'.repeat(51), 'x'), {
      field: 'key',
      limit: 'at most 100 bytes',
      actual: '102 bytes',
    });
    await caller.put('é'.repeat(50), 'x');
  });

  it('refuses a missing and an oversized value, and takes an empty one', async () => {
    await expectRefusal(caller.putValue('a', undefined), { field: 'value' });
    await expectRefusal(caller.put('a', 'x'.repeat(1001)), {
      field: 'text',
      limit: 'at most 1000 bytes',
      actual: '1001 bytes',
    });
    const data = Buffer.alloc(1001);
    await expectRefusal(caller.putValue('a', { $case: 'data', value: data }), {
      field: 'data',
    });
    await caller.put('a', '');
  });

  it('refuses a consistency it does not know', async () => {
    await expectRefusal(caller.get('a', 3 as 0), { field: 'consistency', actual: '3' });
    await expectRefusal(caller.list({ consistency: -1 }), { field: 'consistency', actual: '-1' });
  });

  it('refuses a long prefix or range end', async () => {
    await expectRefusal(caller.list({ selection: { $case: 'prefix', value: 'x'.repeat(101) } }), { field: 'prefix' });
    const value = { start: '', end: 'x'.repeat(101) };
    await expectRefusal(caller.list({ selection: { $case: 'range', value } }), { field: 'range.end' });
  });

  it('refuses text that is not UTF-8 instead of changing the key', async () => {
    const payload = Buffer.from(PutRequest.encode(putRequest({ key: 'aXb' })).finish());
    payload[payload.indexOf('X')] = 0xff;
    const { error } = await raw.call(putPath, payload);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(error?.details).toContain('UTF-8');
    expect(member.store.reader.keyCount).toBe(0);
  });

  it('refuses a message that goes on after its end', async () => {
    const payload = Buffer.concat([PutRequest.encode(putRequest({ key: 'a' })).finish(), Buffer.of(0, 1)]);
    const { error } = await raw.call(putPath, payload);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(member.store.reader.keyCount).toBe(0);
  });
});

describe('errors of the member', () => {
  const failWith = (error: Error) => {
    member.store.behaviour = () => Promise.reject(error);
  };

  it('says that nothing was done when there is no leader, and when to try again', async () => {
    failWith(new QuorateError('no-leader', 'no leader in time'));
    const error = await failure(caller.put('a', '1'));
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error)).toMatchObject({
      info: { reason: 'NO_LEADER', domain: 'quorate.dev', metadata: { outcome: 'not-done' } },
      retryAfterMs: 200,
      status: { code: status.UNAVAILABLE, message: 'no leader in time' },
    });
  });

  it('says that the outcome is unknown, names the leader, and suggests no retry', async () => {
    failWith(
      new QuorateError('outcome-unknown', 'no answer', {
        outcome: 'unknown',
        details: { leaderId: 7n, retryAfterMs: 9 },
      }),
    );
    const { info, retryAfterMs } = detailsOf(await failure(caller.put('a', '1')));
    expect(info.metadata).toEqual({ outcome: 'unknown', leaderId: '7', leader: 'm7', leaderAddress: 'h:1' });
    expect(retryAfterMs).toBeUndefined();
  });

  it('tells of a bug once, and tells the client nothing but that the outcome is unknown', async () => {
    failWith(new TypeError('secret detail'));
    const error = await failure(caller.put('a', '1'));
    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).not.toContain('secret');
    expect(detailsOf(error).info.metadata).toEqual({ outcome: 'unknown' });
    expect(member.bugs).toHaveLength(1);
  });

  it('tells of no bug for errors that are expected', async () => {
    failWith(new QuorateError('superseded', 'replaced'));
    await failure(caller.put('a', '1'));
    expect(member.bugs).toEqual([]);
  });
});
