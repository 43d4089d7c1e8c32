/** Put: every value is written once, so that whoever reads it tells which call it comes from. */
import { putOperation } from '../../../kv/command-builders';
import { isLucky, pick } from '../../world/chance';
import { mutation, type OperationKind } from '../operation-kind';

export const put: OperationKind = {
  name: 'put',
  weight: 8,
  draw: ({ rng, keys, freshValue }) => {
    const record = { key: Buffer.from(pick(rng, keys)), value: Buffer.from(freshValue), form: 'text' } as const;
    return mutation(putOperation({ ...record, returnPrevious: isLucky(rng, 0.2) }), true);
  },
};
