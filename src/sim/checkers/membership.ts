/** M1 to M8: how the members change. */
import { allMembers, isJoint, isMember, isVoter, reachedByQuorum, sameConfiguration } from '../../raft';
import type { Configuration, ConfigurationAt, Entry, MemberId, Persist } from '../../raft';
import type { PeerMessage } from '../../transport/transport';
import { check, type Checker } from './checker';
import type { History } from './history';
import { configurationOf, type MemberView } from './member-view';

export class MembershipChecker implements Checker {
  readonly names = ['D2', 'L7', 'M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M7', 'M8'];
  /** Configurations that were committed, and the joint ones among them. */
  configurations = 0;
  joint = 0;
  readonly #history: History;
  readonly #maxPromotionLag: number;
  readonly #formerMembers = new Set<MemberId>();
  readonly #forbidden = new Set<MemberId>();

  constructor(history: History, { maxPromotionLag }: { readonly maxPromotionLag: number }) {
    this.#history = history;
    this.#maxPromotionLag = maxPromotionLag;
  }

  /** An operator was told that this member was surely not added. */
  forbid(id: MemberId): void {
    this.#forbidden.add(id);
    const isThere = allMembers(this.#history.configuration).includes(id);
    check(!isThere, 'D2', () => `${id} is a member, and its operator was told that it is not`);
  }

  /** What a leader adds to its own log. */
  given(member: MemberView, { entries }: Persist): void {
    const { seen } = member;
    if (seen?.role !== 'leader') return;
    let before = member.log.configuration;
    for (const entry of entries) {
      if (entry.kind !== 'configuration' || entry.term !== seen.term) continue;
      const next = configurationOf(entry);
      this.#checkOwn(member, before, next);
      before = next;
    }
  }

  turned({ id, log, seen }: MemberView): void {
    if (seen?.role !== 'leader') return;
    const { index, configuration } = log.configuration;
    const hasLeft = index <= seen.commitIndex && !isVoter(configuration, id);
    check(!hasLeft, 'M5', () => `${id} leads in term ${seen.term} although its removal is committed`);
  }

  sent({ id, log }: MemberView, to: MemberId, message: PeerMessage): void {
    // One that votes no more asks the best it knows: what it alone holds decides nothing.
    const asksAsVoter = message.kind === 'timeout-now' && isVoter(log.configuration.configuration, id);
    if (asksAsVoter) this.#checkSuccessor(id, to, log.lastIndex);
    if (message.kind !== 'request-vote') return;
    // A message may have waited for the disk, and the configuration may have come meanwhile.
    const mayVote = log.configurations.slice(-2).some(({ configuration }) => isVoter(configuration, id));
    check(mayVote, 'M6', () => `${id} wants to be elected and does not vote itself`);
  }

  committed(entry: Entry): void {
    if (entry.kind !== 'configuration') return;
    const next = configurationOf(entry);
    const { configuration } = next;
    const before = this.#history.configuration;
    this.configurations++;
    if (isJoint(configuration)) this.joint++;
    check(quorumsMeet(before, configuration), 'M4', () => `quorums before and after entry ${entry.index} do not meet`);
    for (const id of allMembers(configuration)) {
      check(!this.#formerMembers.has(id), 'M7', () => `${id} was a member before, and is one again`);
      check(!this.#forbidden.has(id), 'D2', () => `${id} becomes a member after its operator was told that it is none`);
    }
    for (const id of allMembers(before)) if (!isMember(configuration, id)) this.#formerMembers.add(id);
    this.#history.configurations.push(next);
  }

  /** M2: what a member goes by is the latest configuration of its log. */
  looked({ id, log }: MemberView, inForce: readonly MemberId[]): void {
    const expected = allMembers(log.configuration.configuration);
    const isSame = inForce.length === expected.length && expected.every((member) => inForce.includes(member));
    check(
      isSame,
      'M2',
      () => `${id} goes by the members ${inForce.join(' ')}, and its log names ${expected.join(' ')}`,
    );
  }

  #checkOwn(member: MemberView, before: ConfigurationAt, next: ConfigurationAt): void {
    const { id, log, seen } = member;
    const commitIndex = seen?.commitIndex ?? 0;
    const term = seen?.term ?? 0;
    // The turn that appends may be the one that commits what was before: what counts is what is durable by now.
    const isSettled = before.index <= commitIndex || this.#isOnQuorum(before, before.index, log.termAt(before.index));
    check(isSettled, 'M1', () => `${id} changes the members at ${next.index}, and ${before.index} is not committed`);
    const newest = Math.max(commitIndex, before.index);
    const hasOwn = log.termAt(newest) === term || this.#hasOwnOnQuorum(member, before, term);
    check(hasOwn, 'M3', () => `${id} changes the members before it has committed an entry of term ${term}`);
    const { configuration } = next;
    if (isJoint(before.configuration) || sameConfiguration(before.configuration, configuration)) return;
    for (const learner of before.configuration.learners) {
      if (configuration.voters.includes(learner)) this.#checkPromotion(learner, commitIndex);
    }
  }

  /** M8: a member that is to vote has nearly everything on its disk. */
  #checkPromotion(learner: MemberId, commitIndex: number): void {
    const member = this.#history.members.get(learner);
    const lacks = commitIndex - (member?.disk.lastIndex ?? 0);
    // What it acknowledged may have been lost with its disk since, before anybody could know (seed 13000569).
    const isReady = lacks <= this.#maxPromotionLag || member?.isDead === true;
    check(isReady, 'M8', () => `the learner ${learner} is promoted and lacks ${lacks} committed entries`);
  }

  /** Thesis §3.10: who is asked to take over has the whole log, or it could not win. */
  #checkSuccessor(id: MemberId, to: MemberId, lastIndex: number): void {
    const successor = this.#history.members.get(to);
    const has = successor?.disk.lastIndex ?? 0;
    check(
      has >= lastIndex || successor?.isDead === true,
      'L7',
      () => `${id} asks ${to} to take over, which lacks ${lastIndex - has} entries`,
    );
  }

  #hasOwnOnQuorum({ log }: MemberView, { configuration }: ConfigurationAt, term: number): boolean {
    const isOwn = (index: number): boolean => log.termAt(index) === term;
    return this.#history.isQuorum(configuration, ({ disk }) => {
      const index = Math.min(disk.lastIndex, log.lastIndex);
      return isOwn(index) && (disk.entryAt(index)?.term ?? disk.lastRemoved.term) === term;
    });
  }

  #isOnQuorum({ configuration }: ConfigurationAt, index: number, term: number | undefined): boolean {
    return this.#history.isQuorum(configuration, ({ disk }) => {
      return index <= disk.lastRemoved.index || disk.entryAt(index)?.term === term;
    });
  }
}

/** By trying every set of members: none is a quorum of the one while the rest holds a quorum of the other. */
export function quorumsMeet(one: Configuration, other: Configuration): boolean {
  const everybody = [...new Set([...allMembers(one), ...allMembers(other)])];
  for (let set = 0; set < 1 << everybody.length; set++) {
    const isIn = (member: MemberId): boolean => ((set >> everybody.indexOf(member)) & 1) === 1;
    const isQuorum = reachedByQuorum(one, (member) => (isIn(member) ? 1 : 0)) === 1;
    if (isQuorum && reachedByQuorum(other, (member) => (isIn(member) ? 0 : 1)) === 1) return false;
  }
  return true;
}
