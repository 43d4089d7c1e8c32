/** The timekeeper of leases: every member measures how long each has left, and the leader ends those whose time is up. */
import type { Clock } from '../base/clock';
import { maxLeaseClockStepMs, type LeaseDeadline } from './command';
import { DeadlineQueue, notQueued, type Timed } from './deadline-queue';
import { Errand, type ErrandParts } from './errand';
import type { StoreTask } from './leader-tasks';
import type { ApplyListener, KvReader, LeaseInfo } from './result';

/** What the lessor works with. */
export interface LessorParts extends ErrandParts {
  readonly reader: Pick<KvReader, 'clockMs' | 'leases' | 'leaseKeys'>;
  readonly clock: Clock;
  /** Most leases that expire in a second. */
  readonly maxExpiriesPerSecond: number;
  /** As `LeaderTasksParts.leadingTerm`. */
  leadingTerm(): number | undefined;
}

/**
 * A lease lives so much longer than its time, milliseconds: whoever learns within it that its lease was granted or
 * renewed may count the whole time to live from then (invariant E1). What takes longer is taken off what is promised:
 * see `promisedTtl`.
 */
export const answerGraceMs = 500;

/** What the store's clock makes a lease seem older than it is, at most, milliseconds; see `maxLeaseClockStepMs`. */
const clockErrorMs = 2 * maxLeaseClockStepMs;

/** One entry ends no more leases than this, and no more keys, so that applying it delays no heartbeat. */
const maxLeasesPerEntry = 500;
const maxKeysPerEntry = 2000;

/**
 * A member that stood still for so long first listens for as long again before it ends a lease, milliseconds: renewals
 * may have waited for it outside.
 */
const standstillMs = 1000;

/** A lease, its deadline on this member's own clock. */
interface TimedLease extends Timed {
  readonly id: bigint;
  readonly grantIndex: number;
  ttlMs: number;
  renewals: number;
  renewedAt: number;
}

/**
 * Deadlines are never early: a lease is given its whole time from the moment this member applies its grant or renewal,
 * which is after the leader appended it. When a member starts, takes a snapshot in, or begins to lead, a lease has what
 * the store's clock leaves it and the error of that clock; the nearer of the two counts. What an expiry says is
 * checked again when it is applied: the leader's term, the grant and the renewals it knew of (invariant E2).
 */
export class Lessor implements StoreTask, ApplyListener {
  readonly #parts: LessorParts;
  readonly #errand: Errand;
  readonly #leases = new Map<bigint, TimedLease>();
  readonly #queue = new DeadlineQueue<TimedLease>();
  /** How many may expire now. */
  #allowance = 0;
  #lookedAt: number;
  #listensUntil = -Infinity;

  constructor(parts: LessorParts) {
    this.#parts = parts;
    this.#errand = new Errand(parts);
    this.#lookedAt = parts.clock.now();
    this.onReplaced();
  }

  onLeaseRenewed(info: LeaseInfo): void {
    this.#leave(info.id);
    const ttlMs = info.ttl * 1000;
    this.#enter(info, this.#parts.clock.now() + ttlMs + answerGraceMs);
  }

  onLeaseEnded(id: bigint): void {
    this.#leave(id);
  }

  onChanges(): void {
    // Whatever becomes of keys, their leases last as long.
  }

  onCompacted(): void {
    // History has no leases.
  }

  onReplaced(): void {
    this.#queue.clear();
    this.#leases.clear();
    for (const info of this.#parts.reader.leases()) this.#enter(info, this.#deadlineByStore(info.ttl * 1000, info));
  }

  /**
   * How long a lease has left, milliseconds, 0 or more; `undefined` if it is not there. Exact where it was renewed while
   * this member was up, otherwise up to a few seconds too much.
   */
  remainingMs(id: bigint): number | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const left = lease.deadline - answerGraceMs - this.#parts.clock.now();
    return Math.max(0, Math.min(left, lease.ttlMs));
  }

  /** The ids of all leases, the one with the least time left first. */
  byRemaining(): readonly bigint[] {
    return [...this.#leases.values()].sort((a, b) => a.deadline - b.deadline).map(({ id }) => id);
  }

  /** Notices that the member stood still. */
  look(now: number): void {
    const elapsedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (elapsedMs >= standstillMs) this.#listensUntil = now + standstillMs;
    const { maxExpiriesPerSecond: rate } = this.#parts;
    this.#allowance = Math.min(this.#allowance + (elapsedMs / 1000) * rate, rate);
  }

  /** What this member was late to apply does not live longer for that. */
  begin(): void {
    for (const lease of this.#leases.values()) {
      const deadline = this.#deadlineByStore(lease.ttlMs, lease);
      if (deadline >= lease.deadline) continue;
      this.#queue.remove(lease);
      lease.deadline = deadline;
      this.#queue.push(lease);
    }
  }

  /** Ends what is due. */
  lead(term: number, now: number): void {
    if (this.#errand.isOut || now < this.#listensUntil) return;
    const due = this.#takeDue(now);
    if (due.length === 0) return;
    this.#allowance -= due.length;
    this.#errand.send({ kind: 'lease-expire', term, leases: due.map(deadlineOf) }, (result) => {
      for (const lease of due) if (this.#isAlive(lease)) this.#queue.push(lease);
      if (result !== undefined && this.#parts.leadingTerm() === term) this.lead(term, this.#parts.clock.now());
    });
  }

  /** Those that are due, out of the queue: as many as one entry and the allowance take. */
  #takeDue(now: number): readonly TimedLease[] {
    const due: TimedLease[] = [];
    const most = Math.min(maxLeasesPerEntry, Math.floor(this.#allowance));
    let keys = 0;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (next.deadline > now || due.length >= most) break;
      keys += this.#parts.reader.leaseKeys(next.id).length;
      if (keys > maxKeysPerEntry && due.length > 0) break;
      this.#queue.remove(next);
      due.push(next);
    }
    return due;
  }

  /** Neither ended nor renewed since it was taken out of the queue. */
  #isAlive(lease: TimedLease): boolean {
    return lease.place === notQueued && this.#leases.get(lease.id) === lease;
  }

  #enter({ id, ttl, grantIndex, renewals, renewedAt }: LeaseInfo, deadline: number): void {
    const lease = { id, ttlMs: ttl * 1000, grantIndex, renewals, renewedAt, deadline, place: notQueued };
    this.#leases.set(id, lease);
    this.#queue.push(lease);
  }

  #leave(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#leases.delete(id);
    this.#queue.remove(lease);
  }

  /** What the store's clock says is never too early either, if its error is given on top. */
  #deadlineByStore(ttlMs: number, { renewedAt }: Pick<LeaseInfo, 'renewedAt'>): number {
    const { clock, reader } = this.#parts;
    return clock.now() + ttlMs - (reader.clockMs - renewedAt) + clockErrorMs + answerGraceMs;
  }
}

/**
 * What the holder of a lease may count on from the moment it is told, whole seconds.
 *
 * @param tookMs how long ago the grant or renewal was asked for
 * @returns `ttl` in the usual case; less if the answer comes late, 0 or less if the lease may be over already
 */
export function promisedTtl(ttl: number, tookMs: number): number {
  return ttl - Math.ceil(Math.max(0, tookMs - answerGraceMs) / 1000);
}

function deadlineOf({ id, grantIndex, renewals }: TimedLease): LeaseDeadline {
  return { id, grantIndex, renewals };
}
