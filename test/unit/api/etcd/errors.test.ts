import { status } from '@grpc/grpc-js';
import {
  type EtcdErrorName,
  EtcdError,
  errorOfRefusal,
  etcdDialect,
  etcdErrors,
} from '../../../../src/api/etcd/errors';
import { nativeErrors } from '../../../../src/api/error-dialect';
import { type ErrorCode, QuorateError } from '../../../../src/base/error';
import type { Refusal } from '../../../../src/kv/result';

const nobody = () => undefined;
const told = (error: unknown) => {
  const { code, details } = etcdDialect.statusOf(error, nobody) ?? {};
  return [code, details];
};

describe('errors in the words of etcd', () => {
  it('are those of the table, with its status and nothing but its text', () => {
    for (const [name, [code, text]] of Object.entries(etcdErrors)) {
      const said = etcdDialect.statusOf(new EtcdError(name as EtcdErrorName), nobody);
      expect([said?.code, said?.details, said?.metadata.getMap()]).toEqual([code, text, {}]);
    }
  });

  it('begin as etcd begins those that have a status of their own, and no two are the same', () => {
    const all = Object.values(etcdErrors);
    // What etcd has no status for, such as the errors of its recipes, has a text of its own, too.
    for (const [code, text] of all) if (code !== status.UNKNOWN) expect(text).toMatch(/^etcdserver: \S/);
    expect(new Set(all.map(([, text]) => text)).size).toBe(all.length);
  });

  it.each<[ErrorCode, status, string]>([
    ['no-leader', status.UNAVAILABLE, 'etcdserver: no leader'],
    ['no-quorum', status.UNAVAILABLE, 'etcdserver: request timed out'],
    ['outcome-unknown', status.UNAVAILABLE, 'etcdserver: request timed out'],
    ['superseded', status.UNAVAILABLE, 'etcdserver: leader changed'],
    ['stopping', status.UNAVAILABLE, 'etcdserver: server stopped'],
    ['overloaded', status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests'],
    ['compacted', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
    ['future-revision', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'],
    ['no-space', status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
    ['damaged', status.DATA_LOSS, 'etcdserver: corrupt cluster'],
    ['invalid-argument', status.INVALID_ARGUMENT, 'in our words'],
    ['snapshot-failed', status.UNKNOWN, 'in our words'],
  ])('tell %s', (code, expected, text) => {
    expect(told(new QuorateError(code, 'in our words'))).toEqual([expected, text]);
  });

  it.each<[Refusal, status, string]>([
    ['key-not-found', status.INVALID_ARGUMENT, 'etcdserver: key not found'],
    ['duplicate-key', status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
    ['lease-not-found', status.NOT_FOUND, 'etcdserver: requested lease not found'],
    ['lease-exists', status.FAILED_PRECONDITION, 'etcdserver: lease already exists'],
    ['compacted', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
    ['future-revision', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'],
    ['no-space', status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
    ['corrupt', status.DATA_LOSS, 'etcdserver: corrupt cluster'],
  ])('tell the refusal %s', (refusal, expected, text) => {
    expect(told(errorOfRefusal({ kind: 'refused', revision: 7, refusal, limit: undefined }))).toEqual([expected, text]);
  });

  it('leave a bug to the funnel, and hide what it was', () => {
    expect(etcdDialect.statusOf(new TypeError('secret'), nobody)).toBeUndefined();
    expect(etcdDialect.statusOfBug().details).not.toContain('secret');
  });

  it('are understood by no other API', () => {
    expect(nativeErrors.statusOf(new EtcdError('empty-key'), nobody)).toBeUndefined();
  });
});
