/** Spans of time in requests. */
import { checkedMilliseconds, checkedTtl, durationOfSeconds, ttlSeconds } from '../../../src/api/durations';
import { QuorateError } from '../../../src/base/error';

const span = (seconds: bigint, nanos = 0) => ({ seconds, nanos });

describe('a time to live', () => {
  it('is rounded up to whole seconds, so that nothing ends early (invariant E1)', () => {
    expect(checkedTtl(span(0n, 1))).toBe(1);
    expect(checkedTtl(span(5n))).toBe(5);
    expect(checkedTtl(span(5n, 1))).toBe(6);
    expect(checkedTtl(span(BigInt(ttlSeconds.max)))).toBe(ttlSeconds.max);
  });

  it.each([
    ['nothing', undefined, 'not set'],
    ['zero', span(0n), '0 s'],
    ['a negative one', span(-1n), '-1 s'],
    ['a little less than nothing', span(0n, -5), '0 s and -5 ns'],
    ['more than there may be', span(BigInt(ttlSeconds.max), 1), '9000000000 s and 1 ns'],
    ['two signs', span(2n, -1), '2 s and -1 ns'],
    ['too many nanoseconds', span(1n, 1_000_000_000), '1 s and 1000000000 ns'],
  ])('is refused when it is %s', (_, duration, actual) => {
    const act = () => checkedTtl(duration);
    expect(act).toThrow(QuorateError);
    expect(act).toThrow(`it is ${actual}, allowed is 1 s to 9000000000 s`);
  });
});

describe('a span in milliseconds', () => {
  it('keeps its parts of a millisecond', () => {
    expect(checkedMilliseconds('max_staleness', span(1n, 500_000), { min: 0, max: 2000 })).toBe(1000.5);
  });

  it('names its field, its bounds and what came', () => {
    expect(() => checkedMilliseconds('max_staleness', span(3n), { min: 0, max: 2000 })).toThrow(
      'max_staleness is out of range: it is 3 s, allowed is 0 s to 2 s',
    );
  });
});

it('seconds are told as a span', () => {
  expect(durationOfSeconds(7)).toEqual({ seconds: 7n, nanos: 0 });
});
