/** The reads of the state machine: what it says of the state as it stands. */
import { assert, AssertionError } from '../base/assert';
import type { RangeOperation, RequestId, TxnOperation } from './command';
import { hashKeySpace } from './hash-kv';
import { changesFrom, historyOf } from './history-reads';
import { keyToBytes } from './key-index';
import { KeyRecords, newest } from './key-records';
import { requestName, type KvState } from './kv-state';
import { checkPlan, checkRevision } from './refusals';
import type {
  Alarm,
  Change,
  HistoryPage,
  HistoryQuery,
  KeyRecord,
  KvHash,
  KvReader,
  LeaseInfo,
  RangePage,
  RangeQuery,
  RangeResult,
  TxnResult,
} from './result';
import { doPlan } from './txn';
import { planTxn } from './txn-plan';

export abstract class StateReads implements Omit<KvReader, 'spaceReclaimed'> {
  /** The state that is to be read. @throws AssertionError after a failure */
  protected abstract readonly readable: KvState;

  get revision(): number {
    return this.readable.facts.revision;
  }

  get compactRevision(): number {
    return this.readable.facts.compactRevision;
  }

  get clockMs(): number {
    return this.readable.facts.clockMs;
  }

  get quotaBytes(): number {
    return this.readable.facts.quotaBytes;
  }

  get alarms(): readonly Alarm[] {
    return this.readable.alarms;
  }

  get keyCount(): number {
    return this.readable.index.size;
  }

  get leaseCount(): number {
    return this.readable.leases.size;
  }

  get requestCount(): number {
    return this.readable.requests.size;
  }

  get(key: Uint8Array, revision = newest): KeyRecord | undefined {
    const state = this.readable;
    checkRevision(revision, state.facts);
    return new KeyRecords(state).get(key, readRevision(revision, state));
  }

  range(query: RangeQuery): RangePage {
    const state = this.readable;
    assert(query.limit >= 1, 'a page has room for one record');
    checkRevision(query.revision, state.facts);
    return new KeyRecords(state).page({ ...query, revision: readRevision(query.revision, state) });
  }

  select(operation: Omit<RangeOperation, 'kind'>): RangeResult {
    const state = this.readable;
    checkRevision(operation.revision, state.facts);
    const revision = readRevision(operation.revision, state);
    return new KeyRecords(state).select({ ...operation, revision }, state.facts.revision);
  }

  readTxn(operation: TxnOperation): TxnResult {
    const state = this.readable;
    const records = new KeyRecords(state);
    const plan = planTxn(operation, records);
    checkPlan(plan, state);
    const { revision } = state.facts;
    const onlyReads = (): never => {
      throw new AssertionError('a transaction that only reads holds no put and no delete');
    };
    return doPlan(plan, {
      put: onlyReads,
      delete: onlyReads,
      range: (range) => records.select(range, revision),
      revision: () => revision,
    });
  }

  changes(fromRevision: number, maxChanges: number, maxBytes: number): readonly Change[] {
    const state = this.readable;
    assert(maxChanges >= 1, 'there is room for one change');
    if (fromRevision <= state.facts.revision) checkRevision(Math.max(1, fromRevision), state.facts);
    return changesFrom(state, fromRevision, { maxChanges, maxBytes });
  }

  keyHistory(key: Uint8Array, query: HistoryQuery): HistoryPage {
    assert(query.limit >= 1, 'a page has room for one change');
    return historyOf(this.readable, key, query);
  }

  lease(id: bigint): LeaseInfo | undefined {
    return this.readable.leases.get(id);
  }

  leases(): IterableIterator<LeaseInfo> {
    return this.readable.leases.all();
  }

  leaseKeys(id: bigint): readonly Uint8Array[] {
    return this.readable.leases.keysOf(id).map(keyToBytes);
  }

  requestState(id: RequestId): 'known' | 'expired' | 'new' {
    return this.readable.requests.stateOf(requestName(id));
  }

  sizeBytes(): number {
    return this.readable.store.sizeBytes();
  }

  sizeInUseBytes(): number {
    return this.readable.store.sizeInUseBytes();
  }

  hashKv(revision: number): Promise<KvHash> {
    return hashKeySpace(
      () => this.readable,
      revision,
      () => new Promise((resolve) => void setImmediate(resolve)),
    );
  }
}

/** The newest state is read without looking at the past, by whatever name it is asked for. */
function readRevision(revision: number, { facts }: KvState): number {
  return revision === facts.revision ? newest : revision;
}
