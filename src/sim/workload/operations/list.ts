/** Linearizable list of all keys from one on, or of all there are. */
import { isLucky, pick } from '../../world/chance';
import { everything } from '../call';
import type { OperationKind } from '../operation-kind';

export const list: OperationKind = {
  name: 'list',
  weight: 2,
  draw: ({ rng, keys }) => {
    const start = isLucky(rng, 0.5) ? pick(rng, keys) : everything.start;
    return { ...everything, start, isStale: false };
  },
};
