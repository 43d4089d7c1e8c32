/** Delete a key, whether it is there or not. */
import { deleteOperation } from '../../../kv/command-builders';
import { pick } from '../../world/chance';
import { mutation, type OperationKind } from '../operation-kind';

export const deleteKey: OperationKind = {
  name: 'delete',
  weight: 2,
  draw: ({ rng, keys, leasedKeys }) => mutation(deleteOperation(Buffer.from(pick(rng, [...keys, ...leasedKeys])))),
};
