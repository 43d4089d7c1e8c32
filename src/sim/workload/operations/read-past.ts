/** Reads at a revision of the past, sometimes one that is compacted, or has not been made yet. */
import { between } from '../../../base/rng';
import { isLucky, pick } from '../../world/chance';
import { everything } from '../call';
import type { OperationKind } from '../operation-kind';

export const readPast: OperationKind = {
  name: 'read of the past',
  weight: 2,
  draw: ({ rng, keys, revision: newest }) => {
    const revision = Math.max(1, newest + 2 - between(rng, 0, 30));
    const isStale = isLucky(rng, 0.3);
    if (isLucky(rng, 0.5)) return { ...everything, revision, isStale };
    return { kind: 'get', key: pick(rng, keys), revision, isStale };
  },
};
