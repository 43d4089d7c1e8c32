/** What clients are told: K1 results, K2 and K3 reads that are not stale, K5 stale ones that never go back, D1 nothing lost. */
import type { DeleteResult, PutResult } from '../../kv/result';
import { everything, type Answer, type Call, type Operation, type ReadAnswer } from '../workload/call';
import { check } from './checker';
import type { History } from './history';
import type { ModelChecker } from './model';

/** What was known when a call was made: a read must see it. */
interface Horizon {
  readonly committed: number;
  readonly revision: number;
}

export class AnswerChecker {
  readonly names = ['D1', 'K1', 'K2', 'K3', 'K5'];
  readonly #history: History;
  readonly #model: ModelChecker;
  readonly #horizons = new WeakMap<Call, Horizon>();
  /** The newest revision a client was told of by a mutation that is done. */
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

  /** A member gives an answer: it must be right, whether or not it arrives. */
  answered(call: Call, answer: Answer, life: string): void {
    const { operation } = call;
    switch (answer.kind) {
      case 'put':
        this.#checkPut(call, answer);
        return;
      case 'delete':
        this.#checkDelete(call, answer);
        return;
      case 'read':
        this.#checkRead(operation, answer);
        if ('stale' in operation && operation.stale) this.#checkStale(answer, life);
        else this.#checkFresh(call, answer);
    }
  }

  /** The whole store of a member, looked at from outside. */
  shown(answer: ReadAnswer): void {
    this.#checkRead(everything, answer);
  }

  returned(call: Call): void {
    const { operation, outcome, answer } = call;
    if (outcome === 'definite' && operation.kind === 'put') this.#model.forbid(operation.value);
    if (outcome !== 'ok' || answer === undefined || answer.kind === 'read') return;
    this.#acknowledgedRevision = Math.max(this.#acknowledgedRevision, answer.revision);
  }

  #checkPut({ operation }: Call, { revision, createRevision, version }: PutResult): void {
    if (operation.kind !== 'put') return;
    const { key, value } = operation;
    const mutation = this.#model.mutationOf(revision);
    const isThere = mutation?.kind === 'put' && mutation.key === key && mutation.value === value;
    check(isThere, 'D1', () => `the put of ${value} is acknowledged at revision ${revision}, and not there`);
    const record = this.#model.atRevision(revision, key);
    const isSame = record?.createRevision === createRevision && record.version === version;
    check(isSame, 'K1', () => `the put of ${value} has another version or creation than the order of commits gives`);
  }

  #checkDelete({ operation }: Call, { revision, deleted }: DeleteResult): void {
    if (operation.kind !== 'delete') return;
    const { key } = operation;
    const mutation = this.#model.mutationOf(revision);
    const isRight = deleted > 0
      ? mutation?.kind === 'delete' && mutation.key === key
      : this.#model.atRevision(revision, key) === undefined;
    check(isRight, deleted > 0 ? 'D1' : 'K1', () => `a delete of ${key} is answered wrongly at revision ${revision}`);
  }

  /** Reads show the store exactly as it was after some entry. */
  #checkRead(operation: Operation, { appliedIndex, revision, found }: ReadAnswer): void {
    const model = this.#model;
    const expected = model.revisionAt(appliedIndex);
    check(revision === expected, 'K1', () => `revision ${revision} is shown after entry ${appliedIndex}: ${expected}`);
    const keys = this.#keysOf(operation).filter((key) => model.at(appliedIndex, key) !== undefined);
    check(keys.length === found.length, 'K1', () => `a read after ${appliedIndex} shows ${found.length} keys`);
    keys.forEach((key, at) => {
      const [record, shown] = [model.at(appliedIndex, key), found[at]];
      const isSame =
        shown?.key === key &&
        shown.value === record?.value &&
        shown.createRevision === record.createRevision &&
        shown.modRevision === record.modRevision &&
        shown.version === record.version;
      check(isSame, 'K1', () => `a read after ${appliedIndex} shows ${key} wrongly`);
    });
  }

  #keysOf(operation: Operation): readonly string[] {
    if (operation.kind !== 'list') return [operation.key];
    const { start, end } = operation;
    return this.#model.keys().filter((key) => key >= start && key < end);
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
