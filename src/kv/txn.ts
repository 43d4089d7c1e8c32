/** Does what a transaction's plan says, step by step. */
import { unreachable } from '../base/assert';
import type { DeleteOperation, PutOperation, RangeOperation } from './command';
import type { DeleteResult, OperationResult, PutResult, RangeResult, TxnResult } from './result';
import type { TxnPlan, TxnStep } from './txn-plan';

/** How each kind of step is done. Each sees what the ones before it did. */
export interface StepActions {
  put(operation: PutOperation): PutResult;
  delete(operation: DeleteOperation): DeleteResult;
  range(operation: RangeOperation): RangeResult;
  /** The store's revision after the steps so far. */
  revision(): number;
}

/** None of the steps can fail: that was checked. */
export function doPlan({ succeeded, steps }: TxnPlan, actions: StepActions): TxnResult {
  const results = steps.map((step) => doStep(step, actions));
  return { kind: 'txn', revision: actions.revision(), succeeded, results };
}

function doStep(step: TxnStep, actions: StepActions): OperationResult {
  switch (step.kind) {
    case 'put':
      return actions.put(step);
    case 'delete':
      return actions.delete(step);
    case 'range':
      return actions.range(step);
    case 'plan':
      return doPlan(step, actions);
    default:
      return unreachable(step);
  }
}
