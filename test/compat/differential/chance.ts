/** Choices of the generator, all from one seeded stream, and what it knows of the store it makes requests for. */
import { between, type Rng } from '../../../src/base/rng';

/** What a request may refer to. */
export interface World {
  readonly rng: Rng;
  /** The store's. */
  readonly revision: number;
  /** 0 before the first. */
  readonly compactRevision: number;
  /** Ids that were granted and not revoked, given by the client. */
  readonly leases: readonly bigint[];
}

export function pick<T>({ rng }: Pick<World, 'rng'>, values: readonly T[]): T {
  const value = values[between(rng, 0, values.length - 1)];
  if (value === undefined) throw new Error('there is something to pick');
  return value;
}

/** True in so many of a hundred cases. */
export function chance({ rng }: Pick<World, 'rng'>, percent: number): boolean {
  return between(rng, 1, 100) <= percent;
}

/** One of these, as often as its weight says. */
export function weighted<T>({ rng }: Pick<World, 'rng'>, choices: readonly (readonly [weight: number, value: T])[]): T {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0);
  let left = between(rng, 1, total);
  for (const [weight, value] of choices) {
    left -= weight;
    if (left <= 0) return value;
  }
  throw new Error('the weights add up');
}

/** A number at the ends of what 64 bits hold, or of what other counters do: powers of two, one less, and their negatives. */
export function someExtreme(world: Pick<World, 'rng'>): bigint {
  const power = 2n ** BigInt(pick(world, [31, 32, 52, 53, 62, 63]));
  return pick(world, [power - 1n, -power]);
}

/** A list of so many at most. */
export function several<T>({ rng }: Pick<World, 'rng'>, least: number, most: number, make: () => T): T[] {
  return Array.from({ length: between(rng, least, most) }, make);
}

/** A revision to ask for: mostly the newest (0) or one that is there; now and then compacted, in the future or nonsense. */
export function someRevision(world: World): bigint {
  const { rng, revision, compactRevision } = world;
  return BigInt(
    weighted<() => number | bigint>(world, [
      [55, () => 0],
      [30, () => between(rng, Math.max(1, compactRevision), revision)],
      [5, () => revision],
      [3, () => Math.max(1, compactRevision)],
      [3, () => between(rng, 1, revision)],
      [2, () => revision + between(rng, 1, 3)],
      [1, () => Math.max(0, compactRevision - 1)],
      [1, () => -between(rng, 1, 3)],
      [1, () => someExtreme(world)],
    ])(),
  );
}

/** A lease that is there, or none, or one that is not there. */
export function someLease(world: World): bigint {
  if (world.leases.length > 0 && chance(world, 90)) return pick(world, world.leases);
  if (chance(world, 10)) return someExtreme(world);
  return BigInt(between(world.rng, 1, 1000));
}
