/**
 * Judges a history by its revisions: every answer must be what the model gives at the revision that it tells, and every
 * revision the work of one call that was not surely refused, or of a lease's end.
 */
import type { Operation as Step } from '../../../src/kv/command';
import type { OperationResult, Result } from '../../../src/kv/result';
import type { ReadAnswer } from '../../../src/sim/workload/call';
import type { LeaseEnd } from './lease-judge';
import { changeLine, effectAt, groupOfStep, readAt, toldBy, withLease } from './model';
import type { RecordedCall } from './recorded-call';
import { toldRecord } from './surface';
import { groupOf, type Timeline } from './timeline';

/** What the judge found. */
export interface Judgement {
  /** Sentences; none when all is well. */
  readonly violations: readonly string[];
  /** Leases with keys whose time was up. */
  readonly expiries: readonly LeaseEnd[];
  /** Calls of unknown outcome that did take effect. */
  readonly lateEffects: number;
}

/** @param seenAt when a revision was first told to anybody */
export function judge(
  calls: readonly RecordedCall[],
  timeline: Timeline,
  seenAt: (revision: number) => number,
): Judgement {
  return new Judge(calls, timeline, seenAt).judge();
}

/** The search for a call that made a revision. */
interface Search {
  readonly pool: readonly RecordedCall[];
  /** What each call has made, so far. */
  readonly made: Map<RecordedCall, number>;
  readonly tried: Set<RecordedCall>;
}

class Judge {
  readonly #calls: readonly RecordedCall[];
  readonly #timeline: Timeline;
  readonly #seenAt: (revision: number) => number;
  readonly #violations: string[] = [];
  readonly #expiries: LeaseEnd[] = [];
  /** Who made a revision. */
  readonly #makers = new Map<number, RecordedCall>();
  #lateEffects = 0;

  constructor(calls: readonly RecordedCall[], timeline: Timeline, seenAt: (revision: number) => number) {
    this.#calls = calls;
    this.#timeline = timeline;
    this.#seenAt = seenAt;
  }

