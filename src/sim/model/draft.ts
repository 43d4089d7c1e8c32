/** What a command of the model may change before it is certain that it will: keys and leases, copied when it begins. */
import type { DeleteOperation, KeyRange, Operation, PutOperation } from '../../kv/command';
import type { Change, KeyRecord, LeaseInfo, Refusal } from '../../kv/result';
import { latin1 } from './result-text';

/** Thrown by the model: the command has no effect. */
export class Refused extends Error {
  readonly refusal: Refusal;
  readonly limit: number | undefined;

  constructor(refusal: Refusal, limit?: number) {
    super(refusal);
    this.refusal = refusal;
    this.limit = limit;
  }
}

/** Where a draft begins. */
export interface DraftBase {
  readonly revision: number;
  /** Index of the entry. */
  readonly index: number;
  readonly clockMs: number;
  readonly live: ReadonlyMap<string, KeyRecord>;
  readonly leases: ReadonlyMap<bigint, LeaseInfo>;
}

export class Draft {
  readonly live: Map<string, KeyRecord>;
  readonly leases: Map<bigint, LeaseInfo>;
  readonly changes: Change[] = [];
  readonly #base: DraftBase;

  constructor(base: DraftBase) {
    this.#base = base;
    this.live = new Map(base.live);
    this.leases = new Map(base.leases);
  }

  /** The store's, as it would be now. */
  get revision(): number {
    return this.#base.revision + (this.changes.length > 0 ? 1 : 0);
  }

  /** @param first which reason against it is told if there are two: as in etcd, it depends on where the put stands */
  put(
    operation: PutOperation,
    first: 'lease' | 'key',
  ): { readonly record: KeyRecord; readonly previous: KeyRecord | undefined } {
    const name = latin1(operation.key);
    const previous = this.live.get(name);
    const { keepValue, keepLease } = operation;
    const isMissing = previous === undefined && (keepValue || keepLease);
    if (isMissing && first === 'key') throw new Refused('key-not-found');
    const lease = keepLease ? (previous?.lease ?? 0n) : operation.lease;
    if (!keepLease && lease !== 0n) this.#claim(lease, operation.grantTtl);
    if (isMissing) throw new Refused('key-not-found');
    const modRevision = this.#base.revision + 1;
    const kept = keepValue ? previous : undefined;
    const record: KeyRecord = {
      key: operation.key,
      value: kept?.value ?? operation.value,
      form: kept?.form ?? operation.form,
      createRevision: previous?.createRevision ?? modRevision,
      modRevision,
      version: (previous?.version ?? 0) + 1,
      lease,
    };
    this.live.set(name, record);
    this.changes.push({ revision: modRevision, sub: this.changes.length, kind: 'put', record });
    return { record, previous };
  }

  delete({ range }: Pick<DeleteOperation, 'range'>): readonly KeyRecord[] {
    const found = within(this.live, range);
    for (const { key } of found) this.#remove(key);
    return found;
  }

  grant(id: bigint, ttl: number): LeaseInfo {
    if (this.leases.has(id)) throw new Refused('lease-exists');
    const { index: grantIndex, clockMs: renewedAt } = this.#base;
    const lease = { id, ttl, grantIndex, renewals: 0, renewedAt };
    this.leases.set(id, lease);
    return lease;
  }

  renew(id: bigint): LeaseInfo | undefined {
    const lease = this.leases.get(id);
    if (lease === undefined) return undefined;
    const renewed = { ...lease, renewals: lease.renewals + 1, renewedAt: this.#base.clockMs };
    this.leases.set(id, renewed);
    return renewed;
  }

  /** With its keys. */
  endLease(id: bigint): void {
    this.leases.delete(id);
    const keys = [...this.live.values()].filter(({ lease }) => lease === id).map(({ key }) => key);
    for (const key of keys.sort((a, b) => Buffer.compare(a, b))) this.#remove(key);
  }

  #claim(lease: bigint, grantTtl: number): void {
    if (grantTtl > 0) this.grant(lease, grantTtl);
    else if (!this.leases.has(lease)) throw new Refused('lease-not-found');
  }

  #remove(key: Uint8Array): void {
    this.live.delete(latin1(key));
    this.changes.push(tombstone(key, this.#base.revision + 1, this.changes.length));
  }
}

function tombstone(key: Uint8Array, revision: number, sub: number): Change {
  const versions = { createRevision: 0, modRevision: revision, version: 0, lease: 0n };
  return { revision, sub, kind: 'delete', record: { key, value: new Uint8Array(0), form: 'bytes', ...versions } };
}

/** The records of a range, in the order of their keys. */
export function within(live: ReadonlyMap<string, KeyRecord>, { start, end }: KeyRange): readonly KeyRecord[] {
  const first = latin1(start);
  const last = end === undefined ? undefined : latin1(end);
  const names = [...live.keys()].filter((name) => name >= first && (last === undefined || name < last));
  return names.sort().flatMap((name) => live.get(name) ?? []);
}

/** True if one of its branches holds a put. */
export function mayPut(operation: Operation): boolean {
  if (operation.kind !== 'txn') return operation.kind === 'put';
  return [...operation.success, ...operation.failure].some(mayPut);
}
