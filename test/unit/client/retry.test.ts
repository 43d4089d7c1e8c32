import type { ErrorCode, Outcome } from '../../../src/base/error';
import type { Failure } from '../../../src/client/failure';
import { backoff, decide, leavesDoubt, type Attempted, type Decision } from '../../../src/client/retry';

const plenty: Attempted = {
  kind: 'read',
  doubt: 'none',
  made: 1,
  maxAttempts: 10,
  timeoutMs: 5_000,
  remainingMs: 4_000,
  endpointCount: 3,
  backoffMs: 20,
};
const notConnected: Failure = { kind: 'not-connected', address: 'a:1', message: 'connect ECONNREFUSED' };
const bare = (grpcCode: number, message = 'x'): Failure => ({ kind: 'bare', address: 'a:1', grpcCode, message });
const told = (code: ErrorCode | undefined, outcome: Outcome): Failure => ({
  kind: 'told',
  code,
  outcome,
  message: 'x',
  details: {},
});

function verdict(decision: Decision): string {
  return decision.kind === 'retry' ? 'retry' : `${decision.error.code} ${decision.error.outcome}`;
}

describe('retry rules', () => {
  // failure, then what a read does about it, a mutation without a request id, and one with (if not the same as a read)
  const table: [string, Failure, string, string, string?][] = [
    ['no connection', notConnected, 'retry', 'retry'],
    ['lost connection', bare(14, 'Connection dropped'), 'retry', 'outcome-unknown unknown'],
    ['own deadline', bare(4), 'retry', 'outcome-unknown unknown'],
    ['cancelled', bare(1), 'retry', 'outcome-unknown unknown'],
    ['unknown status', bare(2), 'retry', 'outcome-unknown unknown'],
    ['internal error', bare(13), 'retry', 'outcome-unknown unknown'],
    ['not a quorate member', bare(12), 'unreachable not-done', 'unreachable not-done'],
    ['turned away', bare(7), 'unreachable not-done', 'unreachable not-done'],
    [
      'too large for the server',
      bare(8, 'Received message larger than max (9 vs 8)'),
      'invalid-argument not-done',
      'invalid-argument not-done',
    ],
    ['exhausted somewhere', bare(8), 'retry', 'outcome-unknown unknown'],
    [
      'answer too large for this client',
      bare(8, 'Received message larger than max (99999999 vs 67108864)'),
      'invalid-argument not-done',
      'outcome-unknown unknown',
      'outcome-unknown unknown',
    ],
    [
      'bad argument without details',
      bare(3),
      'invalid-argument not-done',
      'outcome-unknown unknown',
      'outcome-unknown unknown',
    ],
    ['told: no leader', told('no-leader', 'not-done'), 'retry', 'retry'],
    ['told: no quorum', told('no-quorum', 'not-done'), 'retry', 'retry'],
    ['told: superseded', told('superseded', 'not-done'), 'retry', 'retry'],
    ['told: overloaded', told('overloaded', 'not-done'), 'retry', 'retry'],
    ['told: stopping', told('stopping', 'not-done'), 'retry', 'retry'],
    ['told: stopping midway', told('stopping', 'unknown'), 'retry', 'stopping unknown'],
    ['told: unknown', told('outcome-unknown', 'unknown'), 'retry', 'outcome-unknown unknown'],
    ['told: too late', told('deadline-exceeded', 'not-done'), 'retry', 'retry'],
    [
      'told: bad argument',
      told('invalid-argument', 'not-done'),
      'invalid-argument not-done',
      'invalid-argument not-done',
    ],
    ['told: wrong cluster', told('wrong-cluster', 'not-done'), 'wrong-cluster not-done', 'wrong-cluster not-done'],
    ['told: damaged', told('damaged', 'unknown'), 'retry', 'damaged unknown'],
    ['a newer reason, not done', told(undefined, 'not-done'), 'retry', 'unreachable not-done', 'unreachable not-done'],
    ['told: compacted', told('compacted', 'not-done'), 'compacted not-done', 'compacted not-done'],
    ['told: no space', told('no-space', 'not-done'), 'no-space not-done', 'no-space not-done'],
    // With an id that is new it was never sent before, so it surely was not done.
    ['told: id forgotten', told('request-expired', 'unknown'), 'request-expired not-done', 'request-expired not-done'],
    ['a newer reason, unknown', told(undefined, 'unknown'), 'retry', 'outcome-unknown unknown'],
  ];

  it.each(table)('%s', (_name, failure, ...verdicts) => {
    const [read, mutation, named = read] = verdicts;
    expect(verdict(decide(failure, plenty))).toBe(read);
    expect(verdict(decide(failure, { ...plenty, kind: 'named-mutation' }))).toBe(named);
    expect(verdict(decide(failure, { ...plenty, kind: 'mutation' }))).toBe(mutation);
  });

  it('never repeats a mutation that may have taken effect, whatever the code', () => {
    const codes: ErrorCode[] = [
      'no-leader',
      'no-quorum',
      'superseded',
      'overloaded',
      'stopping',
      'deadline-exceeded',
      'outcome-unknown',
    ];
    for (const code of codes) {
      const decision = decide(told(code, 'unknown'), { ...plenty, kind: 'mutation' });
      expect(decision.kind === 'give-up' && decision.error.outcome).toBe('unknown');
    }
  });

  describe('of a mutation with a request id, when an earlier attempt may have taken effect,', () => {
    const doubtful: Attempted = { ...plenty, kind: 'named-mutation', doubt: 'attempted', made: 10 };

    it('tell that the outcome is unknown, whatever the last attempt says of itself', () => {
      for (const failure of [notConnected, told('no-leader', 'not-done'), told('no-space', 'not-done'), bare(7)]) {
        expect(verdict(decide(failure, doubtful))).toBe('outcome-unknown unknown');
      }
      expect(verdict(decide(told('request-expired', 'unknown'), doubtful))).toBe('request-expired unknown');
    });

    it('trust what the store decided and remembers under the id', () => {
      for (const code of ['precondition-failed', 'not-found', 'already-exists', 'request-mismatch'] as const) {
        expect(verdict(decide(told(code, 'not-done'), doubtful))).toBe(`${code} not-done`);
      }
    });

    it('tell that the outcome is unknown of an id that the caller gave and the store forgot', () => {
      const given: Attempted = { ...doubtful, doubt: 'given-id' };
      expect(verdict(decide(told('request-expired', 'unknown'), given))).toBe('request-expired unknown');
      expect(verdict(decide(notConnected, given))).toBe('unreachable not-done');
    });
  });

  it('knows which attempts leave a doubt', () => {
    const doubt = (failure: Failure) => leavesDoubt(failure, 'named-mutation');
    expect([bare(14), bare(4), told('outcome-unknown', 'unknown'), told('stopping', 'unknown')].map(doubt)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    const sure = [notConnected, bare(12), bare(8, 'Received message larger than max (9 vs 8)')];
    expect([...sure, told('no-leader', 'not-done'), told('request-expired', 'unknown')].map(doubt)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(leavesDoubt(bare(14), 'read')).toBe(false);
  });

  it('gives up after the last attempt', () => {
    expect(verdict(decide(notConnected, { ...plenty, made: 10 }))).toBe('unreachable not-done');
  });

  it('gives up when the pause would leave too little time, and keeps the outcome it knows', () => {
    const late: Attempted = { ...plenty, kind: 'mutation', remainingMs: 100 };
    expect(verdict(decide(told('no-leader', 'not-done'), late))).toBe('no-leader not-done');
  });

  it('goes to the next member at once, and pauses after a full round', () => {
    expect(decide(notConnected, { ...plenty, made: 2 })).toEqual({ kind: 'retry', delayMs: 0 });
    expect(decide(notConnected, { ...plenty, made: 3 })).toEqual({ kind: 'retry', delayMs: 20 });
  });

  it('waits as long as the member asks', () => {
    const asked: Failure = {
      kind: 'told',
      code: 'overloaded',
      outcome: 'not-done',
      message: 'x',
      details: { retryAfterMs: 300 },
    };
    expect(decide(asked, plenty)).toEqual({ kind: 'retry', delayMs: 300 });
  });

  it('keeps the details of the error', () => {
    const failure: Failure = {
      kind: 'told',
      code: 'invalid-argument',
      outcome: 'not-done',
      message: 'too long',
      details: { field: 'key' },
    };
    const decision = decide(failure, plenty);
    expect(decision.kind === 'give-up' && decision.error).toMatchObject({
      message: 'too long',
      details: { field: 'key' },
    });
  });
});

describe('backoff', () => {
  it('doubles, within its upper half, up to the limit', () => {
    expect([1, 2, 3, 4].map((made) => backoff(made, 100, 0))).toEqual([12.5, 25, 50, 50]);
    expect([1, 2, 3, 4].map((made) => backoff(made, 100, 0.999_999))).toEqual(
      [25, 50, 100, 100].map((most) => expect.closeTo(most, 2) as number),
    );
    expect(backoff(1_000, 100, 0)).toBe(50);
  });
});
