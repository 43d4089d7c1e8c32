/** Locks and elections over a store in memory, a real hub of watches and virtual time: no Raft, no disk. */
import { LeaseRenewals } from '../../src/api/lease-renewals';
import type { RecipeDependencies } from '../../src/api/recipes/dependencies';
import { Elections } from '../../src/api/recipes/elections';
import { Locks } from '../../src/api/recipes/locks';
import type { ContenderLease } from '../../src/api/recipes/queues';
import { assert } from '../../src/base/assert';
import type { LogFields } from '../../src/base/logger';
import { decodeCommand } from '../../src/kv/command-codec';
import type { Comparison, PlainCommand, PutOperation, RangeOperation, TxnOperation } from '../../src/kv/command';
import type { KeyRecord, OperationResult, PlainResult, RangeResult, Result } from '../../src/kv/result';
import { defaultWatchHubOptions, WatchHub } from '../../src/kv/watch-hub';
import type { CallContext } from '../../src/node/call';
import { FakeHistory } from './fake-history';
import { VirtualTime } from './virtual-time';

/** A history that applies commands: single keys, transactions with one branch deep, leases without time. */
class FakeRecipeStore extends FakeHistory {
  /** Leases and the keys attached to them. */
  readonly leases = new Map<bigint, Set<string>>();

  apply(command: PlainCommand): PlainResult {
    if (command.kind === 'txn') return this.#txn(command);
    if (command.kind === 'lease-revoke') return this.#revoke(command.id);
    assert(command.kind === 'lease-renew', 'the recipes propose nothing else');
    const leases = command.ids.filter((id) => this.leases.has(id)).map((id) => ({ id, ttl: 5 }));
    return { kind: 'lease', revision: this.revision, leases };
  }

  /** Everything below a prefix, at a revision. */
  select(query: Omit<RangeOperation, 'kind'>): RangeResult {
    const at = query.revision === 0 ? this.revision : query.revision;
    const keys = new Set(this.all.map(({ record }) => Buffer.from(record.key).toString('latin1')));
    const inRange = [...keys]
      .map((key) => this.get(Buffer.from(key, 'latin1'), at))
      .filter((record): record is KeyRecord => record !== undefined)
      .filter(({ key }) => Buffer.compare(key, query.range.start) >= 0)
      .filter(({ key }) => query.range.end === undefined || Buffer.compare(key, query.range.end) < 0);
    const wanted = inRange
      .filter(({ createRevision }) => query.maxCreateRevision === 0 || createRevision <= query.maxCreateRevision)
      .sort((a, b) => (a.createRevision - b.createRevision) * (query.sortOrder === 'descend' ? -1 : 1));
    const records = wanted.slice(0, query.limit);
    return { kind: 'range', revision: this.revision, records, more: false, count: inRange.length };
  }

  #txn({ compares, success, failure }: TxnOperation): PlainResult {
    const succeeded = compares.every((compare) => this.#holds(compare));
    const [operation] = succeeded ? success : failure;
    if (operation === undefined) return { kind: 'txn', revision: this.revision, succeeded, results: [] };
    assert(operation.kind === 'put' || operation.kind === 'delete', 'the recipes put and delete');
    const key = operation.kind === 'put' ? operation.key : operation.range.start;
    const done = operation.kind === 'put' ? this.#put(operation) : this.#delete(key);
    if (done.kind === 'refused') return done;
    return { kind: 'txn', revision: this.revision, succeeded, results: [done] };
  }

  #holds({ range, operator, target }: Comparison): boolean {
    assert(target.kind === 'create' || target.kind === 'mod', 'the recipes compare revisions');
    const { count } = this.select({ ...anyQuery, range });
    const record = this.get(range.start);
    const found = (target.kind === 'create' ? record?.createRevision : record?.modRevision) ?? (count > 0 ? -1 : 0);
    return operator === 'equal' ? found === target.number : found > target.number;
  }

  #put({
    key,
    value,
    lease,
    grantTtl,
    keepLease,
  }: PutOperation): OperationResult | Extract<PlainResult, { kind: 'refused' }> {
    const { revision } = this;
    const refused = { kind: 'refused', revision, limit: undefined } as const;
    if (grantTtl > 0 && this.leases.has(lease)) return { ...refused, refusal: 'lease-exists' };
    if (grantTtl > 0) this.leases.set(lease, new Set());
    const attached = this.leases.get(lease);
    if (attached === undefined && !keepLease) return { ...refused, refusal: 'lease-not-found' };
    const name = Buffer.from(key).toString();
    attached?.add(name);
    this.commit([{ key: name, value: Buffer.from(value).toString() }]);
    const record = this.get(key);
    assert(record !== undefined, 'what was put is there');
    return { kind: 'put', ...record, revision: this.revision, previous: undefined };
  }

  #delete(key: Uint8Array): OperationResult {
    const deleted = this.get(key) === undefined ? 0 : 1;
    this.commit([{ key: Buffer.from(key).toString() }]);
    return { kind: 'delete', revision: this.revision, deleted, previous: [] };
  }

  #revoke(id: bigint): PlainResult {
    const keys = this.leases.get(id);
    if (keys === undefined)
      return { kind: 'refused', revision: this.revision, refusal: 'lease-not-found', limit: undefined };
    this.leases.delete(id);
    this.commit([...keys].map((key) => ({ key })));
    return { kind: 'lease', revision: this.revision, leases: [] };
  }
}

