/** Transactions of the model: done on a draft, so that one that is refused half-way leaves nothing. */
import type { Operation, RangeOperation, TxnOperation } from '../../kv/command';
import { touchesKeyTwice } from '../../kv/duplicate-keys';
import type { KeyRecord, OperationResult, TxnResult } from '../../kv/result';
import { type Draft, Refused } from './draft';
import { holds, select } from './queries';

/** What a transaction sees of the store beside its draft. */
export interface TxnSurroundings {
  /** It stands for a put or a delete of its own. */
  readonly isAlone: boolean;
  /** Before the transaction. */
  readonly before: ReadonlyMap<string, KeyRecord>;
  newDraft(): Draft;
  /** The records at a revision. @throws Refused */
  at(revision: number): ReadonlyMap<string, KeyRecord>;
}

/** @returns what it gives, and the draft that holds its effects */
export function transact(
  txn: TxnOperation,
  around: TxnSurroundings,
): { readonly result: TxnResult; readonly draft: Draft } {
  if (touchesKeyTwice(txn)) throw new Refused('duplicate-key');
  // Reasons against its puts are told before those against its ranges.
  run(txn, around, { draft: around.newDraft(), withRanges: false });
  const draft = around.newDraft();
  return { result: run(txn, around, { draft, withRanges: true }), draft };
}

interface Run {
  readonly draft: Draft;
  readonly withRanges: boolean;
}

function run({ compares, success, failure }: TxnOperation, around: TxnSurroundings, how: Run): TxnResult {
  const succeeded = compares.every((comparison) => holds(around.before, comparison));
  const results = (succeeded ? success : failure).map((operation) => step(operation, around, how));
  return { kind: 'txn', revision: how.draft.revision, succeeded, results };
}

function step(operation: Operation, around: TxnSurroundings, how: Run): OperationResult {
  const { draft } = how;
  switch (operation.kind) {
    case 'put': {
      const { record, previous } = draft.put(operation, around.isAlone ? 'lease' : 'key');
      const { modRevision: revision, createRevision, version } = record;
      return {
        ...{ kind: 'put', revision, createRevision, version },
        previous: operation.returnPrevious ? previous : undefined,
      };
    }
    case 'delete': {
      const removed = draft.delete(operation);
      const previous = operation.returnPrevious ? removed : [];
      return { kind: 'delete', revision: draft.revision, deleted: removed.length, previous };
    }
    case 'range':
      return selectWithin(operation, around, how);
    case 'txn':
      return run(operation, around, how);
  }
}

function selectWithin(operation: RangeOperation, around: TxnSurroundings, { draft, withRanges }: Run): OperationResult {
  const { revision } = operation;
  const live = revision === 0 || !withRanges ? draft.live : around.at(revision);
  return select(live, operation, draft.revision);
}
