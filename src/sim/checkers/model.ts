/** Every committed entry on the model: what each member's state machine, and each client, must be told. */
import { commandOf } from '../../node/proposal-codec';
import { decodeCommand } from '../../kv/command-codec';
import type { PlainCommand } from '../../kv/command';
import type { Result } from '../../kv/result';
import type { Entry } from '../../raft';
import { latin1, resultText } from '../model/result-text';
import { ModelStore, type Instant } from '../model/store';
import type { Memory } from '../model/requests';
import { check, type Checker } from './checker';
import type { MemberView } from './member-view';

/** What a committed entry came to. */
export interface Outcome {
  readonly command: PlainCommand | undefined;
  readonly result: Result | undefined;
  /** As text; empty for what is no command. */
  readonly text: string;
  /** The store afterwards. */
  readonly after: Instant;
}

/** Invariants by what breaks them: a member's result is another than the order of commits gives. */
const names: Readonly<Record<PlainCommand['kind'], string>> = {
  put: 'K1',
  delete: 'K1',
  txn: 'K6',
  compact: 'K8',
  'lease-grant': 'E6',
  'lease-revoke': 'E4',
  'lease-renew': 'E4',
  'lease-expire': 'E2',
  'advance-clock': 'E5',
  alarm: 'K1',
  configure: 'K1',
};

export class ModelChecker implements Checker {
  readonly names = ['D2', 'D3', 'K1', 'K6', 'K8', 'E2', 'E4', 'E5', 'E6', 'X1', 'X3'];
  readonly store: ModelStore;
  /** By index - 1. */
  readonly #outcomes: Outcome[] = [];
  readonly #proposals = new Set<string>();
  /** Where each command stands in the log, by its bytes. */
  readonly #places = new Map<string, number[]>();
  readonly #forbidden = new Set<string>();

  constructor(memory: Memory) {
    this.store = new ModelStore(memory);
  }

  get lastIndex(): number {
    return this.#outcomes.length;
  }

  committed(entry: Entry): void {
    if (entry.kind !== 'command') {
      this.#outcomes.push({ command: undefined, result: undefined, text: '', after: this.store.instant });
      return;
    }
    const proposal = latin1(entry.payload.subarray(0, 16));
    check(!this.#proposals.has(proposal), 'D3', () => `entry ${entry.index} repeats a proposal`);
    this.#proposals.add(proposal);
    const payload = commandOf(entry.payload);
    this.#note(latin1(payload), entry.index);
    const result = this.store.apply(entry, payload);
    const { command } = decodeCommand(payload);
    this.#outcomes.push({ command, result, text: resultText(result), after: this.store.instant });
  }

  /** A member's results are those of the model. */
  applied({ id }: MemberView, entries: readonly Entry[], results: readonly string[]): void {
    entries.forEach(({ index }, at) => {
      const { command, result, text } = this.outcomeAt(index);
      const given = results[at];
      if (given === text || command === undefined || result === undefined) return;
      check(false, nameOf(command, result), () => `entry ${index} gives ${text}, and on ${id} ${given}`);
    });
  }

  /** A client was told that this command, which no other call has, was surely not done. */
  forbid(command: string): void {
    this.#forbidden.add(command);
    check(!this.#places.has(command), 'D2', () => `a command was committed, and its client told that it was not done`);
  }

  outcomeAt(index: number): Outcome {
    const outcome = this.#outcomes[index - 1];
    if (outcome === undefined) throw new Error(`entry ${index} is committed`);
    return outcome;
  }

  /** The store after entry `index`. */
  instantAt(index: number): Instant {
    return index === 0 ? start : this.outcomeAt(index).after;
  }

  /** The indexes at which a command stands, by its bytes; ascending. */
  placesOf(command: string): readonly number[] {
    return this.#places.get(command) ?? [];
  }

  #note(command: string, index: number): void {
    check(!this.#forbidden.has(command), 'D2', () => `entry ${index} holds what its client was told is not done`);
    const places = this.#places.get(command);
    if (places === undefined) this.#places.set(command, [index]);
    else places.push(index);
  }
}

const start: Instant = { revision: 1, compactRevision: 0, live: new Map(), leases: new Map() };

/** The invariant that suffers when a result is wrong. */
export function nameOf({ kind }: PlainCommand, result: Result): string {
  if (result.replayed === true) return 'X1';
  if (result.kind === 'refused' && result.refusal === 'request-expired') return 'X3';
  if (result.kind === 'refused' && result.refusal === 'request-mismatch') return 'X1';
  if (kind === 'put' && result.kind === 'refused' && result.refusal === 'lease-not-found') return 'E6';
  return names[kind];
}
