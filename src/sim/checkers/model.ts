/** Every committed entry on the model: what each member's state machine, and each client, must be told. */
import { commandOf, proposalOverheadBytes } from '../../node/proposal-codec';
import { decodeEntry, encodeCommand } from '../../kv/command-codec';
import type { PlainCommand } from '../../kv/command';
import type { CommandResult } from '../../kv/result';
import type { Entry } from '../../raft';
import { latin1, resultText, type ResultTexts } from '../model/result-text';
import { ModelStore, type Instant } from '../model/store';
import type { Memory } from '../model/requests';
import { check, type Checker } from './checker';
import type { MemberView } from './member-view';

/** A command of a committed entry, and what it came to. */
export interface Doing {
  readonly command: PlainCommand;
  readonly result: CommandResult;
  /** The result as text. */
  readonly text: string;
}

/** What a committed entry came to. */
export interface Outcome {
  /** In their order; none for what is no command. */
  readonly doings: readonly Doing[];
  /** The store afterwards. */
  readonly after: Instant;
}

/** Where a command stands: the entry, and the command's place among those of the entry. */
interface Place {
  readonly index: number;
  readonly at: number;
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
  readonly #places = new Map<string, Place[]>();
  readonly #forbidden = new Set<string>();

  constructor(memory: Memory) {
    this.store = new ModelStore(memory);
  }

  get lastIndex(): number {
    return this.#outcomes.length;
  }

  committed(entry: Entry): void {
    this.#outcomes.push({ doings: entry.kind === 'command' ? this.#do(entry) : [], after: this.store.instant });
  }

  /** A member's results are those of the model. */
  applied({ id }: MemberView, entries: readonly Entry[], results: readonly ResultTexts[]): void {
    entries.forEach(({ index }, at) => {
      const { doings } = this.outcomeAt(index);
      const given = results[at] ?? [];
      doings.forEach(({ command, result, text }, nth) => {
        if (given[nth] === text) return;
        check(false, nameOf(command, result), () => `entry ${index} gives ${text}, and on ${id} ${given[nth]}`);
      });
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

  /** What a command came to wherever it stands after entry `since`, by its bytes; in the order of the log. */
  doingsOf(command: string, since: number): readonly (Doing & { readonly index: number })[] {
    const places = this.#places.get(command) ?? [];
    return places.filter(({ index }) => index > since).map(({ index, at }) => ({ index, ...this.#doingAt(index, at) }));
  }

  #do(entry: Entry): readonly Doing[] {
    const proposal = latin1(entry.payload.subarray(0, proposalOverheadBytes));
    check(!this.#proposals.has(proposal), 'D3', () => `entry ${entry.index} repeats a proposal`);
    this.#proposals.add(proposal);
    const decoded = decodeEntry(commandOf(entry.payload));
    const commands = 'requestId' in decoded ? [decoded] : decoded;
    return commands.map(({ requestId, command }, at) => {
      const bytes = latin1(encodeCommand({ requestId, command }));
      this.#note(bytes, { index: entry.index, at });
      const result = this.store.apply(entry, { requestId, command }, bytes);
      return { command, result, text: resultText(result) };
    });
  }

  #doingAt(index: number, at: number): Doing {
    const doing = this.outcomeAt(index).doings[at];
    if (doing === undefined) throw new Error(`entry ${index} has a command ${at}`);
    return doing;
  }

  #note(command: string, place: Place): void {
    check(!this.#forbidden.has(command), 'D2', () => `entry ${place.index} holds what its client was told is not done`);
    const places = this.#places.get(command);
    if (places === undefined) this.#places.set(command, [place]);
    else places.push(place);
  }
}

const start: Instant = { revision: 1, compactRevision: 0, live: new Map(), leases: new Map() };

/** The invariant that suffers when a result is wrong. */
export function nameOf({ kind }: PlainCommand, result: CommandResult): string {
  if (result.replayed === true) return 'X1';
  if (result.kind === 'refused' && result.refusal === 'request-expired') return 'X3';
  if (result.kind === 'refused' && result.refusal === 'request-mismatch') return 'X1';
  if (kind === 'put' && result.kind === 'refused' && result.refusal === 'lease-not-found') return 'E6';
  return names[kind];
}
