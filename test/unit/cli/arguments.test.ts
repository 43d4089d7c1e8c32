import { errorText, parseEndpoints, wholeNumber } from '../../../src/cli/client-command';
import { exitCodeOf } from '../../../src/cli/exit-code';
import { selectionOf } from '../../../src/cli/list';
import { textIfUtf8, valueSource } from '../../../src/cli/put';
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
