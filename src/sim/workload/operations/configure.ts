/** Sets the quota: mostly to none, sometimes to one that is used up already, so that an alarm is raised and cleared again. */
import { pick } from '../../world/chance';
import { mutation, type OperationKind } from '../operation-kind';

export const configure: OperationKind = {
  name: 'configure',
  weight: 0.25,
  draw: ({ rng }) => mutation({ kind: 'configure', quotaBytes: pick(rng, [0, 0, 0, 1, 2 ** 40]) }),
};
