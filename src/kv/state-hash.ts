/** One hash over the whole replicated state: what members that applied the same entries have in common (invariant N5). */
import { createHash, type Hash } from 'node:crypto';
import { isKept } from './history-reads';
import { requestName, type KvState } from './kv-state';

/**
 * SHA-256 in hex over counters, leases, remembered requests, alarms, and every row of the history that is not compacted.
 * How much of what is compacted has been removed does not count: members differ in that.
 */
export function hashState(state: KvState): string {
  const hash = createHash('sha256');
  const { appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes, forgottenRequest } = state.facts;
  const counters = [appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes];
  add(hash, [...counters, state.index.size, requestName(forgottenRequest)]);
  addLeases(hash, state);
  addRequests(hash, state);
  for (const { alarm, memberId } of state.alarms) add(hash, ['alarm', alarm, memberId.toString()]);
  addHistory(hash, state);
  return hash.digest('hex');
}

function addLeases(hash: Hash, { leases }: KvState): void {
  for (const { id, ttl, renewals, renewedAt, grantIndex } of [...leases.all()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    add(hash, ['lease', id.toString(), ttl, renewals, renewedAt, grantIndex, ...leases.keysOf(id)]);
  }
}

function addRequests(hash: Hash, { store, facts }: KvState): void {
  for (const page of store.tables.requestPages(facts.requests)) {
    for (const { id } of page) {
      const { at, commandHash, result } = store.tables.readRequest(id);
      add(hash, ['request', requestName(id), at, result.length]);
      hash.update(commandHash).update(result);
    }
  }
}

function addHistory(hash: Hash, state: KvState): void {
  state.store.history.visitFrom(1, (row) => {
    if (!isKept(state, row)) return 'next';
    const { revision, sub, createRevision, version, flags, lease, key, value } = row;
    add(hash, [revision, sub, createRevision, version, flags, lease.toString(), key.length, value.length]);
    hash.update(key).update(value);
    return 'next';
  });
}

function add(hash: Hash, facts: readonly unknown[]): void {
  hash.update(JSON.stringify(facts));
}
