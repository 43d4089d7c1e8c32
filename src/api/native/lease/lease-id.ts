/** Ids of leases in requests. */
import { invalid } from '../../validate';

/** @throws QuorateError `invalid-argument` */
export function checkedLeaseId(id: bigint, field = 'lease_id'): bigint {
  if (id !== 0n) return id;
  throw invalid(field, 'names no lease', { limit: 'any number but 0', actual: '0' });
}
