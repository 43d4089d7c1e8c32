/** Leases: grant, keep alive, revoke, look at. */
import { between } from '../../../base/rng';
import { isLucky, pick } from '../../world/chance';
import { maxTtl, mutation, type OperationKind } from '../operation-kind';

const grant: OperationKind = {
  name: 'grant',
  weight: 2,
  draw: ({ rng, leases }) => mutation({ kind: 'lease-grant', id: pick(rng, leases), ttl: between(rng, 1, maxTtl) }),
};

const renew: OperationKind = {
  name: 'keep alive',
  weight: 4,
  draw: ({ rng, leases }) => ({ kind: 'renew', lease: pick(rng, leases) }),
};

const revoke: OperationKind = {
  name: 'revoke',
  weight: 0.5,
  draw: ({ rng, leases }) => mutation({ kind: 'lease-revoke', id: pick(rng, leases) }),
};

const look: OperationKind = {
  name: 'time to live',
  weight: 1,
  draw: ({ rng, leases }) => ({ kind: 'lease', lease: pick(rng, leases), isStale: isLucky(rng, 0.3) }),
};

export const leaseKinds: readonly OperationKind[] = [grant, renew, revoke, look];
