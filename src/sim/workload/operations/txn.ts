/** Transactions: compare and swap of one key, and whatever can be nested in one. */
import { between, type Rng } from '../../../base/rng';
import type { Comparison, CompareTarget, Operation, TxnOperation } from '../../../kv/command';
import { deleteOperation, putOperation } from '../../../kv/command-builders';
import { rangeOfKey } from '../../../kv/key-range';
import { isLucky, pick } from '../../world/chance';
import { type DrawContext, mutation, type OperationKind } from '../operation-kind';
import { drawLeasedPut } from './put-leased';
import { drawRange } from './select';

export const compareAndSwap: OperationKind = {
  name: 'compare and swap',
  weight: 3,
  draw: (context) => {
    const { rng, keys, freshValue } = context;
    const key = Buffer.from(pick(rng, keys));
    const put = putOperation({ key, value: Buffer.from(freshValue), form: 'text' });
    const read = { ...drawRange(rng, context), range: rangeOfKey(key), revision: 0 };
    return mutation({ kind: 'txn', compares: [comparison(context, key)], success: [put], failure: [read] }, true);
  },
};

export const transaction: OperationKind = {
  name: 'transaction',
  weight: 3,
  draw: (context) => mutation(drawTxn(context, maxDepth)),
};

const maxDepth = 2;

function drawTxn(context: DrawContext, depth: number): TxnOperation {
  const { rng, keys } = context;
  const compares = Array.from({ length: between(rng, 0, 2) }, () => comparison(context, Buffer.from(pick(rng, keys))));
  const steps = (): Operation[] => Array.from({ length: between(rng, 0, 3) }, () => drawStep(context, depth));
  return { kind: 'txn', compares, success: steps(), failure: steps() };
}

function drawStep(context: DrawContext, depth: number): Operation {
  const { rng, keys, freshValue } = context;
  const key = Buffer.from(pick(rng, keys));
  switch (pick(rng, ['put', 'put', 'leased put', 'delete', 'range', depth > 0 ? 'txn' : 'put'])) {
    case 'put':
      return putOperation({ key, value: Buffer.from(freshValue), form: 'text', returnPrevious: isLucky(rng, 0.3) });
    case 'leased put':
      return drawLeasedPut(context);
    case 'delete':
      return { ...deleteOperation(key), returnPrevious: isLucky(rng, 0.3) };
    case 'range':
      return drawRange(rng, context);
    default:
      return drawTxn(context, depth - 1);
  }
}

/** Of one key mostly, and mostly of something that may be so. */
function comparison({ rng, revision }: DrawContext, key: Buffer): Comparison {
  const range = isLucky(rng, 0.8) ? rangeOfKey(key) : { start: key, end: undefined };
  return { range, operator: pick(rng, ['equal', 'greater', 'less', 'not-equal']), target: target(rng, revision) };
}

function target(rng: Rng, revision: number): CompareTarget {
  const recent = Math.max(0, revision - between(rng, 0, 10));
  return pick<CompareTarget>(rng, [
    { kind: 'version', number: between(rng, 0, 3) },
    { kind: 'create', number: pick(rng, [0, recent]) },
    { kind: 'mod', number: recent },
    { kind: 'value', value: Buffer.from(`v${recent}`) },
    { kind: 'lease', lease: pick(rng, [0n, 1n]) },
  ]);
}
