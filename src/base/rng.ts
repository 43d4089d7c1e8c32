/** Seeded pseudo-random numbers: the only source of chance, so that a run can be repeated from its seed. */
import { assert } from './assert';

/** A stream of pseudo-random numbers. */
export interface Rng {
  /** A whole number, uniform over 0 to 2^32 - 1. */
  nextUint32(): number;
}

/**
 * The generator sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush, a few operations a number.
 * Not for secrets.
 *
 * @param seed any safe integer; equal seeds give equal streams
 */
export function seededRng(seed: number): Rng {
  assert(Number.isSafeInteger(seed), 'the seed is a safe integer');
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const rng: Rng = {
    nextUint32() {
      const result = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (c << 21) | (c >>> 11);
      c = (c + result) | 0;
      return result >>> 0;
    },
  };
  // The first rounds mix the seed into the whole state.
  for (let round = 0; round < 12; round++) rng.nextUint32();
  return rng;
}

/** A whole number, uniform over `min` to `max`, both inclusive (to within 2^-32 of uniform). */
export function between(rng: Rng, min: number, max: number): number {
  assert(Number.isSafeInteger(min) && Number.isSafeInteger(max), 'bounds are whole numbers');
  assert(min <= max, 'the lower bound is at most the upper');
  return min + Math.floor((rng.nextUint32() / 2 ** 32) * (max - min + 1));
}
