/** A get that takes what the member has, as the caller asked. */
import { pick } from '../../world/chance';
import type { OperationKind } from '../operation-kind';

export const staleGet: OperationKind = {
  name: 'stale get',
  weight: 1,
  draw: ({ rng, keys }) => ({ kind: 'get', key: pick(rng, keys), revision: 0, isStale: true }),
};
