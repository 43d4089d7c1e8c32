/** S6 commit grows, S7 only a leader's own durable entries are counted, S13 they stay on a quorum, S14 all agree. */
import type { Entry, LogPosition, Persist } from '../../raft';
import { check, type Checker } from './checker';
import { isHeldDurably, sameEntry, type History } from './history';
import type { MemberView } from './member-view';

export class CommitChecker implements Checker {
  readonly names = ['S6', 'S7', 'S13', 'S14'];
  readonly #history: History;
  readonly #announce: (entry: Entry) => void;

  /** @param announce told of every entry that is committed for the first time */
  constructor(history: History, announce: (entry: Entry) => void) {
    this.#history = history;
    this.#announce = announce;
  }

  turned(member: MemberView): void {
    const { seen, before, id } = member;
    if (seen === undefined) return;
    const { commitIndex, appliedIndex, lastIndex } = seen;
    check(appliedIndex <= commitIndex, 'S6', () => `${id} applies ${appliedIndex} and knows ${commitIndex} committed`);
    check(commitIndex <= lastIndex, 'S6', () => `${id} knows ${commitIndex} committed and holds ${lastIndex}`);
    const known = before?.commitIndex ?? 0;
    check(commitIndex >= known, 'S6', () => `the commit index of ${id} falls from ${known} to ${commitIndex}`);
    if (commitIndex > known) this.#advance(member, known, commitIndex);
  }

  started(member: MemberView): void {
    this.#checkBeginning(member, member.disk.lastRemoved);
  }

  given(member: MemberView, { snapshot }: Persist): void {
    if (snapshot !== undefined) this.#checkBeginning(member, snapshot.last);
  }

  durable(member: MemberView, { entries }: Persist): void {
    const [first] = entries;
    if (first === undefined) return;
    const committed = this.#history.committedAt(first.index);
    if (committed === undefined || sameEntry(first, committed)) return;
    this.#checkNothingLost(committed, () => `once ${member.id} replaced it`);
  }

  /** What is not in the log any more was committed, and is what the others committed there. */
  #checkBeginning({ id }: MemberView, { index, term }: LogPosition): void {
    if (index === 0) return;
    const agreed = this.#history.committedAt(index);
    check(agreed?.term === term, 'S14', () => `the log of ${id} begins after ${index}:${term}, which is not committed`);
  }

  #checkNothingLost(committed: Entry, when: () => string): void {
    const { configuration } = this.#history;
    const isSafe = this.#history.isInEveryQuorum(configuration, (member) => isHeldDurably(member, committed));
    check(isSafe, 'S13', () => `the committed entry ${committed.index} is not in every quorum ${when()}`);
  }

  #advance(member: MemberView, known: number, commitIndex: number): void {
    const { committed } = this.#history;
    for (let index = known + 1; index <= commitIndex; index++) {
      const agreed = committed[index - 1]?.entry;
      if (agreed === undefined) {
        this.#recordCommits(member, index, commitIndex);
        return;
      }
      const isSame = sameEntry(member.log.at(index), agreed) || member.log.at(index) === undefined;
      check(isSame, 'S14', () => `${member.id} commits another entry at ${index} than the others`);
    }
  }

  /** S7, judged for the newest of the entries: by S3 those before it are where it is. */
  #recordCommits(member: MemberView, from: number, to: number): void {
    const { seen, before, log, id } = member;
    const leader = seen?.role === 'leader' ? seen : before;
    check(leader?.role === 'leader', 'S7', () => `${id} commits ${to} first and leads nobody`);
    const newest = log.at(to);
    const isOwn = newest?.term === leader.term;
    check(isOwn, 'S7', () => `the leader ${id} of ${leader.term} counts for the entry ${to} of ${newest?.term}`);
    for (let index = from; index <= to; index++) {
      const entry = log.at(index);
      if (entry === undefined) continue;
      this.#history.committed.push({ entry, term: leader.term });
      this.#announce(entry);
    }
    // What was appended in the same turn was not yet in force when the votes were counted.
    const inForce = log.configurations.filter(({ index }, at, all) => index > to || all.length - 1 === at);
    const earlier = log.configurations.findLast(({ index }) => index <= to);
    const isDurable = [...inForce, ...(earlier === undefined ? [] : [earlier])].some(({ configuration }) =>
      this.#history.isQuorum(configuration, (one) => one.isDead || isHeldDurably(one, newest)),
    );
    check(isDurable, 'S7', () => `${id} commits ${to}, which is durable on no quorum of its configuration`);
    this.#checkNothingLost(newest, () => `when ${id} commits it`);
  }
}
