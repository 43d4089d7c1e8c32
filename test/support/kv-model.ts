/** The key-value state machine once more, slowly and plainly: every state of the past is kept as a map. */
import {
  maxLeaseClockStepMs,
  type Command,
  type Comparison,
  type KeyRange,
  type Operation,
  type PlainCommand,
  type PutOperation,
  type RangeOperation,
  type TxnOperation,
} from '../../src/kv/command';
import { encodeCommand } from '../../src/kv/command-codec';
import { touchesKeyTwice } from '../../src/kv/duplicate-keys';
import type { RequestRetention } from '../../src/kv/request-table';
import type {
  Alarm,
  Change,
  KeyRecord,
  LeaseInfo,
  OperationResult,
  PlainResult,
  RangeResult,
  Refusal,
  Result,
} from '../../src/kv/result';
import { selectOf } from './kv-model-select';

type State = ReadonlyMap<string, KeyRecord>;

interface Remembered {
  readonly command: string;
  readonly result: PlainResult;
  readonly at: number;
}

/** Where a command stands in the log. */
export interface Place {
  readonly index: number;
  readonly term: number;
}

/** Thrown where a command is refused: nothing that was done since counts. */
class Refused extends Error {
  readonly refusal: Refusal;
  readonly limit: number | undefined;

  constructor(refusal: Refusal, limit?: number) {
    super(refusal);
    this.refusal = refusal;
    this.limit = limit;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const noValue = Buffer.alloc(0);

export class KvModel {
  revision = 1;
  compactRevision = 0;
  clockMs = 0;
  quotaBytes = 0;
  alarms: readonly Alarm[] = [];
  leases: ReadonlyMap<bigint, LeaseInfo> = new Map();
  readonly requests = new Map<string, Remembered>();
  forgotten = '';
  readonly #retention: RequestRetention;
  /** By revision. */
  readonly #states = new Map<number, State>([[1, new Map()]]);
  readonly #changes: Change[] = [];

  constructor(retention: RequestRetention) {
    this.#retention = retention;
  }

  apply({ requestId, command }: Command, place: Place): Result {
    if (requestId === undefined) return this.#attempt(command, place);
    const id = hex(requestId);
    const text = encodeCommand({ requestId: undefined, command }).toString('hex');
    const known = this.requests.get(id);
    if (known !== undefined) {
      return known.command === text ? { ...known.result, replayed: true } : this.#refused('request-mismatch');
    }
    if (id <= this.forgotten) return this.#refused('request-expired', Number.parseInt(this.forgotten.slice(0, 12), 16));
    const result = this.#attempt(command, place);
    this.requests.set(id, { command: text, result, at: this.clockMs });
    this.#forget();
    return result;
  }

  requestState(id: Uint8Array): 'known' | 'expired' | 'new' {
    if (this.requests.has(hex(id))) return 'known';
    return hex(id) <= this.forgotten ? 'expired' : 'new';
  }

  /** The state at a revision, or why it cannot be read. */
  at(revision: number): State | 'compacted' | 'future-revision' {
    if (revision > this.revision) return 'future-revision';
    if (revision !== 0 && revision < this.compactRevision) return 'compacted';
    return this.#state(revision === 0 ? this.revision : revision);
  }

  inRange(state: State, { start, end }: KeyRange): KeyRecord[] {
    return [...state.values()]
      .filter(({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0))
      .sort((a, b) => Buffer.compare(a.key, b.key));
  }

  select(operation: RangeOperation, state: State, revision: number): RangeResult {
    return selectOf(this.inRange(state, operation.range), operation, revision);
  }

  /** Everything that changed in revisions from `fromRevision` on. */
  changesFrom(fromRevision: number): Change[] {
    return this.#changes.filter(({ revision }) => revision >= fromRevision);
  }

  /** Newest first, what is not compacted. */
  historyOf(key: Uint8Array): Change[] {
    const all = this.#changes.filter(({ record }) => Buffer.compare(record.key, key) === 0);
    const kept = all.filter((change, at) => {
      if (change.revision >= this.compactRevision) return true;
      const next = all[at + 1];
      return change.kind === 'put' && (next === undefined || next.revision > this.compactRevision);
    });
    return kept.reverse();
  }

  keysOf(lease: bigint): Uint8Array[] {
    return this.inRange(this.#state(this.revision), { start: noValue, end: undefined })
      .filter((record) => record.lease === lease)
      .map(({ key }) => key);
  }

  readTxn(txn: TxnOperation): OperationResult {
    return this.#inDraft((draft) => draft.txn(txn));
  }

  #state(revision: number): State {
    return this.#states.get(revision) ?? new Map();
  }

  #attempt(command: PlainCommand, place: Place): PlainResult {
    const before = { leases: this.leases };
    try {
      this.#checkAlarms(command);
      return this.#do(command, place);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.leases = before.leases;
      return this.#refused(error.refusal, error.limit);
    }
  }

  #refused(refusal: Refusal, limit?: number): PlainResult {
    return { kind: 'refused', revision: this.revision, refusal, limit };
  }

  #checkAlarms(command: PlainCommand): void {
    const raised = this.alarms.map(({ alarm }) => alarm);
    const isAlways = ['alarm', 'configure', 'advance-clock', 'lease-renew'].includes(command.kind);
    if (!isAlways && raised.includes('corrupt')) throw new Refused('corrupt');
    const holdsPut = (operation: Operation): boolean =>
      operation.kind === 'put' ||
      (operation.kind === 'txn' && [...operation.success, ...operation.failure].some(holdsPut));
    const grows =
      command.kind === 'lease-grant' || command.kind === 'put' || (command.kind === 'txn' && holdsPut(command));
    if (grows && (raised.includes('no-space') || raised.includes('quota'))) throw new Refused('no-space');
  }

