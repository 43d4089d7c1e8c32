/** Put on a lease, with a time to live of its own, or keeping what is there: of everything a put can be asked for. */
import { noLease, type PutOperation } from '../../../kv/command';
import { putOperation } from '../../../kv/command-builders';
import { between } from '../../../base/rng';
import { isLucky, pick } from '../../world/chance';
import { type DrawContext, maxTtl, mutation, type OperationKind } from '../operation-kind';

export const putLeased: OperationKind = {
  name: 'put on a lease',
  weight: 4,
  draw: (context) => mutation(drawLeasedPut(context), true),
};

export function drawLeasedPut({ rng, leasedKeys, leases, freshLease, freshValue }: DrawContext): PutOperation {
  const put = { key: Buffer.from(pick(rng, leasedKeys)), value: Buffer.from(freshValue), form: 'text' } as const;
  const options = pick(rng, [
    { lease: pick(rng, leases) },
    { lease: pick(rng, leases) },
    { lease: freshLease, grantTtl: between(rng, 1, maxTtl) },
    { lease: pick(rng, leases), grantTtl: between(rng, 1, maxTtl) },
    { lease: pick(rng, leases), keepValue: true },
    { lease: noLease, keepLease: true },
    { lease: noLease },
  ]);
  return putOperation({ ...put, ...options, returnPrevious: isLucky(rng, 0.2) });
}
