/** Put, Delete and DeleteRange: what is asked of the store, and what is told of its results. */
import { deleteMutation } from '../../../../../src/api/native/kv/delete';
import { deleteRangeMutation } from '../../../../../src/api/native/kv/delete-range';
import { putMutation } from '../../../../../src/api/native/kv/put';
import { mutate } from '../../../../../src/api/native/mutation';
import type { DeleteRangeRequest, DeleteRequest, PutRequest } from '../../../../../src/gen/quorate/v1/kv';
import { deleteRangeRequest, deleteRequest, putRequest } from '../../../../support/kv-requests';
import { NativeBench, requestId } from '../../../../support/native-bench';

let bench: NativeBench;
beforeEach(() => (bench = new NativeBench()));
afterEach(() => bench.close());

// Requests are checked before anything is proposed: both kinds of error are rejections here.
const put = async (parts: Partial<PutRequest>) => mutate(bench, putMutation(putRequest(parts), bench), bench.call);
const del = async (parts: Partial<DeleteRequest>) =>
  mutate(bench, deleteMutation(deleteRequest(parts), bench), bench.call);
const delRange = async (parts: Partial<DeleteRangeRequest>) =>
  mutate(bench, deleteRangeMutation(deleteRangeRequest(parts), bench), bench.call);
const valueOf = (key: string) => bench.reader.get(Buffer.from(key))?.value.toString();

const text = (value: string) => ({ $case: 'text', value }) as const;
const ttl = (seconds: bigint) => ({ $case: 'ttl', value: { seconds, nanos: 0 } }) as const;

describe('Put', () => {
  it('tells revision, creation and version (K2)', async () => {
    expect(await put({ value: text('1') })).toMatchObject({ revision: 2, createRevision: 2, version: 1 });
    expect(await put({ value: text('2') })).toMatchObject({ revision: 3, createRevision: 2, version: 2 });
  });

  it('returns the key as it was only when asked', async () => {
    await put({ value: text('1') });
    expect((await put({ value: text('2') })).previous).toBeUndefined();
    expect((await put({ value: text('3'), returnPrevious: true })).previous).toMatchObject({
      key: 'k',
      value: text('2'),
      modRevision: 3,
    });
  });

  describe('on a condition', () => {
    it('stores when the key is still as it was', async () => {
      const { revision } = await put({ value: text('1') });
      expect(await put({ value: text('2'), ifRevision: revision })).toMatchObject({ revision: 3, version: 2 });
      expect(valueOf('k')).toBe('2');
    });

    it('changes nothing when it is not, and tells how it is', async () => {
      await put({ value: text('1') });
      await expect(put({ value: text('2'), ifRevision: 7 })).rejects.toMatchObject({
        code: 'precondition-failed',
        outcome: 'not-done',
        details: { limit: 'that its mod_revision is 7', actual: 'its mod_revision is 2' },
      });
      expect(valueOf('k')).toBe('1');
      expect(bench.reader.revision).toBe(2);
    });

    it('stores only when the key is not there', async () => {
      await put({ value: text('1'), ifAbsent: true });
      await expect(put({ value: text('2'), ifAbsent: true })).rejects.toMatchObject({
        details: { limit: 'that the key is not there', actual: 'its mod_revision is 2' },
      });
      await del({});
      expect(await put({ value: text('3'), ifAbsent: true, returnPrevious: true })).toMatchObject({ version: 1 });
    });

    it('is not met by a key that is not there', async () => {
      await expect(put({ ifRevision: 2 })).rejects.toMatchObject({ details: { actual: 'the key is not there' } });
    });
  });

  describe('with an end', () => {
    it('grants a lease of its own for a ttl, and tells its id (E1)', async () => {
      const { leaseId } = await put({ expiry: ttl(60n) });
      expect(leaseId).toBeGreaterThan(0n);
      expect(bench.reader.lease(leaseId)).toMatchObject({ ttl: 60 });
      expect(bench.reader.get(Buffer.from('k'))?.lease).toBe(leaseId);
    });

    it('keeps a lease only when asked to', async () => {
      const { leaseId } = await put({ expiry: ttl(60n) });
      expect(await put({ expiry: { $case: 'keepLease', value: true } })).toMatchObject({ leaseId: 0n });
      expect(bench.reader.get(Buffer.from('k'))?.lease).toBe(leaseId);
      await put({ expiry: { $case: 'keepLease', value: false } });
      expect(bench.reader.get(Buffer.from('k'))?.lease).toBe(0n);
    });

    it('goes with a lease that is there, and fails with one that is not', async () => {
      const { leaseId } = await put({ key: 'other', expiry: ttl(60n) });
      await put({ expiry: { $case: 'leaseId', value: leaseId } });
      expect(bench.reader.leaseKeys(leaseId).map(String)).toEqual(['k', 'other']);
      await expect(put({ expiry: { $case: 'leaseId', value: 99n } })).rejects.toMatchObject({ code: 'not-found' });
      await expect(put({ key: 'new', expiry: { $case: 'keepLease', value: true } })).rejects.toMatchObject({
        code: 'not-found',
      });
    });
  });

  describe('with a request id', () => {
    it('is done once, and answered again with the first answer (X1)', async () => {
      const request = { value: text('1'), requestId: requestId(), expiry: ttl(60n), returnPrevious: true };
      const first = await put(request);
      await put({ value: text('2') });
      expect(await put(request)).toEqual({ ...first, replayed: true });
      expect(first.replayed).toBe(false);
      expect(valueOf('k')).toBe('2');
    });

    it('answers a condition that did not hold in the same way again', async () => {
      const request = { ifRevision: 9, requestId: requestId() };
      await expect(put(request)).rejects.toMatchObject({ code: 'precondition-failed' });
      await expect(put(request)).rejects.toMatchObject({ code: 'precondition-failed' });
      expect(await put({ ifAbsent: true })).toMatchObject({ replayed: false });
    });

    it('is refused for another request (X3)', async () => {
      await put({ value: text('1'), requestId: requestId() });
      await expect(put({ value: text('2'), requestId: requestId() })).rejects.toMatchObject({
        code: 'request-mismatch',
      });
    });
  });

  it.each([
    ['key', { key: '' }],
    ['value', { value: undefined }],
    ['text', { value: text('x'.repeat(1001)) }],
    ['ttl', { expiry: ttl(0n) }],
    ['if_revision', { ifRevision: -1 }],
    ['if_absent', { ifRevision: 3, ifAbsent: true }],
    ['request_id', { requestId: 'mine' }],
  ] as const)('refuses a wrong %s before anything is proposed', async (field, parts) => {
    await expect(put(parts)).rejects.toMatchObject({ code: 'invalid-argument', details: { field } });
    expect(bench.store.commands).toEqual([]);
  });
});

