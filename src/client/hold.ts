/** What holds a lock or a leadership: a lease, kept alive, that the holder made or was given. */
import { QuorateError } from '../base/error';
import type { LeaseVerbs } from './leases';
import type { MutationOptions } from './types';

/** How long something is held, beyond the holder's life, and how long to wait for it. */
export interface HoldOptions extends MutationOptions {
  /** It is freed by itself this long after the holder was last heard of, milliseconds. Default 30,000. */
  readonly ttlMs?: number;
  /** Held by this lease, which the caller keeps alive, in place of one made for it. */
  readonly leaseId?: bigint;
  /** Most time to wait for it, milliseconds. Default 600,000. */
  readonly timeoutMs?: number;
}

/** A lease that holds something. */
export interface Hold {
  readonly leaseId: bigint;
  /** Aborted when the lease was lost. Never, for a lease of the caller's own. */
  readonly signal: AbortSignal;
  /** Whether the lease was made for this, and ends with it. */
  readonly isOwn: boolean;
  /** Stops keeping it alive, and ends it if it was made for this. Does not mind if it has ended. */
  drop(): Promise<void>;
}

const defaultTtlMs = 30_000;
export const defaultWaitMs = 600_000;

/** Begins to hold: with the lease that is given, or a new one that is kept alive. */
export async function beginHold(leases: LeaseVerbs, { leaseId, ttlMs = defaultTtlMs }: HoldOptions): Promise<Hold> {
  if (leaseId !== undefined) {
    return { leaseId, isOwn: false, signal: new AbortController().signal, drop: () => Promise.resolve() };
  }
  const lease = await leases.grant(ttlMs);
  const kept = leases.keepAlive(lease);
  return {
    leaseId: lease.leaseId,
    isOwn: true,
    signal: kept.signal,
    async drop() {
      kept.stop();
      await leases.revoke(lease.leaseId).catch(ignoreEnded);
    },
  };
}

/**
 * Runs what takes hold of something. If that fails, the lease is ended, so that nothing stays held: also when the outcome
 * is unknown.
 */
export async function takeHold<T>(hold: Hold, take: () => Promise<T>): Promise<T> {
  try {
    return await take();
  } catch (error) {
    // The first error says more; a lease that could not be ended ends by itself.
    await hold.drop().catch(() => undefined);
    throw error;
  }
}

function ignoreEnded(error: unknown): void {
  if (!(error instanceof QuorateError && error.code === 'not-found')) throw error;
}
