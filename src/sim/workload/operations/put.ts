/** Put: every value is written once, so that whoever reads it tells which call it comes from. */
import { pick } from '../../world/chance';
import type { OperationKind } from '../operation-kind';

export const put: OperationKind = {
  name: 'put',
  weight: 8,
  draw: ({ rng, keys, freshValue }) => ({ kind: 'put', key: pick(rng, keys), value: freshValue }),
};