  #do(command: PlainCommand, place: Place): PlainResult {
    switch (command.kind) {
      case 'put':
      case 'delete':
      case 'txn':
        return this.#inDraft((draft) => draft.do(command), place);
      case 'compact':
        if (command.revision <= this.compactRevision) throw new Refused('compacted', this.compactRevision);
        if (command.revision > this.revision) throw new Refused('future-revision', this.revision);
        this.compactRevision = command.revision;
        return this.#done(true);
      case 'lease-grant':
        this.grant(command.id, command.ttl, place);
        return { kind: 'lease', revision: this.revision, leases: [{ id: command.id, ttl: command.ttl }] };
      case 'lease-revoke':
        if (!this.leases.has(command.id)) throw new Refused('lease-not-found');
        return this.#end([command.id]);
      case 'lease-renew':
        return this.#renew(command.ids);
      case 'lease-expire': {
        const due = command.leases.filter(({ id, grantIndex, renewals }) => {
          const lease = this.leases.get(id);
          return lease?.grantIndex === grantIndex && lease.renewals === renewals;
        });
        return this.#end(command.term === place.term ? [...new Set(due.map(({ id }) => id))] : []);
      }
      case 'advance-clock':
        if (command.term !== place.term || command.elapsedMs === 0) return this.#done(false);
        this.clockMs += this.leases.size > 0 ? Math.min(command.elapsedMs, maxLeaseClockStepMs) : command.elapsedMs;
        this.#forget();
        return this.#done(true);
      case 'alarm': {
        const isQuotaToo = command.action === 'clear' && command.alarm === 'no-space';
        const kinds: readonly string[] = isQuotaToo ? ['no-space', 'quota'] : [command.alarm];
        const rest = this.alarms.filter((each) => !kinds.includes(each.alarm) || each.memberId !== command.memberId);
        const next =
          command.action === 'raise' ? [...rest, { alarm: command.alarm, memberId: command.memberId }] : rest;
        const changed = next.length !== this.alarms.length;
        if (changed) this.alarms = next;
        return this.#done(changed);
      }
      case 'configure': {
        const changed = command.quotaBytes !== undefined && command.quotaBytes !== this.quotaBytes;
        this.quotaBytes = command.quotaBytes ?? this.quotaBytes;
        return this.#done(changed);
      }
    }
  }

  #done(changed: boolean): PlainResult {
    return { kind: 'done', revision: this.revision, changed };
  }

  grant(id: bigint, ttl: number, { index }: Place): void {
    if (this.leases.has(id)) throw new Refused('lease-exists');
    const lease = { id, ttl, renewals: 0, renewedAt: this.clockMs, grantIndex: index };
    this.leases = new Map([...this.leases, [id, lease]]);
  }

  #renew(ids: readonly bigint[]): PlainResult {
    const renewed: { id: bigint; ttl: number }[] = [];
    for (const id of ids) {
      const lease = this.leases.get(id);
      if (lease === undefined) continue;
      const next = { ...lease, renewals: lease.renewals + 1, renewedAt: this.clockMs };
      this.leases = new Map([...this.leases, [id, next]]);
      renewed.push({ id, ttl: lease.ttl });
    }
    return { kind: 'lease', revision: this.revision, leases: renewed };
  }

  #end(ids: readonly bigint[]): PlainResult {
    const ended: { id: bigint; ttl: number }[] = [];
    for (const id of ids) {
      for (const { id: own, ttl } of this.leases.values()) if (own === id) ended.push({ id, ttl });
      const keys = this.keysOf(id);
      this.#inDraft((draft) => draft.remove(keys));
      this.leases = new Map([...this.leases].filter(([own]) => own !== id));
    }
    return { kind: 'lease', revision: this.revision, leases: ended };
  }

  #forget(): void {
    for (const id of [...this.requests.keys()].sort()) {
      const isOld = (this.requests.get(id)?.at ?? 0) + this.#retention.ageMs <= this.clockMs;
      if (this.requests.size <= this.#retention.count && !isOld) return;
      this.requests.delete(id);
      this.forgotten = id;
    }
  }

  /** Does something to a copy of the newest state, which becomes the state if it changed. */
  #inDraft<T>(work: (draft: Draft) => T, place: Place = { index: 0, term: 0 }): T {
    const draft = new Draft(this, this.#state(this.revision), place);
    const result = work(draft);
    if (draft.changes.length > 0) {
      this.revision += 1;
      this.#states.set(this.revision, draft.state);
      this.#changes.push(...draft.changes);
    }
    return result;
  }
}

