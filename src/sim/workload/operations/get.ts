/** Linearizable get. */
import { pick } from '../../world/chance';
import type { OperationKind } from '../operation-kind';

export const get: OperationKind = {
  name: 'get',
  weight: 6,
  draw: ({ rng, keys }) => ({ kind: 'get', key: pick(rng, keys), revision: 0, isStale: false }),
};
