import { statusOfError, statusOfBug, statusDetailsTrailer, errorTable, errorDomain } from '../../../src/api/errors';
import { QuorateError, type ErrorCode } from '../../../src/base/error';
import { decodeFailure, ERROR_DOMAIN, reasonOf } from '../../../src/client/failure';
import { ErrorInfo } from '../../../src/gen/google/rpc/error_details';
import { Status } from '../../../src/gen/google/rpc/status';

function decode(statusDetails: Uint8Array | undefined) {
  return decodeFailure({ address: 'a:1', grpcCode: 14, message: 'said', statusDetails });
}

function detailsWith(info: ErrorInfo): Uint8Array {
  const value = Buffer.from(ErrorInfo.encode(info).finish());
  return Status.encode({
    code: 14,
    message: '',
    details: [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }],
  }).finish();
}

describe('decoding of errors', () => {
  it.each(Object.keys(errorTable) as ErrorCode[])('reads what a member says: %s', (code) => {
    const error = new QuorateError(code, 'said', {
      outcome: 'unknown',
      details: { field: 'key', limit: '9 bytes', actual: '10 bytes', leaderId: 2n ** 64n - 1n },
    });
    const [details] = statusOfError(error).metadata.get(statusDetailsTrailer);
    expect(decode(details as Buffer)).toEqual({
      kind: 'told',
      code,
      outcome: 'unknown',
      message: 'said',
      details: error.details,
    });
  });

  it('agrees with the members on domain and reasons', () => {
    expect(ERROR_DOMAIN).toBe(errorDomain);
    for (const [code, rule] of Object.entries(errorTable)) expect(reasonOf(code as ErrorCode)).toBe(rule.reason);
  });

  it('reads how long to wait', () => {
    const error = new QuorateError('overloaded', 'said', { details: { retryAfterMs: 1_250 } });
    const [details] = statusOfError(error).metadata.get(statusDetailsTrailer);
    expect(decode(details as Buffer)).toMatchObject({ outcome: 'not-done', details: { retryAfterMs: 1_250 } });
  });

  it('takes the outcome for unknown when a member met a bug, or does not tell', () => {
    const [details] = statusOfBug().metadata.get(statusDetailsTrailer);
    expect(decode(details as Buffer)).toMatchObject({ kind: 'told', code: undefined, outcome: 'unknown' });
    expect(decode(detailsWith({ reason: 'NO_LEADER', domain: ERROR_DOMAIN, metadata: {} }))).toMatchObject({
      outcome: 'unknown',
    });
  });

  it('trusts nothing that is missing, damaged or from another domain', () => {
    const bare = { kind: 'bare', address: 'a:1', grpcCode: 14, message: 'said' };
    expect(decode(undefined)).toEqual(bare);
    expect(decode(Buffer.from([0xff, 0xff, 0xff]))).toEqual(bare);
    expect(
      decode(detailsWith({ reason: 'NO_LEADER', domain: 'example.org', metadata: { outcome: 'not-done' } })),
    ).toEqual(bare);
  });
});
