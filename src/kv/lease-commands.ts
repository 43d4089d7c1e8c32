/** Granting, renewing and ending leases, as entries of the log say. */
import type { Entry } from '../raft';
import type { Batch } from './batch';
import type {
  LeaseDeadline,
  LeaseExpireCommand,
  LeaseGrantCommand,
  LeaseRenewCommand,
  LeaseRevokeCommand,
} from './command';
import type { LeaseTable } from './lease-table';
import { because, type Reason } from './refusals';
import type { LeaseInfo, LeaseResult } from './result';
import type { RevisionWriter } from './revision-writer';

/** What the commands work on. */
export interface LeaseContext {
  readonly leases: LeaseTable;
  readonly batch: Batch;
  readonly writer: RevisionWriter;
  readonly entry: Entry;
}

export function grantLease({ id, ttl }: LeaseGrantCommand, context: LeaseContext): LeaseResult | Reason {
  const { leases, batch, entry } = context;
  if (leases.get(id) !== undefined) return because('lease-exists');
  const lease = leases.grant({ id, ttl, grantIndex: entry.index, renewedAt: batch.facts.clockMs });
  batch.leaseRenewed(lease);
  return resultOf([lease], context);
}

export function revokeLease({ id }: LeaseRevokeCommand, context: LeaseContext): LeaseResult | Reason {
  const lease = context.leases.get(id);
  if (lease === undefined) return because('lease-not-found');
  end(lease, context);
  return resultOf([lease], context);
}

export function renewLeases({ ids }: LeaseRenewCommand, context: LeaseContext): LeaseResult {
  const { leases, batch } = context;
  const renewed: LeaseInfo[] = [];
  for (const id of ids) {
    if (leases.get(id) === undefined) continue;
    const lease = leases.renew(id, batch.facts.clockMs);
    batch.leaseRenewed(lease);
    renewed.push(lease);
  }
  return resultOf(renewed, context);
}

/**
 * Only the leader that measured the time may end a lease, and only the lease it measured: an entry that was proposed in an
 * earlier term, or before a renewal, has no effect (invariant E2).
 */
export function expireLeases({ term, leases: due }: LeaseExpireCommand, context: LeaseContext): LeaseResult {
  if (term !== context.entry.term) return resultOf([], context);
  const ended: LeaseInfo[] = [];
  for (const deadline of due) {
    const lease = context.leases.get(deadline.id);
    if (lease === undefined || !isTheSame(lease, deadline)) continue;
    end(lease, context);
    ended.push(lease);
  }
  return resultOf(ended, context);
}

function isTheSame(lease: LeaseInfo, deadline: LeaseDeadline): boolean {
  return lease.grantIndex === deadline.grantIndex && lease.renewals === deadline.renewals;
}

/** Deletes the keys of a lease, all at one revision, and the lease. */
function end({ id }: LeaseInfo, { leases, batch, writer }: LeaseContext): void {
  for (const key of leases.keysOf(id)) writer.deleteKey(key);
  writer.finish();
  leases.remove(id);
  batch.leaseEnded(id);
}

function resultOf(leases: readonly LeaseInfo[], { batch }: LeaseContext): LeaseResult {
  return { kind: 'lease', revision: batch.facts.revision, leases: leases.map(({ id, ttl }) => ({ id, ttl })) };
}
