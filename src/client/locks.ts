/** The verbs on locks. */
import { LockServiceService } from '../gen/quorate/v1/lock';
import type { Caller } from './caller';
import { fromWireLease, toWireRead, wellFormed } from './convert';
import { beginHold, defaultWaitMs, takeHold, type Hold, type HoldOptions } from './hold';
import type { LeaseVerbs } from './leases';
import type { ReadOptions } from './types';

/** How to take a lock. */
export interface LockOptions extends HoldOptions {
  /** Do not wait if it is held: reject with `precondition-failed`. */
  readonly noWait?: boolean;
  /** Who holds it, for others to see; at most 1024 bytes. */
  readonly owner?: string;
}

/** A lock that is held. */
export interface HeldLock {
  readonly name: string;
  /** The key by which it is held: as long as it is there with this `createRevision`, the lock is held. */
  readonly key: string;
  /**
   * Greater for each holder of this name. Whatever the lock protects must refuse a token when it has seen a greater one: a
   * holder may be paused and not notice that its lease has ended. In this store: `when.createRevision(key, '=', token)`.
   */
  readonly fencingToken: number;
  readonly leaseId: bigint;
  /** Aborted when the lock was lost or may have been: its lease has ended. Never, for a lease of the caller's own. */
  readonly signal: AbortSignal;
  /** Frees it. Does not mind if it is not held any more. */
  release(): Promise<void>;
}

/** Who holds a lock. About the past as soon as it is told: never decide by it. */
export interface LockState {
  /** `undefined` if nobody holds it. */
  readonly holder:
    | {
        readonly key: string;
        readonly fencingToken: number;
        readonly leaseId: bigint | undefined;
        readonly owner: string;
      }
    | undefined;
  /** How many wait for it. */
  readonly waiting: number;
  readonly revision: number;
}

/** Locks: at most one holder at a time in the history of the store, in the order of asking. */
export class LockVerbs {
  readonly #caller: Caller;
  readonly #leases: LeaseVerbs;

  constructor(caller: Caller, leases: LeaseVerbs) {
    this.#caller = caller;
    this.#leases = leases;
  }

  /**
   * Waits until the lock is free and takes it, by a lease that is kept alive until it is released. Rejects with
   * `deadline-exceeded` when it was not free in time; whatever happens, nothing stays held for longer than `ttlMs`.
   */
  async acquire(name: string, options: LockOptions = {}): Promise<HeldLock> {
    const { noWait = false, owner = '', timeoutMs = defaultWaitMs } = options;
    const lockName = wellFormed('name', name);
    const hold = await beginHold(this.#leases, options);
    return takeHold(hold, async () => {
      const lease = { $case: 'leaseId' as const, value: hold.leaseId };
      const { key, fencingToken } = await this.#caller.mutate(
        LockServiceService.lock,
        { ...options, timeoutMs, isPatient: true },
        (requestId) => ({ name: lockName, hold: lease, noWait, owner: wellFormed('owner', owner), requestId }),
      );
      return this.#held(name, hold, { key, fencingToken });
    });
  }

  /**
   * Does something while holding a lock, and frees it afterwards, however that ends. Look at `lock.signal` in long work; if
   * the lock was lost before the work ended, this rejects with the reason, although the work was done.
   */
  async withLock<T>(name: string, options: LockOptions, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const lock = await this.acquire(name, options);
    try {
      const result = await work(lock);
      lock.signal.throwIfAborted();
      return result;
    } finally {
      // The result of the work counts for more than a lease that could not be ended: it ends by itself.
      await lock.release().catch(() => undefined);
    }
  }

  /** Frees a lock by what `acquire` gave, also in another program. @returns whether it was held until now */
  async release(key: string, fencingToken: number): Promise<boolean> {
    const request = (requestId: string) => ({ key, fencingToken, requestId });
    return (await this.#caller.mutate(LockServiceService.unlock, {}, request)).unlocked;
  }

  /** Who holds a lock. */
  async get(name: string, options: ReadOptions = {}): Promise<LockState> {
    const { consistency } = toWireRead(options);
    const request = { name: wellFormed('name', name), consistency };
    const answer = await this.#caller.read(LockServiceService.getLock, request, options);
    const { held, key, fencingToken, owner, waiting, revision } = answer;
    const holder = { key, fencingToken, leaseId: fromWireLease(answer.leaseId), owner };
    return { holder: held ? holder : undefined, waiting, revision };
  }

  #held(name: string, hold: Hold, place: Pick<HeldLock, 'key' | 'fencingToken'>): HeldLock {
    const release = async () => {
      // The end of a lease that was made for it frees the lock.
      if (!hold.isOwn) await this.release(place.key, place.fencingToken);
      await hold.drop();
    };
    return { name, ...place, leaseId: hold.leaseId, signal: hold.signal, release };
  }
}
