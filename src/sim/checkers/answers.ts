/** What clients are told: K1 results, K2 and K3 reads that are not stale, K5 stale ones that never go back, D1 nothing lost. */
import { encodeCommand } from '../../kv/command-codec';
import type { CommandResult, KeyRecord } from '../../kv/result';
import { latin1, leaseText, recordText, resultText } from '../model/result-text';
import { select } from '../model/queries';
import type { Instant } from '../model/store';
import {
  everything,
  isStaleRead,
  type Answer,
  type Call,
  type Get,
  type LeaseAnswer,
  type List,
  type Mutation,
  type ReadAnswer,
  type RenewalAnswer,
  type Select,
} from '../workload/call';
import { check } from './checker';
import type { History } from './history';
import { nameOf, type ModelChecker } from './model';

/** What was known when a call was made: a read must see it. */
interface Horizon {
  readonly committed: number;
  readonly revision: number;
}

export class AnswerChecker {
  readonly names = ['D1', 'K1', 'K2', 'K3', 'K5', 'K7', 'K9', 'X1'];
  readonly #history: History;
  readonly #model: ModelChecker;
  readonly #horizons = new WeakMap<Call, Horizon>();
  /** The newest revision a client was told of by a call that is done. */
  #acknowledgedRevision = 1;
  /** The newest state that each life of a member has shown. */
  readonly #shown = new Map<string, number>();

  constructor(history: History, model: ModelChecker) {
    this.#history = history;
    this.#model = model;
  }

  invoked(call: Call): void {
    const committed = this.#history.committed.length;
    this.#horizons.set(call, { committed, revision: this.#acknowledgedRevision });
  }

  /**
   * A member gives an answer: it must be right, whether or not it arrives.
   *
   * @returns the index of the entry that it comes from; `undefined` for a read
   */
  answered(call: Call, answer: Answer, life: string): number | undefined {
    const { operation } = call;
    switch (operation.kind) {
      case 'mutation':
        return this.#checkResult(call, operation, answer as CommandResult);
      case 'renew':
        return this.#checkRenewal(call, operation.lease, answer as RenewalAnswer);
      case 'lease':
        this.#checkLease(operation.lease, answer as LeaseAnswer);
        break;
      case 'get':
      case 'list':
      case 'select':
        this.#checkRead(operation, answer as ReadAnswer);
    }
    if (isStaleRead(operation)) this.#checkStale(answer as ReadAnswer, life);
    else this.#checkFresh(call, answer as ReadAnswer);
    return undefined;
  }

  /** The whole store of a member, looked at from outside. */
  shown(answer: ReadAnswer): void {
    this.#checkRead(everything, answer);
  }

  returned(call: Call): void {
    const { operation, outcome, answer } = call;
    if (outcome === 'definite' && operation.kind === 'mutation' && operation.isUnique) {
      // Under a request id there may be other attempts.
      if (operation.requestId === undefined) this.#model.forbid(latin1(encodeCommand(operation)));
    }
    if (outcome !== 'ok' || answer === undefined || isStaleRead(operation)) return;
    this.#acknowledgedRevision = Math.max(this.#acknowledgedRevision, answer.revision);
  }

