import { duration, leaseId, readOptionsOf, selectionOf, wholeNumber } from '../../../src/cli/arguments';
import { errorText, parseEndpoints } from '../../../src/cli/client-command';
import { targetOf } from '../../../src/cli/del';
import { exitCodeOf } from '../../../src/cli/exit-code';
import { textIfUtf8, valueSource } from '../../../src/cli/value-source';
import { keysOf } from '../../../src/cli/watch';
import { QuorateError, type ErrorCode, type Outcome } from '../../../src/client';

describe('arguments', () => {
  it('of put name exactly one source of the value', () => {
    expect(valueSource('v', undefined)).toEqual({ kind: 'argument', text: 'v' });
    expect(valueSource('', undefined)).toEqual({ kind: 'argument', text: '' });
    expect(valueSource('-', undefined)).toEqual({ kind: 'stdin' });
    expect(valueSource(undefined, 'f')).toEqual({ kind: 'file', path: 'f' });
    expect(valueSource(undefined, undefined)).toBeUndefined();
    expect(valueSource('v', 'f')).toBeUndefined();
  });

  it('of list select by prefix or by range', () => {
    expect(selectionOf({})).toEqual({ kind: 'all' });
    expect(selectionOf({ prefix: 'a' })).toEqual({ kind: 'prefix', prefix: 'a' });
    expect(selectionOf({ start: 'a' })).toEqual({ kind: 'range', start: 'a', end: '' });
    expect(selectionOf({ end: 'b' })).toEqual({ kind: 'range', start: '', end: 'b' });
    expect(selectionOf({ prefix: 'a', end: 'b' })).toBeUndefined();
  });

  it('that are endpoints are separated by commas', () => {
    expect(parseEndpoints('a:1, b,')).toEqual(['a:1', 'b:2379']);
    for (const wrong of ['', ',', 'a:1,b:x']) expect(() => parseEndpoints(wrong)).toThrow();
  });

  it('that are numbers have bounds', () => {
    const parse = wholeNumber(1, 9);
    expect([parse('1'), parse('9')]).toEqual([1, 9]);
    for (const wrong of ['0', '10', '1.5', '1e0', '-1', '', ' 1', '0x1'])
      expect(() => parse(wrong)).toThrow('from 1 to 9');
  });
});

describe('arguments that are durations', () => {
  it('have a unit', () => {
    expect(['500ms', '30s', '1.5m', '2h', '7d'].map(duration)).toEqual([500, 30_000, 90_000, 7_200_000, 604_800_000]);
    for (const wrong of ['30', 's', '0s', '-1s', '1 s', '1e3s', '1w']) expect(() => duration(wrong)).toThrow('unit');
  });
});

describe('arguments that are leases', () => {
  it('are signed numbers of 64 bits, not 0', () => {
    expect([leaseId('7'), leaseId('-9223372036854775808')]).toEqual([7n, -(2n ** 63n)]);
    for (const wrong of ['0', '9223372036854775808', 'x', '0x7', '']) expect(() => leaseId(wrong)).toThrow('64 bits');
  });
});

describe('a read', () => {
  it('that is bounded in staleness is stale', () => {
    expect(readOptionsOf({ consistency: 'linearizable' })).toEqual({ consistency: 'linearizable' });
    expect(readOptionsOf({ consistency: 'linearizable', maxStaleness: 5_000 })).toEqual({
      consistency: 'stale',
      maxStalenessMs: 5_000,
    });
  });
});

describe('what del removes', () => {
  it('is named in exactly one way, and everything only in so many words', () => {
    expect(targetOf('a', {})).toBe('a');
    expect(targetOf(undefined, { prefix: 'a/' })).toEqual({ kind: 'prefix', prefix: 'a/' });
    expect(targetOf(undefined, { all: true })).toEqual({ kind: 'all' });
    for (const wrong of [targetOf(undefined, {}), targetOf('a', { all: true }), targetOf('a', { prefix: 'b' })]) {
      expect(wrong).toHaveProperty('problem');
    }
    expect(targetOf(undefined, { prefix: 'a', returnPrevious: true })).toHaveProperty('problem');
  });
});

describe('what watch watches', () => {
  it('is one key, a selection or everything', () => {
    expect(keysOf('a', {})).toBe('a');
    expect(keysOf(undefined, {})).toEqual({ kind: 'all' });
    expect(keysOf(undefined, { start: 'a' })).toEqual({ kind: 'range', start: 'a', end: '' });
    expect(keysOf('a', { prefix: 'b' })).toBeUndefined();
  });
});

describe('a value from standard input', () => {
  it('is text if it can be', () => {
    expect(textIfUtf8(Buffer.from('ü\n'))).toBe('ü\n');
    expect(textIfUtf8(Buffer.from([0xff]))).toEqual(Buffer.from([0xff]));
  });
});

describe('errors', () => {
  it.each<[ErrorCode, Outcome, number]>([
    ['invalid-argument', 'not-done', 2],
    ['no-leader', 'not-done', 3],
    ['deadline-exceeded', 'not-done', 3],
    ['outcome-unknown', 'unknown', 4],
    ['stopping', 'unknown', 4],
    ['unreachable', 'not-done', 5],
    ['precondition-failed', 'not-done', 1],
    ['not-found', 'not-done', 1],
    ['no-space', 'not-done', 3],
    ['request-expired', 'unknown', 4],
  ])('%s, %s: exit code %d', (code, outcome, expected) => {
    expect(exitCodeOf(new QuorateError(code, 'x', { outcome }))).toBe(expected);
  });

  it('that nobody expected are bugs', () => {
    expect(exitCodeOf(new Error('x'))).toBe(70);
    expect(errorText(new Error('x'), false)).toMatch(/^This is a bug in quorate: Error: x/);
  });

  it('say what to do when the outcome is unknown', () => {
    const error = new QuorateError('outcome-unknown', 'no answer came', { outcome: 'unknown' });
    expect(errorText(error, false)).toBe(
      'error: no answer came (outcome-unknown). It may have been done, or may still be: look before you repeat it.',
    );
  });

  it('are one line of JSON for programs', () => {
    const error = new QuorateError('no-leader', 'x', { details: { leaderId: 5n } });
    expect(errorText(error, true)).toBe(
      '{"error":{"code":"no-leader","outcome":"not-done","message":"x","details":{"leaderId":"5"}}}',
    );
  });
});
