import { between, seededRng, type Rng } from '../../../src/base/rng';

function take(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => rng.nextUint32());
}

/** Always the same number. */
function fixed(value: number): Rng {
  return { nextUint32: () => value };
}

describe('seededRng', () => {
  it('gives the same stream for the same seed', () => {
    expect(take(seededRng(42), 50)).toEqual(take(seededRng(42), 50));
  });

  it('never changes its streams: recorded seeds must go on meaning the same run', () => {
    expect(take(seededRng(0), 3)).toEqual([1427488602, 1980682239, 456575201]);
    expect(take(seededRng(2 ** 40 + 5), 3)).toEqual([768542553, 687031625, 3318425858]);
  });

  it('gives different streams for neighbouring seeds, also where only the high bits or the sign differ', () => {
    const streams = [0, 1, 2, -1, 2 ** 32, 2 ** 33, 2 ** 32 + 1].map((seed) => take(seededRng(seed), 4).join());
    expect(new Set(streams).size).toBe(streams.length);
  });

  it('stays within 32 bits and spreads evenly over them', () => {
    const buckets = new Array<number>(16).fill(0);
    for (const value of take(seededRng(7), 16_000)) {
      expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
      const bucket = Math.floor(value / 2 ** 28);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1150);
  });

  it('refuses a seed that is not a safe integer', () => {
    expect(() => seededRng(0.5)).toThrow('the seed is a safe integer');
    expect(() => seededRng(2 ** 53)).toThrow('the seed is a safe integer');
  });
});

describe('between', () => {
  it('reaches both bounds and nothing beyond', () => {
    expect(between(fixed(0), 100, 199)).toBe(100);
    expect(between(fixed(2 ** 32 - 1), 100, 199)).toBe(199);
    expect(between(fixed(2 ** 31), 5, 5)).toBe(5);
    expect(between(fixed(2 ** 32 - 1), 0, 2 ** 32)).toBeLessThanOrEqual(2 ** 32);
  });

  it('gives every value of a small range', () => {
    const rng = seededRng(3);
    const seen = new Set(Array.from({ length: 200 }, () => between(rng, -2, 2)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  });

  it('refuses bounds that are not whole numbers or not in order', () => {
    expect(() => between(fixed(0), 0.5, 2)).toThrow('bounds are whole numbers');
    expect(() => between(fixed(0), 2, 1)).toThrow('the lower bound is at most the upper');
  });
});
