/** Delete a key, whether it is there or not. */
import { pick } from '../../world/chance';
import type { OperationKind } from '../operation-kind';

export const deleteKey: OperationKind = {
  name: 'delete',
  weight: 2,
  draw: ({ rng, keys }) => ({ kind: 'delete', key: pick(rng, keys) }),
};
