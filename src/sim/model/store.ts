/** The store as it should be: the committed entries, applied one by one to plain maps, with everything remembered. */
import { unreachable } from '../../base/assert';
import { maxLeaseClockStepMs, type Command, type PlainCommand } from '../../kv/command';
import type { Alarm, Change, CommandResult, KeyRecord, LeaseInfo, PlainResult } from '../../kv/result';
import type { Entry } from '../../raft';
import { Draft, mayPut, Refused } from './draft';
import { ModelRequests, type Memory } from './requests';
import { latin1 } from './result-text';
import { transact, type TxnSurroundings } from './transactions';

/** How the store stood after some entry. Never changed. */
export interface Instant {
  readonly revision: number;
  readonly compactRevision: number;
  readonly live: ReadonlyMap<string, KeyRecord>;
  readonly leases: ReadonlyMap<bigint, LeaseInfo>;
}

type Of<Kind extends PlainCommand['kind']> = Extract<PlainCommand, { readonly kind: Kind }>;

export class ModelStore {
  revision = 1;
  compactRevision = 0;
  clockMs = 0;
  quotaBytes = 0;
  alarms: readonly Alarm[] = [];
  live: ReadonlyMap<string, KeyRecord> = new Map();
  leases: ReadonlyMap<bigint, LeaseInfo> = new Map();
  /** By revision; each the changes of one. */
  readonly changes: (readonly Change[])[] = [];
  /** The records after each revision. */
  readonly #atRevision: ReadonlyMap<string, KeyRecord>[] = [];
  readonly #requests: ModelRequests;

  constructor(memory: Memory) {
    this.#requests = new ModelRequests(memory);
    this.#atRevision[this.revision] = this.live;
  }

  get instant(): Instant {
    const { revision, compactRevision, live, leases } = this;
    return { revision, compactRevision, live, leases };
  }

  /**
   * Does one command of an entry.
   *
   * @param bytes the command as it would stand in an entry of its own, as text of one character each
   */
  apply(entry: Entry, { requestId, command }: Command, bytes: string): CommandResult {
    try {
      if (requestId === undefined) return this.#execute(command, entry);
      const what = { command: bytes, at: this.clockMs };
      return this.#requests.once(latin1(requestId), what, () => this.#answer(command, entry));
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** The records at a revision that is not compacted. @throws Refused */
  at(revision: number): ReadonlyMap<string, KeyRecord> {
    if (revision > this.revision) throw new Refused('future-revision', this.revision);
    if (revision < this.compactRevision) throw new Refused('compacted', this.compactRevision);
    return this.#atRevision[revision] ?? new Map<string, KeyRecord>();
  }

  /** The records after a revision, compacted or not. */
  everAt(revision: number): ReadonlyMap<string, KeyRecord> {
    return this.#atRevision[revision] ?? new Map<string, KeyRecord>();
  }

  /** A refusal is an answer like any other: it too is remembered. */
  #answer(command: PlainCommand, entry: Entry): CommandResult {
    try {
      return this.#execute(command, entry);
    } catch (error) {
      return this.#refusal(error);
    }
  }

  #refusal(error: unknown): CommandResult {
    if (!(error instanceof Refused)) throw error;
    return { kind: 'refused', revision: this.revision, refusal: error.refusal, limit: error.limit };
  }

  #execute(command: PlainCommand, entry: Entry): PlainResult {
    this.#refuseByAlarm(command);
    switch (command.kind) {
      case 'put':
      case 'delete': {
        const { result, draft } = transact(
          { kind: 'txn', compares: [], success: [command], failure: [] },
          this.#txn(entry, true),
        );
        this.#take(draft);
        const [only] = result.results;
        if (only === undefined) throw new Error('an operation has a result');
        return only;
      }
      case 'txn': {
        const { result, draft } = transact(command, this.#txn(entry, false));
        this.#take(draft);
        return result;
      }
      case 'lease-grant':
      case 'lease-revoke':
      case 'lease-renew':
      case 'lease-expire':
        return this.#onLeases(command, entry);
      case 'compact':
        return this.#compact(command);
      case 'advance-clock':
        return this.#advanceClock(command, entry);
      case 'alarm':
        return this.#alarm(command);
      case 'configure':
        return this.#configure(command);
      default:
        return unreachable(command);
    }
  }

