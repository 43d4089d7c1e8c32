/** Compaction, hashes, alarms, settings and the state of the store. */
import { clearAlarm, listAlarms, raiseAlarm } from '../../../../src/api/native/maintenance/alarms';
import { compactMutation } from '../../../../src/api/native/maintenance/compact';
import { Hasher } from '../../../../src/api/native/maintenance/hash-kv';
import { getSettings, updateSettings } from '../../../../src/api/native/maintenance/settings';
import { storeStatus } from '../../../../src/api/native/maintenance/store-status';
import { mutate } from '../../../../src/api/native/mutation';
import { putMutation } from '../../../../src/api/native/kv/put';
import { AlarmType } from '../../../../src/gen/quorate/v1/maintenance';
import { deferred } from '../../../../src/base/deferred';
import { QuorateError } from '../../../../src/base/error';
import type { KvHash } from '../../../../src/kv/result';
import { putRequest } from '../../../support/kv-requests';
import { NativeBench, requestId } from '../../../support/native-bench';

let bench: NativeBench;
beforeEach(() => (bench = new NativeBench()));
afterEach(() => bench.close());

const put = () => mutate(bench, putMutation(putRequest({}), bench), bench.call);
const compact = async (revision: number, id = '') =>
  mutate(bench, compactMutation({ revision, requestId: id }, bench), bench.call);
const raise = async (type: AlarmType, memberId = 0n, id = '') =>
  raiseAlarm(bench, { type, memberId, requestId: id }, bench.call);
const clear = (type: AlarmType, memberId = 0n, id = '') =>
  clearAlarm(bench, { type, memberId, requestId: id }, bench.call);
const alarms = async () => (await listAlarms(bench, { consistency: 0 }, bench.call)).alarms;

describe('Compact', () => {
  it('forgets what was before a revision, once for a request id', async () => {
    await put();
    await put();
    expect(await compact(2, requestId())).toEqual({ revision: 3, replayed: false });
    expect(await compact(2, requestId())).toEqual({ revision: 3, replayed: true });
    expect(bench.reader.compactRevision).toBe(2);
  });

  it('is refused for what was compacted, has not been made, or is no revision', async () => {
    await put();
    await compact(2);
    await expect(compact(2)).rejects.toMatchObject({ code: 'compacted', details: { limit: 'revision 2' } });
    await expect(compact(3)).rejects.toMatchObject({ code: 'future-revision', details: { limit: 'revision 2' } });
    await expect(compact(0)).rejects.toMatchObject({ code: 'invalid-argument', details: { field: 'revision' } });
  });
});

describe('HashKv', () => {
  const found = { hash: 7, revision: 2, compactRevision: 0 };

  it('makes one hash at a time', async () => {
    const result = deferred<KvHash>();
    const asked: number[] = [];
    const hashKv = (revision: number) => {
      asked.push(revision);
      return result.promise;
    };
    const hasher = new Hasher({ hashKv });
    const first = hasher.hashKv({ revision: 0 });
    await expect(hasher.hashKv({ revision: 0 })).rejects.toMatchObject({ code: 'overloaded' });
    result.resolve(found);
    expect(await first).toEqual(found);
    expect(await hasher.hashKv({ revision: 2 })).toEqual(found);
    expect(asked).toEqual([0, 2]);
  });

  it('goes on after one that failed', async () => {
    let calls = 0;
    const hashKv = () => {
      calls++;
      return calls > 1 ? Promise.resolve(found) : Promise.reject(new QuorateError('future-revision', 'not yet'));
    };
    const hasher = new Hasher({ hashKv });
    await expect(hasher.hashKv({ revision: 9 })).rejects.toMatchObject({ code: 'future-revision' });
    await expect(hasher.hashKv({ revision: 0 })).resolves.toEqual(found);
  });
});

describe('alarms', () => {
  it('are raised for this member unless another is named, and listed', async () => {
    expect(await raise(AlarmType.NO_SPACE)).toEqual({ changed: true, replayed: false });
    expect(await raise(AlarmType.NO_SPACE)).toEqual({ changed: false, replayed: false });
    await raise(AlarmType.CORRUPT, 9n);
    expect(await alarms()).toEqual(
      expect.arrayContaining([
        { type: AlarmType.NO_SPACE, memberId: bench.selfId },
        { type: AlarmType.CORRUPT, memberId: 9n },
      ]),
    );
  });

  it('refuse puts while they stand, and not afterwards', async () => {
    await raise(AlarmType.NO_SPACE);
    await expect(put()).rejects.toMatchObject({ code: 'no-space' });
    await clear(AlarmType.NO_SPACE);
    await raise(AlarmType.CORRUPT);
    await expect(put()).rejects.toMatchObject({ code: 'corrupt' });
    await clear(AlarmType.CORRUPT);
    await expect(put()).resolves.toBeDefined();
  });

  it('are cleared for one member or for all', async () => {
    for (const memberId of [1n, 2n, 3n]) await raise(AlarmType.NO_SPACE, memberId);
    expect(await clear(AlarmType.NO_SPACE, 1n)).toEqual({ changed: true, replayed: false });
    expect(await clear(AlarmType.NO_SPACE, 1n)).toEqual({ changed: false, replayed: false });
    expect(await clear(AlarmType.NO_SPACE)).toEqual({ changed: true, replayed: false });
    expect(await alarms()).toEqual([]);
    expect(await clear(AlarmType.NO_SPACE)).toEqual({ changed: false, replayed: false });
  });

  it('refuse no type, an unknown type, and one request id for several changes', async () => {
    for (const type of [0, 3]) {
      await expect(raise(type as AlarmType)).rejects.toMatchObject({ details: { field: 'type' } });
      await expect(clear(type as AlarmType)).rejects.toMatchObject({ details: { field: 'type' } });
    }
    await expect(clear(AlarmType.CORRUPT, 0n, requestId())).rejects.toMatchObject({
      details: { field: 'request_id' },
    });
  });
});

describe('settings', () => {
  it('change what is set and leave the rest', async () => {
    const update = (quotaBytes: bigint | undefined, id = '') =>
      updateSettings(bench, { quotaBytes, requestId: id }, bench.call);
    expect(await update(10_000_000n, requestId())).toEqual({ settings: { quotaBytes: 10_000_000 }, replayed: false });
    expect(await update(undefined)).toMatchObject({ settings: { quotaBytes: 10_000_000 } });
    expect(await update(10_000_000n, requestId())).toMatchObject({ replayed: true });
    expect(await getSettings(bench, bench.call)).toEqual({ settings: { quotaBytes: 10_000_000 } });
    for (const wrong of [-1n, 2n ** 60n]) {
      await expect(update(wrong)).rejects.toMatchObject({ details: { field: 'quota_bytes' } });
    }
  });
});

it('the state of the store is told from memory', async () => {
  await put();
  await raise(AlarmType.NO_SPACE);
  const { sizeBytes, sizeInUseBytes, ...rest } = storeStatus(bench.reader);
  expect(rest).toEqual({
    revision: 2,
    compactRevision: 0,
    keyCount: 1,
    leaseCount: 0,
    quotaBytes: bench.reader.quotaBytes,
    alarms: [{ type: AlarmType.NO_SPACE, memberId: bench.selfId }],
  });
  expect(sizeBytes).toBeGreaterThanOrEqual(sizeInUseBytes);
  expect(bench.store.barriers).toBe(0);
});
