/** Refusals of the store as errors of the native API. */
import { errorTable } from '../../../src/api/errors';
import { accepted, acceptedUnnamed, errorOfRefusal } from '../../../src/api/refusals';
import type { Refusal, RefusedResult } from '../../../src/kv/result';

const refused = (refusal: Refusal, limit?: number): RefusedResult => ({
  kind: 'refused',
  revision: 9,
  refusal,
  limit,
});

const now = (): number => 1000;

const codes = {
  'key-not-found': 'not-found',
  'duplicate-key': 'invalid-argument',
  'lease-not-found': 'not-found',
  'lease-exists': 'already-exists',
  compacted: 'compacted',
  'future-revision': 'future-revision',
  'no-space': 'no-space',
  corrupt: 'corrupt',
  'request-expired': 'request-expired',
  'request-mismatch': 'request-mismatch',
} as const satisfies Record<Refusal, string>;

describe('a refusal', () => {
  it.each(Object.entries(codes))('%s is the error %s, with an outcome that the table allows', (refusal, code) => {
    const error = errorOfRefusal(refused(refusal as Refusal), now);
    expect(error.code).toBe(code);
    expect(errorTable[error.code].outcomes).toContain(error.outcome);
  });

  it('is unknown to be done only when the id was forgotten (invariant X4)', () => {
    const unknown = Object.keys(codes).filter(
      (it) => errorOfRefusal(refused(it as Refusal), now).outcome === 'unknown',
    );
    expect(unknown).toEqual(['request-expired']);
  });

  it('tells the revision that limits it', () => {
    expect(errorOfRefusal(refused('compacted', 5), now).details.limit).toBe('revision 5');
  });

  it('is thrown, and anything else is let through', () => {
    const done = { kind: 'done', revision: 1, changed: true } as const;
    expect(accepted(done, now)).toBe(done);
    expect(() => accepted(refused('no-space'), now)).toThrow('quota');
    expect(acceptedUnnamed(done)).toBe(done);
    expect(() => acceptedUnnamed(refused('no-space'))).toThrow('quota');
  });

  it('tells a time for the next id: now by the clock of the member, and above what was forgotten', () => {
    const timeFor = (limit?: number) => errorOfRefusal(refused('request-expired', limit), now).details.requestTimeMs;
    expect([timeFor(), timeFor(999), timeFor(1000), timeFor(5000)]).toEqual([1000, 1000, 1001, 5001]);
  });

  it('of a request id is none of a command without one', () => {
    expect(() => acceptedUnnamed(refused('request-expired'))).toThrow('without a request id');
  });
});
