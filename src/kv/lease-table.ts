/** The leases and what is attached to them. In memory; the state database holds the same. */
import { assert, required } from '../base/assert';
import { noLease } from './command';
import type { LeaseInfo } from './result';

/** A lease; its keys as strings of the key index. */
interface Lease {
  info: LeaseInfo;
  readonly keys: Set<string>;
}

/** Changes are made in the order of the log, and stored once for each batch: `takeChanged` says which. */
export class LeaseTable {
  readonly #leases = new Map<bigint, Lease>();
  /** The lease of each key that has one. */
  readonly #attached = new Map<string, bigint>();
  #changed = new Set<bigint>();

  get size(): number {
    return this.#leases.size;
  }

  get(id: bigint): LeaseInfo | undefined {
    return this.#leases.get(id)?.info;
  }

  /** In no order that means anything. */
  *all(): IterableIterator<LeaseInfo> {
    for (const { info } of this.#leases.values()) yield info;
  }

  /** Takes in what is stored. */
  load(lease: LeaseInfo): void {
    this.#leases.set(lease.id, { info: lease, keys: new Set() });
  }

  /** The id must be free. */
  grant({ id, ttl, grantIndex, renewedAt }: Omit<LeaseInfo, 'renewals'>): LeaseInfo {
    assert(!this.#leases.has(id), 'a lease is granted once');
    const info: LeaseInfo = { id, ttl, grantIndex, renewals: 0, renewedAt };
    this.load(info);
    this.#changed.add(id);
    return info;
  }

  /** @param renewedAt the store's clock */
  renew(id: bigint, renewedAt: number): LeaseInfo {
    const lease = required(this.#leases.get(id), 'a lease that is renewed is there');
    const { ttl, grantIndex, renewals } = lease.info;
    lease.info = { id, ttl, grantIndex, renewals: renewals + 1, renewedAt };
    this.#changed.add(id);
    return lease.info;
  }

  /** Its keys must be gone. */
  remove(id: bigint): void {
    const lease = required(this.#leases.get(id), 'a lease that is removed is there');
    assert(lease.keys.size === 0, 'a lease ends with its keys');
    this.#leases.delete(id);
    this.#changed.add(id);
  }

  /** Attaches a key to this lease alone; `noLease` detaches it. */
  attach(key: string, id: bigint): void {
    if (this.#attached.size > 0) this.#detach(key);
    if (id === noLease) return;
    required(this.#leases.get(id), 'a key is attached to a lease that is there').keys.add(key);
    this.#attached.set(key, id);
  }

  leaseOf(key: string): bigint {
    return this.#attached.get(key) ?? noLease;
  }

  /** How many keys are attached to it. */
  keyCount(id: bigint): number {
    return this.#leases.get(id)?.keys.size ?? 0;
  }

  /** In the order of their bytes. */
  keysOf(id: bigint): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])].sort();
  }

  /** The leases granted, renewed or removed since the last call. */
  takeChanged(): ReadonlySet<bigint> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  #detach(key: string): void {
    const id = this.#attached.get(key);
    if (id === undefined) return;
    this.#attached.delete(key);
    this.#leases.get(id)?.keys.delete(key);
  }
}
