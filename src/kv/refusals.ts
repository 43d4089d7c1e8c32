/** What a command needs to be done at all. Checked before anything is changed, so that a refused command has no effect. */
import { QuorateError } from '../base/error';
import { noLease, type AlarmKind, type KeyRange, type PutOperation } from './command';
import { keyToString } from './key-index';
import type { KvState } from './kv-state';

import type { Refusal, RefusedResult } from './result';
import type { MetaFacts } from './sqlite-meta';
import { stepsOf, type TxnPlan, type TxnStep } from './txn-plan';

/** Why something is refused; see `RefusedResult`. */
export type Reason = Pick<RefusedResult, 'refusal' | 'limit'>;

export function because(refusal: Refusal, limit?: number): Reason {
  return { refusal, limit };
}

export function hasAlarm({ alarms }: KvState, ...kinds: readonly AlarmKind[]): boolean {
  return alarms.some(({ alarm }) => kinds.includes(alarm));
}

/** Why a put cannot be done on the state as it is: its lease first, as etcd looks at it (within a transaction, its key first). */
export function reasonAgainstPut(put: PutOperation, state: KvState): Reason | undefined {
  const reason = reasonAgainstLease(put, (id) => state.leases.get(id) !== undefined);
  if (reason !== undefined) return reason;
  const mustBeThere = put.keepValue || put.keepLease;
  return mustBeThere && state.index.get(keyToString(put.key)) === undefined ? because('key-not-found') : undefined;
}

/** Why a revision cannot be read. 0 can always. */
function reasonAgainstRevision(revision: number, facts: MetaFacts): Reason | undefined {
  if (revision === 0) return undefined;
  if (revision > facts.revision) return because('future-revision', facts.revision);
  return revision < facts.compactRevision ? because('compacted', facts.compactRevision) : undefined;
}

/** Why a transaction cannot be done as a whole: puts first, then ranges, as etcd looks at them. */
export function reasonAgainstPlan(plan: TxnPlan, state: KvState, facts: MetaFacts): Reason | undefined {
  const steps = [...stepsOf(plan)];
  const granted = new Set<bigint>();
  for (const [at, step] of steps.entries()) {
    if (step.kind !== 'put') continue;
    if ((step.keepValue || step.keepLease) && !isThere(step.key, steps.slice(0, at), state)) {
      return because('key-not-found');
    }
    const reason = reasonAgainstLease(step, (id) => granted.has(id) || state.leases.get(id) !== undefined);
    if (reason !== undefined) return reason;
    if (grantsLease(step)) granted.add(step.lease);
  }
  return reasonAgainstRanges(steps, facts);
}

function reasonAgainstRanges(steps: readonly TxnStep[], facts: MetaFacts): Reason | undefined {
  for (const step of steps) {
    const reason = step.kind === 'range' ? reasonAgainstRevision(step.revision, facts) : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** True if a put makes the lease that it attaches its key to. */
export function grantsLease({ grantTtl, keepLease }: PutOperation): boolean {
  return grantTtl > 0 && !keepLease;
}

/** A lease that is granted must be free, and one that is attached to be there. */
function reasonAgainstLease(put: PutOperation, isGranted: (id: bigint) => boolean): Reason | undefined {
  if (put.lease === noLease || put.keepLease) return undefined;
  if (grantsLease(put)) return isGranted(put.lease) ? because('lease-exists') : undefined;
  return isGranted(put.lease) ? undefined : because('lease-not-found');
}

/** Whether a key will be there after the steps before: the last of them that touches it decides. */
function isThere(key: Uint8Array, before: readonly TxnStep[], { index }: KvState): boolean {
  const last = before.findLast(
    (step) =>
      (step.kind === 'put' && Buffer.compare(step.key, key) === 0) ||
      (step.kind === 'delete' && contains(step.range, key)),
  );
  return last === undefined ? index.get(keyToString(key)) !== undefined : last.kind === 'put';
}

function contains({ start, end }: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(start, key) <= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

/** @throws QuorateError `compacted` or `future-revision` when a revision cannot be read */
export function checkRevision(revision: number, facts: MetaFacts): void {
  throwIf(reasonAgainstRevision(revision, facts), revision);
}

/** @throws QuorateError `compacted` or `future-revision` when a range of the plan cannot be read */
export function checkPlan(plan: TxnPlan, { facts }: KvState): void {
  for (const step of stepsOf(plan)) if (step.kind === 'range') checkRevision(step.revision, facts);
}

function throwIf(reason: Reason | undefined, revision: number): void {
  if (reason === undefined) return;
  const details = { limit: String(reason.limit), actual: String(revision) };
  if (reason.refusal === 'compacted') {
    throw new QuorateError('compacted', `revision ${details.actual} was compacted; ${details.limit} is the oldest`, {
      details,
    });
  }
  throw new QuorateError('future-revision', `revision ${details.actual} is ahead of the store's, ${details.limit}`, {
    details,
  });
}