describe('Delete', () => {
  it('tells whether there was a key, and makes no revision when there was none', async () => {
    await put({ value: text('1') });
    expect(await del({ returnPrevious: true })).toMatchObject({
      deleted: true,
      revision: 3,
      previous: { value: text('1') },
    });
    expect(await del({ returnPrevious: true })).toEqual({
      deleted: false,
      revision: 3,
      previous: undefined,
      replayed: false,
    });
  });

  it('removes on a condition only', async () => {
    await put({});
    await expect(del({ ifRevision: 3 })).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await del({ ifRevision: 2 })).toMatchObject({ deleted: true, revision: 3 });
  });

  it('answers a repetition as the first time, although the key is gone (X1)', async () => {
    await put({});
    const request = { requestId: requestId(), returnPrevious: true };
    const first = await del(request);
    expect(await del(request)).toEqual({ ...first, replayed: true });
  });
});

describe('DeleteRange', () => {
  beforeEach(async () => {
    for (const key of ['a', 'b/1', 'b/2', 'c']) await put({ key });
  });

  it('removes a prefix or a range at one revision', async () => {
    expect(await delRange({ selection: { $case: 'prefix', value: 'b/' } })).toEqual({
      deleted: 2,
      revision: 6,
      replayed: false,
    });
    const everything = { $case: 'range', value: { start: '', end: '' } } as const;
    expect(await delRange({ selection: everything })).toMatchObject({ deleted: 2, revision: 7 });
    expect(await delRange({ selection: everything })).toMatchObject({ deleted: 0, revision: 7 });
  });

  it('removes nothing of a range that ends before it begins', async () => {
    const backwards = { $case: 'range', value: { start: 'c', end: 'a' } } as const;
    expect(await delRange({ selection: backwards })).toMatchObject({ deleted: 0, revision: 5 });
  });

  it('never removes everything because a field was left out', async () => {
    for (const selection of [undefined, { $case: 'prefix', value: '' } as const]) {
      await expect(delRange({ selection })).rejects.toMatchObject({ details: { field: 'selection' } });
    }
    expect(bench.reader.keyCount).toBe(4);
  });
});
