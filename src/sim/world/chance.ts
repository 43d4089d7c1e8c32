/** Chance in the simulator: a stream of its own for every purpose, so that changing one leaves the others alone. */
import { required } from '../../base/assert';
import { between, seededRng, type Rng } from '../../base/rng';

/** A stream for one purpose, from the one seed that decides everything. */
export function chanceFor(seed: number, purpose: string): Rng {
  let hash = 0x811c9dc5;
  for (let at = 0; at < purpose.length; at++) hash = Math.imul(hash ^ purpose.charCodeAt(at), 0x01000193) >>> 0;
  const high = (Math.imul(seed >>> 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32) ^ hash) & 0x1fffff;
  return seededRng(high * 2 ** 32 + ((seed ^ hash) >>> 0));
}

/** Uniform over [min, max). */
export function real(rng: Rng, min: number, max: number): number {
  return min + (rng.nextUint32() / 2 ** 32) * (max - min);
}

export function isLucky(rng: Rng, probability: number): boolean {
  return rng.nextUint32() < probability * 2 ** 32;
}

/** Mostly near `mean`, sometimes many times as much: how long people and disks take. */
export function exponential(rng: Rng, mean: number): number {
  return -mean * Math.log(1 - rng.nextUint32() / 2 ** 32);
}

export function pick<T>(rng: Rng, from: readonly T[]): T {
  return required(from[between(rng, 0, from.length - 1)], 'there is something to pick from');
}

/** All of them, in random order. */
export function shuffled<T>(rng: Rng, from: readonly T[]): T[] {
  const all = [...from];
  for (let at = all.length - 1; at > 0; at--) {
    const other = between(rng, 0, at);
    [all[at], all[other]] = [required(all[other], 'in bounds'), required(all[at], 'in bounds')];
  }
  return all;
}
