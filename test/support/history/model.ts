/** What a call should have done and told at some revision: the simulator's model, on the history that the watches tell. */
import type { Operation as Step, RangeOperation } from '../../../src/kv/command';
import type { Change, KeyRecord, LeaseInfo, OperationResult } from '../../../src/kv/result';
import { Draft } from '../../../src/sim/model/draft';
import { select } from '../../../src/sim/model/queries';
import { latin1 } from '../../../src/sim/model/result-text';
import { transact } from '../../../src/sim/model/transactions';
import type { RecordedCall } from './recorded-call';
import { toldRecord, toldText } from './surface';
import { groupOf, type Timeline } from './timeline';
import type { WatchedEvent } from './watch-log';

/** What a command would do to the store as it was after a revision. */
export interface Effect {
  readonly result: OperationResult;
  /** One line for each change, sorted. */
  readonly changes: readonly string[];
}

export function effectAt(timeline: Timeline, command: Step, revision: number): Effect {
  const live = timeline.groupAt(groupOfStep(command), revision);
  const leases = new Map<bigint, LeaseInfo>(claimed(command).map((id) => [id, leaseWith(id)]));
  const newDraft = (): Draft => new Draft({ revision, index: 0, clockMs: 0, live, leases });
  const isAlone = command.kind !== 'txn';
  const txn = isAlone ? ({ kind: 'txn', compares: [], success: [command], failure: [] } as const) : command;
  const { result, draft } = transact(txn, { isAlone, before: live, newDraft, at: () => live });
  const [only] = result.results;
  return { result: isAlone && only !== undefined ? only : result, changes: draft.changes.map(changeLine).sort() };
}

/** The leases that a command needs: whether they are there is judged by itself. */
function claimed(command: Step): readonly bigint[] {
  return command.kind === 'put' && command.grantTtl === 0 && command.lease !== 0n ? [command.lease] : [];
}

function leaseWith(id: bigint): LeaseInfo {
  return { id, ttl: 1, grantIndex: 0, renewals: 0, renewedAt: 0 };
}

/** A lease's id is the member's choice if the put brings its own time to live. */
export function withLease(command: Step, lease: bigint | undefined): Step {
  return command.kind === 'put' && command.grantTtl > 0 ? { ...command, lease: lease ?? 0n } : command;
}

export function changeLine({ kind, record }: Pick<Change | WatchedEvent, 'kind' | 'record'>): string {
  return kind === 'put' ? `put ${toldRecord(record)}` : `delete ${latin1(record.key)} ${String(record.modRevision)}`;
}

export function groupOfStep(command: Step): string {
  switch (command.kind) {
    case 'put':
      return groupOf(latin1(command.key));
    case 'delete':
    case 'range':
      return groupOf(latin1(command.range.start));
    case 'txn': {
      const [first] = [...command.success, ...command.failure];
      return first === undefined ? '' : groupOfStep(first);
    }
  }
}

/** The result as the API of a call tells it: etcd says nothing of how often and when a key was put. */
export function toldBy({ api }: RecordedCall, result: OperationResult): string {
  return toldText(api === 'etcd' ? withoutVersions(result) : result);
}

function withoutVersions(result: OperationResult): OperationResult {
  if (result.kind === 'put') return { ...result, createRevision: 0, version: 0 };
  return result.kind === 'txn' ? { ...result, results: result.results.map(withoutVersions) } : result;
}

/** What a read of the state at a revision should show. */
export function readAt(
  timeline: Timeline,
  { operation }: RecordedCall,
  revision: number,
): { readonly records: readonly KeyRecord[]; readonly counts?: { readonly count: number; readonly more: boolean } } {
  switch (operation.kind) {
    case 'get':
      return { records: [timeline.keyAt(operation.key, revision)].flatMap((record) => record ?? []) };
    case 'list':
      return { records: within(timeline, operation, revision) };
    case 'select': {
      const { range } = operation.query satisfies Omit<RangeOperation, 'kind'>;
      const live = timeline.groupAt(groupOf(latin1(range.start)), revision);
      const { records, count, more } = select(live, operation.query, revision);
      return { records, counts: { count, more } };
    }
    case 'mutation':
    case 'renew':
    case 'lease':
      throw new Error(`${operation.kind} reads no keys`);
  }
}

function within(
  timeline: Timeline,
  { start, end }: { readonly start: string; readonly end: string },
  revision: number,
): readonly KeyRecord[] {
  const live = timeline.groupAt(groupOf(start), revision);
  return [...live.entries()]
    .filter(([key]) => key >= start && key < end)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, record]) => record);
}
