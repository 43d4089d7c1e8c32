/** Carries out commands, one after the other, in the order of the log. Deterministic: no clock, no chance. */
import { hash } from 'node:crypto';
import { required, unreachable } from '../base/assert';
import type { Entry } from '../raft';
import type { Batch } from './batch';
import {
  maxLeaseClockStepMs,
  type AdvanceClockCommand,
  type AlarmCommand,
  type AlarmKind,
  type CompactCommand,
  type ConfigureCommand,
  type DeleteOperation,
  type PlainCommand,
  type PutOperation,
  type RequestId,
  type TxnOperation,
} from './command';
import type { EntryCommands, LoggedCommand } from './command-codec';
import { touchesKeyTwice } from './duplicate-keys';
import type { KeyRecords } from './key-records';
import { requestName, type KvState } from './kv-state';
import { expireLeases, grantLease, renewLeases, revokeLease, type LeaseContext } from './lease-commands';
import { because, grantsLease, hasAlarm, reasonAgainstPlan, reasonAgainstPut, type Reason } from './refusals';
import type { Alarm, CommandResult, DoneResult, PlainResult, RefusedResult, Result } from './result';
import { decodeResult, encodeResult } from './result-codec';
import { RevisionWriter } from './revision-writer';
import { doPlan } from './txn';
import { mayPut, planTxn } from './txn-plan';

/** Of SHA-256: enough that no two commands are taken for one by accident. */
const commandHashBytes = 16;

/** A request id, and what a repetition of its command must be equal in. */
interface NamedRequest {
  readonly requestId: RequestId;
  readonly commandHash: Buffer;
}

/** Carries out the commands of one batch. */
export class CommandApplier {
  readonly #state: KvState;
  readonly #records: KeyRecords;
  readonly #batch: Batch;
  readonly #writer: RevisionWriter;

  constructor(state: KvState, records: KeyRecords, batch: Batch) {
    this.#state = state;
    this.#records = records;
    this.#batch = batch;
    this.#writer = new RevisionWriter(state, records, batch);
  }

  /** Commands of one entry are done one after the other, as if each had an entry of its own. */
  apply(commands: EntryCommands, entry: Entry): Result {
    if ('requestId' in commands) return this.#apply(commands, entry);
    const results = commands.map((command) => this.#apply(command, entry));
    return { kind: 'batch', revision: this.#batch.facts.revision, results };
  }

  /** After the last command: brings the small tables to what is in memory. */
  finish(): void {
    const { facts, hasForgotten } = this.#batch;
    const { leases, requests, store, alarms } = this.#state;
    for (const id of leases.takeChanged()) {
      const lease = leases.get(id);
      if (lease === undefined) store.tables.removeLease(id);
      else store.tables.putLease(lease);
    }
    if (hasForgotten) store.tables.removeRequestsUpTo(facts.forgottenRequest);
    facts.leases = leases.size;
    facts.requests = requests.size;
    facts.alarms = alarms.length;
  }

  #apply({ requestId, command, named }: LoggedCommand, entry: Entry): CommandResult {
    if (requestId === undefined) return this.#execute(command, entry);
    const commandHash = hashOf(required(named, 'a command with a request id has its bytes'));
    return this.#executeOnce({ requestId, commandHash }, () => this.#execute(command, entry));
  }

  /**
   * Whatever the first attempt got is the answer of all later ones, also a refusal: its caller was told that the command had
   * no effect and never will. Only what the table itself refuses is not remembered: there is no place for it.
   */
  #executeOnce(request: NamedRequest, execute: () => PlainResult): CommandResult {
    const { requestId } = request;
    const name = requestName(requestId);
    const { requests } = this.#state;
    switch (requests.stateOf(name)) {
      case 'known':
        return this.#replay(request);
      case 'expired':
        return this.#refuse(because('request-expired', requests.forgottenTimeMs));
      case 'new': {
        const result = execute();
        this.#remember(request, result);
        return result;
      }
    }
  }

