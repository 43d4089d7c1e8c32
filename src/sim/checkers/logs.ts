/** S2 a leader only appends, S3 logs match, S10 terms never fall, S15 nothing committed is removed, N3 not by a snapshot either. */
import type { Entry, LogPosition, Persist } from '../../raft';
import { check, type Checker } from './checker';
import { sameBytes, sameEntry, type History } from './history';
import type { MemberView } from './member-view';

/** The first sighting of an entry. */
interface Original {
  readonly entry: Entry;
  readonly termBefore: number;
}

/**
 * S3 by induction: if equal index and term always mean equal content and equal term of the entry before, then they mean
 * equal logs up to there. So each entry is looked at once, when it is handed out.
 */
export class LogChecker implements Checker {
  readonly names = ['S2', 'S3', 'S10', 'S15', 'N3'];
  truncations = 0;
  readonly #history: History;
  /** By index, then by term. */
  readonly #originals: Map<number, Original>[] = [];
  readonly #durableTerms = new Map<MemberView, number>();

  constructor(history: History) {
    this.#history = history;
  }

  given(member: MemberView, persist: Persist): void {
    const { snapshot } = persist;
    if (snapshot !== undefined) this.#checkReplacement(member, snapshot.last);
    this.#checkEntries(member, persist);
  }

  #checkEntries(member: MemberView, { entries, hardState, snapshot }: Persist): void {
    const [first] = entries;
    if (first === undefined) return;
    if (first.index <= member.log.lastIndex && snapshot === undefined) {
      this.#checkTruncation(member, first.index);
      // Who leads and removes has left its term in the same turn, and says so.
      const { seen, id } = member;
      const leads = seen?.role === 'leader' && (hardState?.term ?? seen.term) === seen.term;
      check(!leads, 'S2', () => `the leader ${id} removes its entry ${first.index}`);
    }
    let termBefore = snapshot === undefined ? member.log.termAt(first.index - 1) : snapshot.last.term;
    for (const entry of entries) {
      if (termBefore !== undefined) this.#checkMatch(member, entry, termBefore);
      termBefore = entry.term;
    }
  }

  durable(member: MemberView, { hardState }: Persist): void {
    const term = hardState?.term;
    if (term === undefined) return;
    const known = this.#durableTerms.get(member) ?? 0;
    check(term >= known, 'S10', () => `the durable term of ${member.id} falls from ${known} to ${term}`);
    this.#durableTerms.set(member, term);
  }

  /** N3: a snapshot brings the log forward, and takes nothing away that fits behind it. */
  #checkReplacement({ id, log, seen }: MemberView, { index, term }: LogPosition): void {
    const known = seen?.commitIndex ?? 0;
    check(
      index > known,
      'N3',
      () => `a snapshot up to ${index} replaces the log of ${id}, which has committed ${known}`,
    );
    const fits = log.termAt(index) === term && log.lastIndex > index;
    check(!fits, 'N3', () => `a snapshot up to ${index}:${term} removes what follows in the log of ${id}`);
  }

  #checkTruncation(member: MemberView, from: number): void {
    const { id, log, seen } = member;
    this.truncations++;
    check(from > (seen?.commitIndex ?? 0), 'S15', () => `${id} removes the entry ${from}, which it knew as committed`);
    const committed = this.#history.committedAt(from);
    const isCommitted = committed !== undefined && sameEntry(log.at(from), committed);
    check(!isCommitted, 'S15', () => `${id} removes the committed entry ${from}`);
  }

  #checkMatch(member: MemberView, entry: Entry, termBefore: number): void {
    const { index, term } = entry;
    check(term >= termBefore, 'S3', () => `terms fall along the log of ${member.id} at ${index}`);
    const byTerm = (this.#originals[index] ??= new Map<number, Original>());
    const original = byTerm.get(term);
    if (original === undefined) {
      byTerm.set(term, { entry, termBefore });
      return;
    }
    const isSame =
      original.entry === entry ||
      (original.entry.kind === entry.kind && sameBytes(original.entry.payload, entry.payload));
    const matches = isSame && original.termBefore === termBefore;
    check(matches, 'S3', () => `two logs hold ${index}:${term} and differ, one of them that of ${member.id}`);
  }
}
