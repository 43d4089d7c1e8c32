/** Compact: mostly to a revision of late, sometimes to one that is compacted or has not been made yet. */
import { between } from '../../../base/rng';
import { mutation, type OperationKind } from '../operation-kind';

export const compact: OperationKind = {
  name: 'compact',
  weight: 1,
  draw: ({ rng, revision }) => mutation({ kind: 'compact', revision: Math.max(1, revision + 3 - between(rng, 0, 20)) }),
};