const anyQuery = {
  revision: 0,
  limit: 1,
  sortTarget: 'create',
  sortOrder: 'ascend',
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
} as const;

/** One member with its recipes, and what a test may turn. */
export class RecipeBench {
  readonly time = new VirtualTime();
  readonly store = new FakeRecipeStore();
  readonly hub: WatchHub;
  readonly locks: Locks;
  readonly elections: Elections;
  readonly warnings: string[] = [];
  /** Commands in the order in which they were applied. */
  readonly applied: PlainCommand[] = [];
  barriers = 0;
  /** What a proposal and a barrier take, milliseconds. */
  takesMs = 1;
  /** When set, asked before a proposal is applied, and before a barrier is passed: it may wait, or throw. */
  before: ((step: PlainCommand['kind'] | 'barrier') => Promise<void>) | undefined;

  constructor() {
    const { time, store } = this;
    this.hub = new WatchHub({ reader: store, scheduler: time, options: defaultWatchHubOptions });
    store.listener = this.hub;
    const warn = (_: LogFields, message: string) => void this.warnings.push(message);
    const needs: RecipeDependencies = {
      proposer: this,
      reader: store,
      watches: this.hub,
      scheduler: time,
      logger: { debug: warn, info: warn, warn, error: warn },
      renewals: new LeaseRenewals({ proposer: this, scheduler: time }),
      wallClock: () => 0,
    };
    this.locks = new Locks(needs);
    this.elections = new Elections(needs);
  }

  async propose(bytes: Uint8Array): Promise<Result> {
    const { command } = decodeCommand(bytes);
    await this.#step(command.kind);
    this.applied.push(command);
    return this.store.apply(command);
  }

  async readBarrier(_: CallContext): Promise<void> {
    await this.#step('barrier');
    this.barriers++;
  }

  async #step(step: PlainCommand['kind'] | 'barrier'): Promise<void> {
    await this.before?.(step);
    await new Promise<void>((resolve) => void this.time.after(this.takesMs, resolve));
  }

  /** Makes leases that others care for. */
  grant(...ids: bigint[]): void {
    for (const id of ids) this.store.leases.set(id, new Set());
  }

  /** Ends a lease, as when its time is up. */
  end(id: bigint): void {
    this.store.apply({ kind: 'lease-revoke', id });
  }

  /** The keys below a name, by creation. */
  queue(name: string): readonly string[] {
    const range = { start: Buffer.from(`${name}/`), end: Buffer.from(`${name}0`) };
    const { records } = this.store.select({ ...anyQuery, range, limit: Infinity });
    return records.map(({ key }) => Buffer.from(key).toString());
  }

  /** Asks for a lock, and tells how that stands. */
  lock(name: string, lease: ContenderLease): Asking {
    const controller = new AbortController();
    const contender = { name: Buffer.from(name), lease, value: Buffer.alloc(0), form: 'bytes' } as const;
    const asking: Asking = { state: 'waiting', token: 0, abort: () => controller.abort(goneAway) };
    this.locks.acquire(contender, controller.signal).then(
      (place) => {
        asking.state = place === undefined ? 'lost' : 'held';
        asking.token = place?.createRevision ?? 0;
      },
      (error: unknown) => {
        asking.state = error === goneAway ? 'aborted' : String((error as { code?: string }).code);
      },
    );
    return asking;
  }
}

/** Why an aborted call ends. */
const goneAway = new Error('the client went away');

/** A call for a lock. */
export interface Asking {
  /** `waiting`, `held`, `lost`, `aborted`, or the code of an error. */
  state: string;
  token: number;
  readonly abort: () => void;
}

/** A lease that its holder cares for. */
export const brought = (id: bigint): ContenderLease => ({ id, ttl: 0 });