  /** It is what an entry gave that was committed after the call was made, and holds its command. */
  #checkResult(call: Call, operation: Mutation, answer: CommandResult): number | undefined {
    const since = this.#horizons.get(call)?.committed ?? 0;
    const doings = this.#model.doingsOf(latin1(encodeCommand(operation)), since);
    check(doings.length > 0, 'D1', () => `call ${call.id} is acknowledged, and its command is not committed`);
    const text = resultText(answer);
    const doing = doings.find((it) => it.text === text);
    check(doing !== undefined, nameOf(operation.command, answer), () => {
      return `call ${call.id} is answered ${text} instead of ${doings.map((it) => it.text).join(' or ')}`;
    });
    return doing.index;
  }

  #checkRenewal(call: Call, lease: bigint, { ttl, revision }: RenewalAnswer): number | undefined {
    const since = this.#horizons.get(call)?.committed ?? 0;
    // The last that may be the one: an earlier one may have renewed a lease that had the id before.
    for (let index = this.#model.lastIndex; index > since; index--) {
      for (const { command, result } of this.#model.outcomeAt(index).doings) {
        if (command.kind !== 'lease-renew' || !command.ids.includes(lease)) continue;
        if (result.kind !== 'lease' || result.revision !== revision) continue;
        const granted = result.leases.find(({ id }) => id === lease)?.ttl;
        if (granted === ttl || (granted !== undefined && ttl !== undefined && ttl < granted)) return index;
      }
    }
    check(false, 'E4', () => `call ${call.id} is told that lease ${lease} has ${ttl} s, which no renewal gave`);
  }

  #checkLease(lease: bigint, { appliedIndex, info, keys, remainingMs }: LeaseAnswer): void {
    const { leases, live } = this.#model.instantAt(appliedIndex);
    const expected = leases.get(lease);
    const isSame = (info && leaseText(info)) === (expected && leaseText(expected));
    check(isSame, 'E4', () => `lease ${lease} is shown wrongly after ${appliedIndex}`);
    const attached = [...live].filter(([, record]) => record.lease === lease).map(([key]) => key);
    check(keys.join() === attached.sort().join(), 'E6', () => `the keys of lease ${lease} are shown wrongly`);
    const isKnown = (remainingMs === undefined) === (expected === undefined);
    const isPossible = remainingMs === undefined || remainingMs <= (expected?.ttl ?? 0) * 1000;
    check(isKnown && isPossible, 'E3', () => `lease ${lease} is said to have ${remainingMs} ms left`);
  }

  /** Reads show the store exactly as it was after some entry, or at some revision. */
  #checkRead(operation: Get | List | Select, answer: ReadAnswer): void {
    const { appliedIndex, revision, found, refusal } = answer;
    const instant = this.#model.instantAt(appliedIndex);
    const isSame = revision === instant.revision;
    check(isSame, 'K1', () => `revision ${revision} is shown after entry ${appliedIndex}: ${instant.revision}`);
    const asked = operation.kind === 'select' ? operation.query.revision : operation.revision;
    const expectedRefusal = refusalAt(instant, asked);
    check(refusal === expectedRefusal, 'K7', () => {
      return `a read at ${asked} after ${appliedIndex} is refused with ${refusal} instead of ${expectedRefusal}`;
    });
    if (refusal !== undefined) return;
    const expected = this.#expected(operation, asked === 0 ? instant.revision : asked, answer);
    check(found.map(recordText).join() === expected.map(recordText).join(), asked === 0 ? 'K1' : 'K7', () => {
      return `a read at ${asked} after ${appliedIndex} shows ${found.map(recordText).join()} instead of ${expected.map(recordText).join()}`;
    });
  }

  #expected(operation: Get | List | Select, revision: number, { counts }: ReadAnswer): readonly KeyRecord[] {
    const live = this.#model.store.everAt(revision);
    switch (operation.kind) {
      case 'get':
        return [live.get(operation.key)].flatMap((record) => record ?? []);
      case 'list': {
        const { start, end } = operation;
        const names = [...live.keys()].filter((key) => key >= start && key < end);
        return names.sort().flatMap((key) => live.get(key) ?? []);
      }
      case 'select': {
        const { records, count, more } = select(live, operation.query, revision);
        check(counts?.count === count && counts.more === more, 'K9', () => `a range counts ${counts?.count}: ${count}`);
        return records;
      }
    }
  }

  #checkFresh(call: Call, { appliedIndex, revision }: ReadAnswer): void {
    const horizon = this.#horizons.get(call);
    if (horizon === undefined) return;
    check(revision >= horizon.revision, 'K2', () => {
      return `a read shows revision ${revision}, and ${horizon.revision} was acknowledged before it began`;
    });
    check(appliedIndex >= horizon.committed, 'K3', () => {
      return `a read shows the state after ${appliedIndex}, and ${horizon.committed} was committed before it began`;
    });
  }

  #checkStale({ appliedIndex }: ReadAnswer, life: string): void {
    const shown = this.#shown.get(life) ?? 0;
    check(appliedIndex >= shown, 'K5', () => `${life} shows the state after ${appliedIndex}, and earlier ${shown}`);
    this.#shown.set(life, appliedIndex);
  }
}

function refusalAt({ revision, compactRevision }: Instant, asked: number): ReadAnswer['refusal'] {
  if (asked === 0) return undefined;
  if (asked > revision) return 'future-revision';
  return asked < compactRevision ? 'compacted' : undefined;
}