  #replay({ requestId, commandHash }: NamedRequest): CommandResult {
    const { commandHash: remembered, result } = this.#state.store.tables.readRequest(requestId);
    if (Buffer.compare(remembered, commandHash) !== 0) return this.#refuse(because('request-mismatch'));
    return { ...decodeResult(result), replayed: true };
  }

  #remember({ requestId: id, commandHash }: NamedRequest, result: PlainResult): void {
    const encoded = encodeResult(result);
    const at = this.#batch.facts.clockMs;
    this.#state.store.tables.insertRequest({ id, at, commandHash, result: encoded });
    this.#state.requests.remember(requestName(id), { at, resultBytes: encoded.length });
    this.#forget();
  }

  #forget(): void {
    const { facts } = this.#batch;
    if (!this.#state.requests.forget(facts.clockMs)) return;
    facts.forgottenRequest = Buffer.from(this.#state.requests.forgotten, 'latin1');
    this.#batch.hasForgotten = true;
  }

  #execute(command: PlainCommand, entry: Entry): PlainResult {
    const reason = this.#state.alarms.length === 0 ? undefined : this.#alarmAgainst(command);
    if (reason !== undefined) return this.#refuse(reason);
    const leases = (): LeaseContext => this.#leaseContext(entry);
    switch (command.kind) {
      case 'put':
        return this.#put(command, entry);
      case 'delete':
        return this.#delete(command);
      case 'txn':
        return this.#txn(command, entry);
      case 'lease-grant':
        return this.#resultOf(grantLease(command, leases()));
      case 'lease-revoke':
        return this.#resultOf(revokeLease(command, leases()));
      case 'lease-renew':
        return renewLeases(command, leases());
      case 'lease-expire':
        return expireLeases(command, leases());
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

  /** Which alarm forbids a command. */
  #alarmAgainst(command: PlainCommand): Reason | undefined {
    const takesSpace =
      command.kind === 'put' || command.kind === 'lease-grant' || (command.kind === 'txn' && mayPut(command));
    if (!changesNoData.has(command.kind) && hasAlarm(this.#state, 'corrupt')) return because('corrupt');
    return takesSpace && hasAlarm(this.#state, 'no-space', 'quota') ? because('no-space') : undefined;
  }

  #put(put: PutOperation, entry: Entry): PlainResult {
    const reason = reasonAgainstPut(put, this.#state);
    if (reason !== undefined) return this.#refuse(reason);
    if (grantsLease(put)) this.#grantFor(put, entry);
    const result = this.#writer.put(put);
    this.#writer.finish();
    return result;
  }

  #delete({ range, returnPrevious }: DeleteOperation): PlainResult {
    const result = this.#writer.delete(range, returnPrevious);
    this.#writer.finish();
    return result;
  }

  #txn(txn: TxnOperation, entry: Entry): PlainResult {
    if (touchesKeyTwice(txn)) return this.#refuse(because('duplicate-key'));
    const plan = planTxn(txn, this.#records);
    const reason = reasonAgainstPlan(plan, this.#state, this.#batch.facts);
    if (reason !== undefined) return this.#refuse(reason);
    const result = doPlan(plan, {
      put: (put) => {
        if (grantsLease(put)) this.#grantFor(put, entry);
        return this.#writer.put(put);
      },
      delete: (operation) => this.#writer.delete(operation.range, operation.returnPrevious),
      range: (range) => this.#records.select(range, this.#writer.revision),
      revision: () => this.#writer.revision,
    });
    this.#writer.finish();
    return result;
  }

  #grantFor({ lease, grantTtl }: PutOperation, entry: Entry): void {
    grantLease({ kind: 'lease-grant', id: lease, ttl: grantTtl }, this.#leaseContext(entry));
  }

  #compact({ revision }: CompactCommand): PlainResult {
    const { facts } = this.#batch;
    if (revision <= facts.compactRevision) return this.#refuse(because('compacted', facts.compactRevision));
    if (revision > facts.revision) return this.#refuse(because('future-revision', facts.revision));
    // The rows of the revision compacted to before are looked at once more: their deletions may go now.
    const end = { lastRow: facts.lastRow, lastRevision: facts.revision };
    const reviewed = this.#state.store.history.firstRowOf(facts.compactRevision, end) - 1;
    facts.sweptRow = Math.min(facts.sweptRow, reviewed);
    facts.compactRevision = revision;
    this.#batch.compacted(revision);
    return this.#done(true);
  }

  #advanceClock({ term, elapsedMs }: AdvanceClockCommand, entry: Entry): PlainResult {
    if (term !== entry.term || elapsedMs === 0) return this.#done(false);
    const { facts } = this.#batch;
    facts.clockMs += this.#state.leases.size === 0 ? elapsedMs : Math.min(elapsedMs, maxLeaseClockStepMs);
    this.#forget();
    return this.#done(true);
  }

  #alarm({ action, alarm, memberId }: AlarmCommand): PlainResult {
    const { alarms, store } = this.#state;
    if (action === 'clear') return this.#clearAlarms(clearedWith(alarm), memberId);
    if (alarms.some((each) => each.alarm === alarm && each.memberId === memberId)) return this.#done(false);
    store.tables.putAlarm({ alarm, memberId });
    this.#state.alarms = [...alarms, { alarm, memberId }].sort(byKindAndMember);
    return this.#done(true);
  }

  #clearAlarms(kinds: readonly AlarmKind[], memberId: bigint): PlainResult {
    const { alarms, store } = this.#state;
    const cleared = alarms.filter((each) => kinds.includes(each.alarm) && each.memberId === memberId);
    for (const each of cleared) store.tables.removeAlarm(each);
    this.#state.alarms = alarms.filter((each) => !cleared.includes(each));
    return this.#done(cleared.length > 0);
  }

  #configure({ quotaBytes }: ConfigureCommand): PlainResult {
    const { facts } = this.#batch;
    if (quotaBytes === undefined || quotaBytes === facts.quotaBytes) return this.#done(false);
    facts.quotaBytes = quotaBytes;
    return this.#done(true);
  }

  #leaseContext(entry: Entry): LeaseContext {
    return { leases: this.#state.leases, batch: this.#batch, writer: this.#writer, entry };
  }

  #resultOf(result: PlainResult | Reason): PlainResult {
    return 'kind' in result ? result : this.#refuse(result);
  }

  #done(changed: boolean): DoneResult {
    return { kind: 'done', revision: this.#batch.facts.revision, changed };
  }

  #refuse({ refusal, limit }: Reason): RefusedResult {
    return { kind: 'refused', revision: this.#batch.facts.revision, refusal, limit };
  }
}

/** Never forbidden. Holders of leases live on under an alarm: nothing of what they hold runs out because of it. */
const changesNoData: ReadonlySet<PlainCommand['kind']> = new Set([
  'alarm',
  'configure',
  'advance-clock',
  'lease-renew',
]);

/** Who clears what looks like the quota's alarm means that, too. */
function clearedWith(kind: AlarmKind): readonly AlarmKind[] {
  return kind === 'no-space' ? ['no-space', 'quota'] : [kind];
}

/** As they are stored. */
function byKindAndMember(a: Alarm, b: Alarm): number {
  if (a.alarm !== b.alarm) return a.alarm < b.alarm ? -1 : 1;
  return a.memberId < b.memberId ? -1 : 1;
}

/** What a repetition must be equal in. */
function hashOf(named: Uint8Array): Buffer {
  return hash('sha256', named, 'buffer').subarray(0, commandHashBytes);
}
