/** A map for what comes and goes all the time. */

/** Deletions after which a small map moves to a new table; a large one at as many as it holds. */
const renewalDeletions = 256;

/**
 * A `Map` in which every call of a busy server is once put and deleted makes garbage that is not collected: V8 gives such a map
 * a new table each time the old one is full of holes, and the old table goes on pointing to the new one. As soon as one
 * table is in the old generation, dead or not, all later ones are kept until the next major collection, with whatever was
 * in them. This map moves to a fresh table of its own before the chain gets long. Of a busy leader, 3 kB a call grew old
 * before, 0.2 kB now (ADR 13).
 */
export class RenewingMap<Key, Value> {
  #map = new Map<Key, Value>();
  #deletions = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  set(key: Key, value: Value): this {
    this.#map.set(key, value);
    return this;
  }

  /** Returns false if there was nothing to delete. */
  delete(key: Key): boolean {
    if (!this.#map.delete(key)) return false;
    this.#deletions++;
    if (this.#deletions >= Math.max(renewalDeletions, this.#map.size)) this.#renew(this.#map);
    return true;
  }

  clear(): void {
    this.#renew([]);
  }

  /** What is in it now, in the order in which it came. */
  values(): readonly Value[] {
    return [...this.#map.values()];
  }

  /** Visits what is in it now, in the order in which it came; not what is deleted or replaced meanwhile. */
  forEach(visit: (value: Value, key: Key) => void): void {
    for (const [key, value] of [...this.#map]) if (this.#map.get(key) === value) visit(value, key);
  }

  #renew(content: Iterable<readonly [Key, Value]>): void {
    this.#map = new Map(content);
    this.#deletions = 0;
  }
}
