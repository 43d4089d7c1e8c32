import { assert, AssertionError, required, unreachable } from '../../../src/base/assert';

describe('assert', () => {
  it('is silent while the sentence is true', () => {
    expect(() => {
      assert(true, 'the sky is above');
    }).not.toThrow();
  });

  it('throws the sentence that should have been true', () => {
    expect(() => {
      assert(false, 'the sky is above');
    }).toThrow(new AssertionError('assertion failed: the sky is above'));
  });
});

describe('required', () => {
  it.each([0, '', false, null])('returns what is there, also %p', (value) => {
    expect(required(value, 'it is there')).toBe(value);
  });

  it('throws for what is missing', () => {
    expect(() => required(undefined, 'it is there')).toThrow('assertion failed: it is there');
  });
});

describe('unreachable', () => {
  it('throws and names the value that should not be', () => {
    expect(() => unreachable('surprise' as never)).toThrow('assertion failed: unreachable value surprise');
  });
});
