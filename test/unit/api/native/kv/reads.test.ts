/** Get, BatchGet, List, StreamList and GetHistory over a real store. */
import { batchGet, maxBatchKeys } from '../../../../../src/api/native/kv/batch-get';
import { deleteMutation } from '../../../../../src/api/native/kv/delete';
import { get } from '../../../../../src/api/native/kv/get';
import { getHistory } from '../../../../../src/api/native/kv/get-history';
import { list } from '../../../../../src/api/native/kv/list';
import { putMutation } from '../../../../../src/api/native/kv/put';
import { streamList } from '../../../../../src/api/native/kv/stream-list';
import { mutate } from '../../../../../src/api/native/mutation';
import { compactMutation } from '../../../../../src/api/native/maintenance/compact';
import {
  type BatchGetRequest,
  EventType,
  type GetHistoryRequest,
  type GetRequest,
  type ListRequest,
  type StreamListRequest,
} from '../../../../../src/gen/quorate/v1/kv';
import {
  batchGetRequest,
  deleteRequest,
  getHistoryRequest,
  getRequest,
  listRequest,
  putRequest,
  streamListRequest,
} from '../../../../support/kv-requests';
import { NativeBench } from '../../../../support/native-bench';

let bench: NativeBench;
beforeEach(() => (bench = new NativeBench()));
afterEach(() => bench.close());

const put = (key: string, value: string) =>
  mutate(bench, putMutation(putRequest({ key, value: { $case: 'text', value } }), bench), bench.call);
const del = (key: string) => mutate(bench, deleteMutation(deleteRequest({ key }), bench), bench.call);
const compact = (revision: number) => mutate(bench, compactMutation({ revision, requestId: '' }, bench), bench.call);

const ask = {
  get: (parts: Partial<GetRequest>) => get(bench, getRequest(parts), bench.call),
  batchGet: async (parts: Partial<BatchGetRequest>) => batchGet(bench, batchGetRequest(parts), bench.call),
  list: (parts: Partial<ListRequest>) => list(bench, listRequest(parts), bench.call),
  getHistory: (parts: Partial<GetHistoryRequest>) => getHistory(bench, getHistoryRequest(parts), bench.call),
  async streamList(parts: Partial<StreamListRequest>) {
    const messages = [];
    for await (const message of streamList(bench, streamListRequest(parts), bench.call)) messages.push(message);
    return messages;
  },
};
const stale = 2;

/** a at 2, b at 3, a again at 4, b removed at 5. */
async function someHistory(): Promise<void> {
  await put('a', '1');
  await put('b', '1');
  await put('a', '2');
  await del('b');
}

describe('reads of the past', () => {
  beforeEach(someHistory);

  it('give the state of a revision (K3)', async () => {
    expect(await ask.get({ key: 'b', revision: 4 })).toMatchObject({ found: true, revision: 5 });
    expect(await ask.get({ key: 'b' })).toEqual({ found: false, kv: undefined, revision: 5 });
    expect(await ask.batchGet({ keys: ['a', 'b'], revision: 3 })).toMatchObject({
      results: [{ kv: { modRevision: 2 } }, { kv: { modRevision: 3 } }],
      revision: 3,
    });
    expect(await ask.list({ revision: 4 })).toMatchObject({ kvs: [{ key: 'a' }, { key: 'b' }], revision: 4 });
    expect(await ask.streamList({ revision: 2 })).toMatchObject([{ kvs: [{ key: 'a' }], revision: 2 }]);
  });

  it.each(['get', 'batchGet', 'list', 'streamList'] as const)(
    'by %s fail when it was compacted, or is still to come, and name the limit (K5)',
    async (method) => {
      await compact(4);
      const ask1 = (revision: number) => ask[method]({ keys: ['a'], revision, consistency: stale } as never);
      await expect(ask1(4)).resolves.toBeDefined();
      await expect(ask1(3)).rejects.toMatchObject({ code: 'compacted' });
      await expect(ask1(6)).rejects.toMatchObject({ code: 'future-revision' });
      await expect(ask1(-1)).rejects.toMatchObject({ code: 'invalid-argument', details: { field: 'revision' } });
    },
  );
});

describe('BatchGet', () => {
  it('answers in the order of the keys, missing and repeated ones included', async () => {
    await someHistory();
    const { results, revision } = await ask.batchGet({ keys: ['b', 'a', 'a'], keysOnly: true });
    expect(results).toMatchObject([
      { found: false },
      { found: true, kv: { key: 'a', value: undefined } },
      { found: true },
    ]);
    expect(revision).toBe(5);
  });

  it('answers the first keys only, but one at least, when all are too long', async () => {
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await put(key, 'x'.repeat(1000));
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect((await ask.batchGet({ keys })).results).toHaveLength(4);
    expect((await ask.batchGet({ keys, keysOnly: true })).results).toHaveLength(6);
  });

  it('takes 1 to 1000 keys that are not empty', async () => {
    for (const keys of [[], Array.from({ length: maxBatchKeys + 1 }, () => 'k'), ['k', '']]) {
      await expect(ask.batchGet({ keys })).rejects.toMatchObject({ details: { field: 'keys' } });
    }
  });
});

