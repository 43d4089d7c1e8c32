/** Which operations of a transaction will be done: decided by its comparisons, before anything is changed. */
import { unreachable } from '../base/assert';
import type { CompareTarget, Comparison, DeleteOperation, PutOperation, RangeOperation, TxnOperation } from './command';
import type { KeyVersion } from './key-index';
import { newest, noValue, type KeyRecords } from './key-records';

/** A transaction whose comparisons are decided. */
export interface TxnPlan {
  readonly kind: 'plan';
  readonly succeeded: boolean;
  readonly steps: readonly TxnStep[];
}

export type TxnStep = PutOperation | DeleteOperation | RangeOperation | TxnPlan;

/** Decides the comparisons of `txn`, and of those nested in what will be done, on the state as it is. */
export function planTxn({ compares, success, failure }: TxnOperation, records: KeyRecords): TxnPlan {
  const succeeded = compares.every((compare) => holds(compare, records));
  const steps = (succeeded ? success : failure).map((operation) =>
    operation.kind === 'txn' ? planTxn(operation, records) : operation,
  );
  return { kind: 'plan', succeeded, steps };
}

/** The steps in the order in which they are done, those of nested transactions where these stand. */
export function* stepsOf(plan: TxnPlan): Generator<Exclude<TxnStep, TxnPlan>, void, void> {
  for (const step of plan.steps) {
    if (step.kind === 'plan') yield* stepsOf(step);
    else yield step;
  }
}

/** True if a branch, done or not, holds a put: what quota and alarms look at. */
export function mayPut({ success, failure }: TxnOperation): boolean {
  return [...success, ...failure].some(
    (operation) => operation.kind === 'put' || (operation.kind === 'txn' && mayPut(operation)),
  );
}

function holds(compare: Comparison, records: KeyRecords): boolean {
  const seen = { keys: 0, all: true };
  records.visit(compare.range, newest, (name, held) => {
    seen.keys += 1;
    seen.all = typeof held !== 'number' && matches(compare, orderOf(compare.target, name, held, records));
    return seen.all ? 'next' : 'stop';
  });
  if (seen.keys > 0) return seen.all;
  // No key counts as one that is not there: with all numbers 0, and without a value, to which nothing compares.
  return compare.target.kind !== 'value' && matches(compare, orderOfNothing(compare.target));
}

/** Below 0, 0, or above 0: as what is stored is less than, equal to, or greater than what is given. */
function orderOf(target: CompareTarget, name: string, version: KeyVersion, records: KeyRecords): number {
  switch (target.kind) {
    case 'version':
      return version.version - target.number;
    case 'create':
      return version.createRevision - target.number;
    case 'mod':
      return version.modRevision - target.number;
    case 'lease':
      return compareBigints(records.leaseOf(name, version), target.lease);
    case 'value':
      return Buffer.compare(records.valueOf(name, version), target.value);
    default:
      return unreachable(target);
  }
}

function orderOfNothing(target: CompareTarget): number {
  switch (target.kind) {
    case 'value':
      return Buffer.compare(noValue, target.value);
    case 'lease':
      return compareBigints(0n, target.lease);
    case 'version':
    case 'create':
    case 'mod':
      return -target.number;
  }
}

function matches({ operator }: Comparison, order: number): boolean {
  switch (operator) {
    case 'equal':
      return order === 0;
    case 'not-equal':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
    default:
      return unreachable(operator);
  }
}

function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a === b ? 0 : 1;
}
