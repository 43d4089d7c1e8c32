/** The one table of errors. */
import { status } from '@grpc/grpc-js';
import { errorTable, statusOfBug, statusOfError } from '../../../src/api/errors';
import { type ErrorCode, QuorateError } from '../../../src/base/error';
import { detailsOf } from '../../support/raw-call';

const codes = Object.keys(errorTable) as ErrorCode[];
const detailsOfError = (error: QuorateError) =>
  detailsOf(statusOfError(error) as unknown as Parameters<typeof detailsOf>[0]);

describe('error table', () => {
  it('gives every code its own stable reason in the prescribed form', () => {
    const reasons = Object.values(errorTable).map(({ reason }) => reason);
    expect(new Set(reasons).size).toBe(reasons.length);
    for (const reason of reasons) expect(reason).toMatch(/^[A-Z][A-Z0-9_]{1,61}[A-Z0-9]$/);
  });

  it.each(codes)('%s never leaves as OK, UNKNOWN or CANCELLED', (code) => {
    expect([status.OK, status.UNKNOWN, status.CANCELLED]).not.toContain(errorTable[code].status);
  });

  it.each(codes)('%s leaves with its reason, outcome and message', (code) => {
    for (const outcome of ['not-done', 'unknown'] as const) {
      const { info, status: inner } = detailsOfError(new QuorateError(code, 'what happened', { outcome }));
      expect(info).toMatchObject({ reason: errorTable[code].reason, domain: 'quorate.dev', metadata: { outcome } });
      expect(inner).toMatchObject({ code: errorTable[code].status, message: 'what happened' });
    }
  });

  it('suggests a retry only for what was surely not done', () => {
    for (const code of codes) {
      const { retryAfterMs } = detailsOfError(
        new QuorateError(code, 'x', { outcome: 'unknown', details: { retryAfterMs: 5 } }),
      );
      expect(retryAfterMs).toBeUndefined();
    }
  });

  it('passes on how long to wait, to the nanosecond', () => {
    const error = new QuorateError('overloaded', 'x', { details: { retryAfterMs: 1234.5 } });
    expect(detailsOfError(error).retryAfterMs).toBe(1234.5);
  });

  it('says of a bug only that the outcome is unknown', () => {
    const bug = statusOfBug();
    expect(bug.code).toBe(status.INTERNAL);
    expect(detailsOf(bug as unknown as Parameters<typeof detailsOf>[0]).info.metadata).toEqual({ outcome: 'unknown' });
  });
});
