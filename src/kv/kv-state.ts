/** Everything that belongs to one state database: the open store, and what is held of it in memory. */
import type { EarlyIndex } from './early-index';
import { IndexBuilder } from './index-builder';
import type { KeyIndex } from './key-index';
import { LeaseTable } from './lease-table';
import { RecordCache } from './record-cache';
import { RequestTable, type RequestRetention } from './request-table';
import type { Alarm } from './result';
import { RowCheck } from './row-check';
import type { LoadedIndex } from './sorted-index';
import { equalCounters, type MetaFacts } from './sqlite-meta';
import type { SqliteStore } from './sqlite-store';

/** What is in memory says the same as the store whenever no batch is being applied. */
export interface KvState {
  readonly store: SqliteStore;
  readonly index: KeyIndex;
  /** Of the store's rows. */
  readonly records: RecordCache;
  readonly leases: LeaseTable;
  readonly requests: RequestTable;
  /** In the order of kind and member. */
  alarms: readonly Alarm[];
  facts: MetaFacts;
  /** Of all rows, where the index was saved, and not made of them. */
  readonly check: RowCheck | undefined;
}

/** Loads at once; with an index that was read early and is of this state, in much less time. */
export function loadState(store: SqliteStore, retention: RequestRetention, early?: EarlyIndex): KvState {
  const steps = loadSteps(store, retention, early);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lets `pause` pass between steps of a few milliseconds. */
export async function loadStateInSteps(
  store: SqliteStore,
  retention: RequestRetention,
  pause: () => Promise<void>,
): Promise<KvState> {
  const steps = loadSteps(store, retention);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** Text of a request id, as the table of requests holds it. */
export function requestName(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

function* loadSteps(
  store: SqliteStore,
  retention: RequestRetention,
  early?: EarlyIndex,
): Generator<void, KvState, void> {
  const facts = store.readFacts();
  const requests = new RequestTable(requestName(facts.forgottenRequest), retention);
  for (const page of store.tables.requestPages(facts.requests)) {
    for (const { id, at, resultBytes } of page) requests.remember(requestName(id), { at, resultBytes });
    yield;
  }
  const leases = new LeaseTable();
  for (const page of store.tables.leasePages(facts.leases)) {
    for (const lease of page) leases.load(lease);
    yield;
  }
  const had = early !== undefined && equalCounters(early.facts, facts) ? early : undefined;
  const { index, leases: attached } = had ?? (yield* indexSteps(store, facts));
  for (const [key, lease] of attached) leases.attach(key, lease);
  const alarms = store.tables.alarms(facts.alarms);
  const check = had?.sum === undefined ? undefined : new RowCheck(facts, had.sum);
  return { store, index, records: new RecordCache(), leases, requests, alarms, facts, check };
}

function* indexSteps({ guard, history }: SqliteStore, facts: MetaFacts): Generator<void, LoadedIndex, void> {
  const builder = new IndexBuilder(guard);
  for (const page of history.headPages()) {
    builder.add(page);
    yield;
  }
  return yield* builder.finish(facts);
}
