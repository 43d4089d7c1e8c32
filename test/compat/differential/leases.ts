/** Lease ids that a server drew: both sides know them by the same alias. */

/** Aliases count up from here: ids that no server draws, and that no test chooses. */
const firstAlias = 1n << 61n;

/** @param number of the grant with id 0, from 0 */
export function aliasOf(number: number): bigint {
  return firstAlias + BigInt(number);
}

/** What one server calls them. */
export class LeaseAliases {
  readonly #actual = new Map<bigint, bigint>();
  readonly #alias = new Map<bigint, bigint>();

  /** The next id that the server drew. */
  add(actual: bigint): bigint {
    const alias = aliasOf(this.#actual.size);
    this.#actual.set(alias, actual);
    this.#alias.set(actual, alias);
    return alias;
  }

  /** A request with the server's own ids. Fields named `lease` and `ID` hold lease ids. */
  toServer<T>(message: T): T {
    return this.#actual.size === 0 ? message : this.#map(message, this.#actual);
  }

  /** A reply with aliases. */
  fromServer<T>(message: T): T {
    return this.#alias.size === 0 ? message : this.#map(message, this.#alias);
  }

  #map<T>(value: T, ids: ReadonlyMap<bigint, bigint>): T {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map((item: unknown) => this.#map(item, ids)) as T;
    const mapped = Object.entries(value).map(([name, field]: [string, unknown]) => {
      const id = (name === 'lease' || name === 'ID') && typeof field === 'bigint' ? ids.get(field) : undefined;
      return [name, id ?? this.#map(field, ids)] as const;
    });
    return Object.fromEntries(mapped) as T;
  }
}
