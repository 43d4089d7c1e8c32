/** K4 at its root: while a leader would answer reads under its lease, nobody leads in a later term (thesis §6.4.1). */
import { check, type Checker } from './checker';
import type { History } from './history';
import type { MemberView } from './member-view';

export class ReadLeaseChecker implements Checker {
  readonly names = ['K4'];
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  /** Whichever of two leaders has had a turn, the elder of them must have no lease. */
  turned(member: MemberView): void {
    const term = termOf(member);
    if (term === undefined) return;
    for (const other of this.#history.members.values()) {
      const otherTerm = termOf(other);
      if (otherTerm === undefined || otherTerm === term) continue;
      const [elder, younger] = otherTerm < term ? [other, member] : [member, other];
      check(!elder.holdsReadLease, 'K4', () => {
        return `${elder.id} would read under the lease of its term ${termOf(elder)}, and ${younger.id} leads in ${termOf(younger)}`;
      });
    }
  }
}

/** The term in which it leads. */
function termOf({ seen }: MemberView): number | undefined {
  return seen?.role === 'leader' ? seen.term : undefined;
}