  judge(): Judgement {
    for (const call of this.#calls) if (call.outcome === 'ok') this.#judgeAnswer(call);
    this.#explainTheRest();
    for (const call of this.#calls) if (call.outcome === 'definite') this.#judgeRefusal(call);
    return { violations: this.#violations, expiries: this.#expiries, lateEffects: this.#lateEffects };
  }

  #judgeAnswer(call: RecordedCall): void {
    const { operation, answer } = call;
    if (answer === undefined) return;
    if (operation.kind !== 'mutation') {
      this.#judgeRead(call, answer as ReadAnswer);
      return;
    }
    const { command } = operation;
    switch (command.kind) {
      case 'put':
      case 'delete':
      case 'txn':
        this.#judgeChange(call, withLease(command, call.lease?.id), answer as OperationResult);
        return;
      case 'lease-revoke':
        this.#judgeRevoke(call, command.id, answer as Result);
        return;
      case 'lease-grant':
      case 'compact':
        // Lease judge and refusals look at these.
        return;
      case 'lease-renew':
      case 'lease-expire':
      case 'advance-clock':
      case 'alarm':
      case 'configure':
        throw new Error(`${command.kind} is not a call of a client`);
    }
  }

  #judgeRead(call: RecordedCall, { revision, found, counts }: ReadAnswer): void {
    const { operation } = call;
    const asked = operation.kind === 'get' && operation.revision > 0 ? operation.revision : revision;
    const expected = readAt(this.#timeline, call, asked);
    const isSame = found.map(toldRecord).join() === expected.records.map(toldRecord).join();
    if (!isSame)
      this.#blame(call, `shows ${found.map(toldRecord).join()}, not ${expected.records.map(toldRecord).join()}`);
    const { counts: told } = expected;
    if (told !== undefined && (counts?.count !== told.count || counts.more !== told.more))
      this.#blame(call, 'miscounts');
    if (revision < (call.minRevision ?? 0)) this.#blame(call, `is older than revision ${String(call.minRevision)}`);
  }

  /** Either it made the revision that it tells, or it changed nothing when the store was at it. */
  #judgeChange(call: RecordedCall, command: Step, answer: OperationResult): void {
    const { revision } = answer;
    const told = toldBy(call, answer);
    const before = effectAt(this.#timeline, command, revision - 1);
    if (before.changes.length > 0 && this.#isWork(before.changes, revision) && toldBy(call, before.result) === told) {
      const other = this.#makers.get(revision);
      if (other !== undefined) this.#blame(call, `made the revision that call ${String(other.id)} made`);
      this.#makers.set(revision, call);
      return;
    }
    const after = effectAt(this.#timeline, command, revision);
    if (after.changes.length === 0 && toldBy(call, after.result) === told) return;
    this.#blame(call, `is told ${told}, not ${toldBy(call, before.result)} or ${toldBy(call, after.result)}`);
  }

  #judgeRevoke(call: RecordedCall, lease: bigint, { revision }: Result): void {
    const attached = this.#attached(groupOfLease(lease), lease, revision - 1);
    if (this.#isWork(attached, revision)) this.#makers.set(revision, call);
    else if (this.#attached(groupOfLease(lease), lease, revision).length > 0)
      this.#blame(call, 'left keys of its lease');
  }

  /** The tombstones that a lease's end would leave after a revision. */
  #attached(group: string, lease: bigint, revision: number): readonly string[] {
    const records = [...this.#timeline.groupAt(group, revision).values()].filter((record) => record.lease === lease);
    return records.map(({ key }) => `delete ${String(key)} ${String(revision + 1)}`).sort();
  }

  #isWork(changes: readonly string[], revision: number): boolean {
    const lines = this.#timeline.changesAt(revision).map(changeLine).sort();
    return changes.length > 0 && lines.join() === changes.join();
  }

  /**
   * Revisions that nobody was told to have made: calls of unknown outcome made them, each at most one, or leases that ended.
   * Which call made which is open where several may have: there is a way if a matching finds one (Kuhn's algorithm).
   */
  #explainTheRest(): void {
    const doubtful = byGroup(this.#calls.filter(({ outcome }) => outcome === 'ambiguous' || outcome === 'open'));
    const rest = this.#timeline.revisions.filter((revision) => !this.#makers.has(revision));
    const leaseEnds = new Map<number, bigint>();
    for (const revision of rest) {
      const lease = this.#endedLease(revision);
      if (lease !== undefined) leaseEnds.set(revision, lease);
    }
    const made = new Map<RecordedCall, number>();
    // First those that need a call: an end of a lease is an explanation that never runs out.
    for (const revision of [...rest.filter((it) => !leaseEnds.has(it)), ...leaseEnds.keys()]) {
      const pool = doubtful.get(this.#groupOf(revision)) ?? [];
      if (this.#findMaker(revision, { pool, made, tried: new Set() })) continue;
      const lease = leaseEnds.get(revision);
      if (lease !== undefined) this.#expiries.push({ lease, at: this.#seenAt(revision) });
      else this.#violations.push(this.#unexplained(revision));
    }
    for (const [call, revision] of made) this.#makers.set(revision, call);
    this.#lateEffects = made.size;
  }

  /** Finds a call for a revision; one that has made another only if there is another for that. */
  #findMaker(revision: number, search: Search): boolean {
    const { pool, made, tried } = search;
    for (const call of pool) {
      if (tried.has(call) || !this.#mayHaveMade(call, revision)) continue;
      tried.add(call);
      const other = made.get(call);
      if (other !== undefined && !this.#findMaker(other, search)) continue;
      made.set(call, revision);
      return true;
    }
    return false;
  }

  #groupOf(revision: number): string {
    const [change] = this.#timeline.changesAt(revision);
    return groupOf(String(change?.record.key));
  }

  /** What is wrong, and who would have made the revision if he had not been told otherwise. */
  #unexplained(revision: number): string {
    const group = this.#groupOf(revision);
    const near = (byGroup(this.#calls).get(group) ?? []).filter((call) => this.#mayHaveMade(call, revision));
    const calls = near.map((call) => {
      const { outcome, error, answer } = call;
      const told = outcome === 'ok' ? `ok at revision ${String(answer?.revision)}` : `${outcome} ${String(error)}`;
      return `${describeCall(call)}: ${told}`;
    });
    const when = `seen at ${this.#seenAt(revision).toFixed(1)}`;
    return `revision ${String(revision)} has no explanation: ${this.#describe(revision)}, ${when}; near: ${calls.join()}`;
  }

  #mayHaveMade({ operation, invokedAt }: RecordedCall, revision: number): boolean {
    if (operation.kind !== 'mutation' || invokedAt > this.#seenAt(revision)) return false;
    const { command } = operation;
    if (command.kind === 'lease-revoke') {
      return this.#isWork(this.#attached(groupOfLease(command.id), command.id, revision - 1), revision);
    }
    if (command.kind !== 'put' && command.kind !== 'delete' && command.kind !== 'txn') return false;
    const [change] = this.#timeline.changesAt(revision);
    const step = withLease(command, change?.record.lease);
    return this.#isWork(effectAt(this.#timeline, step, revision - 1).changes, revision);
  }

  /** The lease whose end a revision may be. */
  #endedLease(revision: number): bigint | undefined {
    const [change] = this.#timeline.changesAt(revision);
    const lease = this.#timeline.keyAt(String(change?.record.key), revision - 1)?.lease ?? 0n;
    if (lease === 0n) return undefined;
    const attached = this.#attached(this.#groupOf(revision), lease, revision - 1);
    return this.#isWork(attached, revision) ? lease : undefined;
  }

  /** What was surely refused had a reason; that it left no trace shows in that every trace has another maker. */
  #judgeRefusal(call: RecordedCall): void {
    const { error, found, operation } = call;
    if (error === 'precondition-failed') this.#judgeCondition(call, found ?? 0);
    if (error !== 'compacted' || operation.kind !== 'get') return;
    const isCompacted = this.#calls.some(({ operation: other, invokedAt }) => {
      const isCompaction = other.kind === 'mutation' && other.command.kind === 'compact';
      return isCompaction && invokedAt < call.returnedAt && other.command.revision > operation.revision;
    });
    if (!isCompacted) this.#blame(call, `was refused, and nobody compacted revision ${String(operation.revision)}`);
  }

  /** The key was at the revision that the refusal names, some time between the call's beginning and its end. */
  #judgeCondition(call: RecordedCall, found: number): void {
    const { operation } = call;
    if (operation.kind !== 'mutation' || operation.command.kind !== 'txn') return;
    const [compare] = operation.command.compares;
    const key = String(compare?.range.start);
    if (compare?.target.kind === 'mod' && compare.target.number === found) this.#blame(call, 'met its condition');
    if (found > 0) {
      const isOver = this.#seenAt(this.#timeline.nextChange(key, found)) < call.invokedAt;
      const isThere = this.#timeline.keyAt(key, found)?.modRevision === found;
      if (!isThere || isOver) this.#blame(call, `cannot have found revision ${String(found)}`);
    }
  }

  #blame(call: RecordedCall, what: string): void {
    const { answer } = call;
    const where = `revision ${String(answer?.revision)}: ${this.#describe(answer?.revision ?? 0)}`;
    this.#violations.push(`${describeCall(call)} ${what}; ${where}`);
  }

  #describe(revision: number): string {
    return this.#timeline.changesAt(revision).map(changeLine).join();
  }
}

function describeCall({ id, kind, api, invokedAt, returnedAt }: RecordedCall): string {
  return `call ${String(id)} (${kind} by ${api}, ${invokedAt.toFixed(1)} to ${returnedAt.toFixed(1)})`;
}

/** Leases are granted for one group of keys each: their ids say which. Others are the members' choice. */
function groupOfLease(lease: bigint): string {
  return String(lease / leasesPerGroup);
}

export const leasesPerGroup = 1_000_000n;

function byGroup(calls: readonly RecordedCall[]): ReadonlyMap<string, readonly RecordedCall[]> {
  const groups = new Map<string, RecordedCall[]>();
  for (const call of calls) {
    const group = groupOfCall(call);
    if (group === undefined) continue;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [call]);
    else known.push(call);
  }
  return groups;
}

function groupOfCall({ operation }: RecordedCall): string | undefined {
  if (operation.kind !== 'mutation') return undefined;
  const { command } = operation;
  if (command.kind === 'lease-revoke') return groupOfLease(command.id);
  if (command.kind !== 'put' && command.kind !== 'delete' && command.kind !== 'txn') return undefined;
  return groupOfStep(command);
}
