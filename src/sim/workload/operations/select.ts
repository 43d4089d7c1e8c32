/** A range with whatever etcd's clients may ask for: order, limit, bounds, a revision. */
import { between, type Rng } from '../../../base/rng';
import type { RangeOperation } from '../../../kv/command';
import { isLucky, pick } from '../../world/chance';
import type { OperationKind } from '../operation-kind';

export const select: OperationKind = {
  name: 'select',
  weight: 2,
  draw: ({ rng, keys, revision }) => {
    const { kind: _, ...query } = drawRange(rng, { keys, revision });
    return { kind: 'select', query, isStale: isLucky(rng, 0.3) };
  },
};

/** Mostly of the newest state, and mostly without bounds. */
export function drawRange(
  rng: Rng,
  { keys, revision }: { readonly keys: readonly string[]; readonly revision: number },
): RangeOperation {
  const some = (): number => (isLucky(rng, 0.2) ? Math.max(1, revision - between(rng, 0, 20)) : 0);
  return {
    kind: 'range',
    range: { start: Buffer.from(pick(rng, keys)), end: isLucky(rng, 0.3) ? undefined : Buffer.from(pick(rng, keys)) },
    revision: some(),
    limit: pick(rng, [0, 0, 1, 2, 5]),
    sortTarget: pick(rng, ['key', 'version', 'create', 'mod', 'value']),
    sortOrder: pick(rng, ['none', 'ascend', 'descend']),
    keysOnly: isLucky(rng, 0.2),
    countOnly: isLucky(rng, 0.1),
    minModRevision: some(),
    maxModRevision: some(),
    minCreateRevision: some(),
    maxCreateRevision: some(),
  };
}
