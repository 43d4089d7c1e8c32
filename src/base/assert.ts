/** Assertions: sentences about our own code that must be true. Never used to check input. */

/** A broken assertion: a bug of ours. The member that meets one stops, since its state can no longer be trusted. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Crashes unless `condition` holds.
 *
 * @param condition what must be true
 * @param sentence the same in words, as a sentence that should be true
 * @throws AssertionError
 */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${sentence}`);
}

/** Returns `value`, which must be present; for look-ups that cannot miss unless our own code is wrong. */
export function required<T>(value: T | undefined, sentence: string): T {
  assert(value !== undefined, sentence);
  return value;
}

/** Marks a branch no value can reach; the compiler checks that a switch is exhaustive. */
export function unreachable(value: never): never {
  throw new AssertionError(`assertion failed: unreachable value ${String(value)}`);
}
