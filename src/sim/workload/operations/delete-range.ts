/** Delete some keys beside each other, or all that there are. */
import { isLucky, pick } from '../../world/chance';
import { mutation, type OperationKind } from '../operation-kind';

export const deleteRange: OperationKind = {
  name: 'delete range',
  weight: 1,
  draw: ({ rng, keys }) => {
    const [start = '', end = ''] = [pick(rng, keys), pick(rng, keys)].sort();
    const range = { start: Buffer.from(start), end: isLucky(rng, 0.1) ? undefined : Buffer.from(end) };
    return mutation({ kind: 'delete', range, returnPrevious: isLucky(rng, 0.5) });
  },
};
