/** Work that is put off until somebody needs what comes of it. */

/** Returns a function that makes something at its first call, and returns the same from then on. */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