  #refuseByAlarm(command: PlainCommand): void {
    const has = (kind: string): boolean => this.alarms.some(({ alarm }) => alarm === kind);
    const isUpkeep = ['alarm', 'configure', 'advance-clock', 'lease-renew'].includes(command.kind);
    if (!isUpkeep && has('corrupt')) throw new Refused('corrupt');
    const takesSpace =
      command.kind === 'lease-grant' || ((command.kind === 'put' || command.kind === 'txn') && mayPut(command));
    if (takesSpace && (has('no-space') || has('quota'))) throw new Refused('no-space');
  }

  #onLeases(command: Of<'lease-grant' | 'lease-revoke' | 'lease-renew' | 'lease-expire'>, entry: Entry): PlainResult {
    const concerned: LeaseInfo[] = [];
    const once = (change: (draft: Draft) => LeaseInfo | undefined): void => {
      const draft = this.#draft(entry);
      const lease = change(draft);
      if (lease === undefined) return;
      concerned.push(lease);
      this.#take(draft);
    };
    switch (command.kind) {
      case 'lease-grant':
        once((draft) => draft.grant(command.id, command.ttl));
        break;
      case 'lease-renew':
        for (const id of command.ids) once((draft) => draft.renew(id));
        break;
      case 'lease-revoke':
        if (!this.leases.has(command.id)) throw new Refused('lease-not-found');
        once((draft) => ended(draft, command.id));
        break;
      case 'lease-expire':
        if (command.term !== entry.term) break;
        for (const { id, grantIndex, renewals } of command.leases) {
          const lease = this.leases.get(id);
          if (lease?.grantIndex === grantIndex && lease.renewals === renewals) once((draft) => ended(draft, id));
        }
    }
    return { kind: 'lease', revision: this.revision, leases: concerned.map(({ id, ttl }) => ({ id, ttl })) };
  }

  #compact({ revision }: Of<'compact'>): PlainResult {
    if (revision <= this.compactRevision) throw new Refused('compacted', this.compactRevision);
    if (revision > this.revision) throw new Refused('future-revision', this.revision);
    this.compactRevision = revision;
    return this.#done(true);
  }

  #advanceClock({ term, elapsedMs }: Of<'advance-clock'>, entry: Entry): PlainResult {
    if (term !== entry.term || elapsedMs === 0) return this.#done(false);
    this.clockMs += this.leases.size > 0 ? Math.min(elapsedMs, maxLeaseClockStepMs) : elapsedMs;
    this.#requests.forget(this.clockMs);
    return this.#done(true);
  }

  #alarm({ action, alarm, memberId }: Of<'alarm'>): PlainResult {
    // To clear `no-space` about no member clears the quota's alarm, too.
    const concerned: string[] = action === 'clear' && alarm === 'no-space' ? [alarm, 'quota'] : [alarm];
    const others = this.alarms.filter((each) => !concerned.includes(each.alarm) || each.memberId !== memberId);
    const stood = others.length < this.alarms.length;
    this.alarms = action === 'raise' ? [...others, { alarm, memberId }] : others;
    return this.#done(stood === (action === 'clear'));
  }

  #configure({ quotaBytes = this.quotaBytes }: Of<'configure'>): PlainResult {
    const isNew = quotaBytes !== this.quotaBytes;
    this.quotaBytes = quotaBytes;
    return this.#done(isNew);
  }

  #done(changed: boolean): PlainResult {
    return { kind: 'done', revision: this.revision, changed };
  }

  #txn(entry: Entry, isAlone: boolean): TxnSurroundings {
    return { isAlone, before: this.live, newDraft: () => this.#draft(entry), at: (revision) => this.at(revision) };
  }

  #draft({ index }: Entry): Draft {
    const { revision, clockMs, live, leases } = this;
    return new Draft({ revision, index, clockMs, live, leases });
  }

  #take(draft: Draft): void {
    this.live = draft.live;
    this.leases = draft.leases;
    if (draft.changes.length === 0) return;
    this.revision = draft.revision;
    this.changes[this.revision] = draft.changes;
    this.#atRevision[this.revision] = this.live;
  }
}

function ended(draft: Draft, id: bigint): LeaseInfo | undefined {
  const lease = draft.leases.get(id);
  draft.endLease(id);
  return lease;
}
