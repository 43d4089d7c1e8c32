/** S5 everybody applies the same entries in order, N5 with the same results. */
import type { ResultTexts } from '../model/result-text';
import type { Entry, LogPosition, MemberId } from '../../raft';
import { commandOf } from '../../node/proposal-codec';
import { check, type Checker } from './checker';
import { sameBytes, type History } from './history';
import type { MemberView } from './member-view';

export class ApplyChecker implements Checker {
  readonly names = ['S5', 'S8', 'N3', 'N5'];
  entries = 0;
  readonly #history: History;
  /** What applying an entry gave the first time, by index. */
  readonly #results: string[] = [];
  readonly #appliedIndexes = new Map<MemberId, number>();

  constructor(history: History) {
    this.#history = history;
  }

  /** A life begins with a state machine that has applied so much. */
  restarted(id: MemberId, appliedIndex: number): void {
    this.#appliedIndexes.set(id, appliedIndex);
  }

  applied(member: MemberView, entries: readonly Entry[], results: readonly ResultTexts[]): void {
    let last = this.#appliedIndexes.get(member.id) ?? 0;
    entries.forEach((entry, at) => {
      check(entry.index === last + 1, 'S5', () => `${member.id} applies ${entry.index} after ${last}`);
      last = entry.index;
      this.#checkEntry(member, entry);
      const result = results[at]?.join('; ') ?? '';
      const first = (this.#results[entry.index] ??= result);
      check(first === result, 'N5', () => `applying ${entry.index} gives ${first}, and on ${member.id} ${result}`);
    });
    this.#appliedIndexes.set(member.id, last);
    this.entries += entries.length;
  }

  /** S5, N3: a snapshot stands for what is committed, and brings the state forward. */
  installed({ id }: MemberView, { index, term }: LogPosition): void {
    const last = this.#appliedIndexes.get(id) ?? 0;
    check(index > last, 'N3', () => `a snapshot moves the state of ${id} from ${last} to ${index}`);
    const agreed = this.#history.committedAt(index);
    check(agreed?.term === term, 'S5', () => `a snapshot on ${id} ends at ${index}:${term}, which is not committed`);
    this.#appliedIndexes.set(id, index);
  }

  #checkEntry(member: MemberView, entry: Entry): void {
    const agreed = this.#history.committedAt(entry.index);
    check(agreed !== undefined, 'S5', () => `${member.id} applies ${entry.index}, which is not committed`);
    const payload = agreed.kind === 'command' ? commandOf(agreed.payload) : agreed.payload;
    const isSame = agreed.term === entry.term && agreed.kind === entry.kind && sameBytes(payload, entry.payload);
    check(entry.index <= member.disk.lastIndex, 'S8', () => `${member.id} applies ${entry.index}, not on its own disk`);
    check(isSame, 'S5', () => `${member.id} applies another entry at ${entry.index} than was committed`);
  }
}