describe('List', () => {
  it('shows one revision on all pages, whatever is written meanwhile, without asking the leader again', async () => {
    for (const key of ['a', 'b', 'c']) await put(key, '1');
    const first = await ask.list({ pageSize: 2 });
    await put('c', '2');
    await put('d', '1');
    const second = await ask.list({ pageSize: 2, pageToken: first.nextPageToken });
    expect(second).toMatchObject({ kvs: [{ key: 'c', value: { value: '1' } }], nextPageToken: '', revision: 4 });
    expect(bench.store.barriers).toBe(1);
  });

  it('begins at a revision of the past', async () => {
    await someHistory();
    const first = await ask.list({ pageSize: 1, revision: 3 });
    expect(first).toMatchObject({ kvs: [{ key: 'a', value: { value: '1' } }], revision: 3 });
    expect(await ask.list({ pageToken: first.nextPageToken })).toMatchObject({ kvs: [{ key: 'b' }], revision: 3 });
    await expect(ask.list({ pageToken: first.nextPageToken, revision: 4 })).rejects.toMatchObject({
      details: { field: 'revision', limit: '0 or 3' },
    });
  });

  it('fails when its revision was compacted between two pages', async () => {
    await someHistory();
    const { nextPageToken } = await ask.list({ pageSize: 1, revision: 3 });
    await compact(4);
    await expect(ask.list({ pageToken: nextPageToken })).rejects.toMatchObject({ code: 'compacted' });
  });

  it('bounds a page by bytes when asked', async () => {
    for (const key of ['a', 'b', 'c']) await put(key, 'x'.repeat(100));
    expect((await ask.list({ pageBytes: 202 })).kvs).toHaveLength(2);
    expect((await ask.list({ pageBytes: 1 })).kvs).toHaveLength(1);
    await expect(ask.list({ pageBytes: 4097 })).rejects.toMatchObject({
      details: { field: 'page_bytes', limit: '0 to 4096' },
    });
  });
});

describe('StreamList', () => {
  it('sends one message although there is no key, with the revision', async () => {
    expect(await ask.streamList({})).toEqual([{ kvs: [], revision: 1 }]);
    const backwards = { $case: 'range', value: { start: 'b', end: 'a' } } as const;
    expect(await ask.streamList({ selection: backwards })).toEqual([{ kvs: [], revision: 1 }]);
  });

  it('shows one revision in all messages while others write', async () => {
    for (let i = 0; i < 1500; i++) await put(`k${String(i).padStart(4, '0')}`, '1');
    const keys: string[] = [];
    const revisions = new Set<number>();
    for await (const { kvs, revision } of streamList(bench, streamListRequest({}), bench.call)) {
      keys.push(...kvs.map(({ key }) => key));
      revisions.add(revision);
      await put('k9999', 'not to be seen');
    }
    expect(keys).toHaveLength(1500);
    expect(keys).toEqual([...keys].sort());
    expect([...revisions]).toEqual([1501]);
  });
});

describe('GetHistory', () => {
  it('tells the versions of a key, newest first, with its deletions', async () => {
    await someHistory();
    await put('b', '2');
    const { events, more, revision, compactRevision } = await ask.getHistory({ key: 'b' });
    expect(events).toMatchObject([
      { type: EventType.PUT, kv: { modRevision: 6, version: 1, value: { value: '2' } } },
      { type: EventType.DELETE, kv: { key: 'b', modRevision: 5, value: undefined, version: 0 } },
      { type: EventType.PUT, kv: { modRevision: 3, value: { value: '1' } } },
    ]);
    expect({ more, revision, compactRevision }).toEqual({ more: false, revision: 6, compactRevision: 0 });
  });

  it('goes on before a revision, and leaves values out', async () => {
    for (let i = 0; i < 5; i++) await put('k', String(i));
    const first = await ask.getHistory({ limit: 2, keysOnly: true });
    expect(first).toMatchObject({ events: [{ kv: { modRevision: 6, value: undefined } }, {}], more: true });
    const rest = await ask.getHistory({ beforeRevision: 5 });
    expect(rest.events.map(({ kv }) => kv?.modRevision)).toEqual([4, 3, 2]);
    expect(rest.more).toBe(false);
  });

  it('ends at a compaction, and says so', async () => {
    for (let i = 0; i < 5; i++) await put('k', String(i));
    await compact(4);
    const { events, compactRevision } = await ask.getHistory({});
    expect(events.map(({ kv }) => kv?.modRevision)).toEqual([6, 5, 4]);
    expect(compactRevision).toBe(4);
  });
});
