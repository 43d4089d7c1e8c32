/** A contender for a lock or an election, as etcd's clients describe it. */
import { noLease } from '../../kv/command';
import { leaseIdsFor } from '../lease-ids';
import type { Contender } from '../recipes/queues';
import { EtcdError } from './errors';
import { etcdLimits } from './limits';

/** Time to live of the lease of a contender that brings none, seconds. Nobody renews it once the waiting is over. */
const sessionTtl = 60;

/** The fields that a lock and a campaign have in common; a lock has no value. */
export interface ContenderRequest {
  readonly name: Uint8Array;
  readonly lease: bigint;
  readonly value: Uint8Array;
}

/** @throws EtcdError `request-too-large` */
export function contenderOf({ name, lease, value }: ContenderRequest): Contender {
  if (name.length + value.length > etcdLimits.maxCommandBytes) throw new EtcdError('request-too-large');
  const session = lease === noLease ? { id: leaseIdsFor(undefined)(), ttl: sessionTtl } : { id: lease, ttl: 0 };
  return { name, value, form: 'bytes', lease: session };
}
