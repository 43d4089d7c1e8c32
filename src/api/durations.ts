/** Spans of time in requests and answers (`google.protobuf.Duration`), and the numbers they stand for. */
import type { Duration } from '../gen/google/protobuf/duration';
import { invalid } from './validate';

/** Time to live of a lease or key, seconds. Above it, etcd too refuses. */
export const ttlSeconds = { min: 1, max: 9_000_000_000 } as const;

const nanosPerSecond = 1_000_000_000;
const nanosPerMs = 1_000_000;

/**
 * A time to live in whole seconds, rounded up, so that nothing ends early.
 *
 * @throws QuorateError `invalid-argument`
 */
export function checkedTtl(duration: Duration | undefined): number {
  const { min, max } = ttlSeconds;
  const limit = `${String(min)} s to ${String(max)} s`;
  if (duration === undefined) throw invalid('ttl', 'is missing', { limit, actual: 'not set' });
  const { seconds, nanos } = duration;
  const isInRange = isWellFormed(duration) && seconds >= 0n && seconds <= BigInt(max);
  const rounded = Number(seconds) + (nanos > 0 ? 1 : 0);
  if (!isInRange || rounded < min || rounded > max) {
    throw invalid('ttl', 'is out of range', { limit, actual: shownDuration(duration) });
  }
  return rounded;
}

/**
 * A span in milliseconds.
 *
 * @param bounds milliseconds, inclusive
 * @throws QuorateError `invalid-argument`
 */
export function checkedMilliseconds(
  field: string,
  duration: Duration,
  bounds: { readonly min: number; readonly max: number },
): number {
  const milliseconds = Number(duration.seconds) * 1000 + duration.nanos / nanosPerMs;
  if (isWellFormed(duration) && milliseconds >= bounds.min && milliseconds <= bounds.max) return milliseconds;
  throw invalid(field, 'is out of range', {
    limit: `${String(bounds.min / 1000)} s to ${String(bounds.max / 1000)} s`,
    actual: shownDuration(duration),
  });
}

export function durationOfSeconds(seconds: number): Duration {
  return { seconds: BigInt(seconds), nanos: 0 };
}

/** @param milliseconds 0 or more */
export function durationOfMilliseconds(milliseconds: number): Duration {
  const whole = Math.floor(milliseconds);
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * nanosPerMs };
}

/** Nanoseconds have the sign of the seconds. */
function isWellFormed({ seconds, nanos }: Duration): boolean {
  return Math.abs(nanos) < nanosPerSecond && (seconds === 0n || nanos === 0 || seconds > 0n === nanos > 0);
}

function shownDuration({ seconds, nanos }: Duration): string {
  return nanos === 0 ? `${String(seconds)} s` : `${String(seconds)} s and ${String(nanos)} ns`;
}