/** One revision being made. */
class Draft {
  readonly changes: Change[] = [];
  state: State;
  readonly #model: KvModel;
  readonly #before: State;
  readonly #place: Place;
  #isTxn = false;

  constructor(model: KvModel, state: State, place: Place) {
    this.#model = model;
    this.state = state;
    this.#before = state;
    this.#place = place;
  }

  get #revision(): number {
    return this.#model.revision + (this.changes.length > 0 ? 1 : 0);
  }

  do(operation: Operation): OperationResult {
    switch (operation.kind) {
      case 'put':
        return this.#put(operation);
      case 'delete': {
        const removed = this.#model.inRange(this.state, operation.range);
        this.remove(removed.map(({ key }) => key));
        const previous = operation.returnPrevious ? removed : [];
        return { kind: 'delete', revision: this.#revision, deleted: removed.length, previous };
      }
      case 'range': {
        const past = this.#model.at(operation.revision);
        if (typeof past === 'string') {
          const { compactRevision, revision } = this.#model;
          throw new Refused(past, past === 'compacted' ? compactRevision : revision);
        }
        return this.#model.select(operation, operation.revision === 0 ? this.state : past, this.#revision);
      }
      case 'txn':
        return this.txn(operation);
    }
  }

  txn(txn: TxnOperation): OperationResult {
    if (touchesKeyTwice(txn)) throw new Refused('duplicate-key');
    // A refusal of a put comes before one of a range, wherever they stand.
    const dry = new Draft(this.#model, this.state, this.#place);
    const { leases } = this.#model;
    dry.#run(txn, 'put');
    this.#model.leases = leases;
    return this.#run(txn, 'all');
  }

  remove(keys: readonly Uint8Array[]): void {
    for (const key of keys) {
      const revision = this.#model.revision + 1;
      const nothing = { value: noValue, form: 'bytes', createRevision: 0, version: 0, lease: 0n } as const;
      const record = { key, ...nothing, modRevision: revision };
      this.changes.push({ revision, sub: this.changes.length, kind: 'delete', record });
      this.state = new Map([...this.state].filter(([name]) => name !== hex(key)));
    }
  }

  #run(txn: TxnOperation, what: 'put' | 'all'): OperationResult {
    this.#isTxn = true;
    const succeeded = txn.compares.every((compare) => this.#holds(compare));
    const results = (succeeded ? txn.success : txn.failure).flatMap((operation) => {
      if (operation.kind === 'txn') return this.#run(operation, what);
      return operation.kind === 'range' && what === 'put' ? [] : this.do(operation);
    });
    return { kind: 'txn', revision: this.#revision, succeeded, results };
  }

  #put(put: PutOperation): OperationResult {
    const existing = this.state.get(hex(put.key));
    const isMissing = (put.keepValue || put.keepLease) && existing === undefined;
    // As etcd: a transaction looks at the key first, a put by itself at the lease.
    if (isMissing && this.#isTxn) throw new Refused('key-not-found');
    if (put.grantTtl > 0 && !put.keepLease) this.#model.grant(put.lease, put.grantTtl, this.#place);
    else if (put.lease !== 0n && !put.keepLease && !this.#model.leases.has(put.lease))
      throw new Refused('lease-not-found');
    if (isMissing) throw new Refused('key-not-found');
    const revision = this.#model.revision + 1;
    const { value, form } = put.keepValue && existing !== undefined ? existing : put;
    const lease = put.keepLease && existing !== undefined ? existing.lease : put.lease;
    const versions = {
      createRevision: existing?.createRevision ?? revision,
      modRevision: revision,
      version: (existing?.version ?? 0) + 1,
    };
    const record: KeyRecord = { key: put.key, value, form, lease, ...versions };
    this.changes.push({ revision, sub: this.changes.length, kind: 'put', record });
    this.state = new Map([...this.state, [hex(put.key), record]]);
    const previous = put.returnPrevious ? existing : undefined;
    return { kind: 'put', revision, createRevision: versions.createRevision, version: versions.version, previous };
  }

  #holds({ range, operator, target }: Comparison): boolean {
    const records = this.#model.inRange(this.#before, range);
    if (records.length === 0 && target.kind === 'value') return false;
    const nothing = { version: 0, createRevision: 0, modRevision: 0, lease: 0n, value: noValue };
    return (records.length === 0 ? [nothing] : records).every((record) => {
      let order: number;
      if (target.kind === 'value') order = Buffer.compare(record.value, target.value);
      else if (target.kind === 'lease') order = Number(record.lease - target.lease);
      else if (target.kind === 'version') order = record.version - target.number;
      else order = (target.kind === 'mod' ? record.modRevision : record.createRevision) - target.number;
      if (operator === 'equal') return order === 0;
      if (operator === 'not-equal') return order !== 0;
      return operator === 'greater' ? order > 0 : order < 0;
    });
  }
}
