/** L5: a leader that hears from no quorum for an election timeout steps down. */
import { allMembers, type MemberId } from '../../raft';
import type { PeerMessage } from '../../transport/transport';
import { check, type Checker } from './checker';
import type { History } from './history';
import type { MemberView } from './member-view';

/** What a leader has heard, on its own clock. */
interface Heard {
  readonly term: number;
  readonly since: number;
  readonly at: Map<MemberId, number>;
  /** Who was heard since the last turn: a turn makes it known to the core. */
  readonly waiting: Set<MemberId>;
}

/** A turn may wait for others, and a timer fires a little late. */
const slackMs = 250;

export class ContactChecker implements Checker {
  readonly names = ['L5'];
  readonly #history: History;
  readonly #electionTimeoutMs: number;
  readonly #heard = new Map<MemberId, Heard>();

  constructor(history: History, { electionTimeoutMs }: { readonly electionTimeoutMs: number }) {
    this.#history = history;
    this.#electionTimeoutMs = electionTimeoutMs;
  }

  started(member: MemberView): void {
    this.#heard.delete(member.id);
  }

  received(member: MemberView, from: MemberId, message: PeerMessage): void {
    const heard = this.#heard.get(member.id);
    if (message.kind === 'append-entries-response' && message.term === heard?.term) heard.waiting.add(from);
  }

  turned(member: MemberView): void {
    const { seen, id } = member;
    if (seen?.role !== 'leader') {
      this.#heard.delete(id);
      return;
    }
    const now = member.now();
    let heard = this.#heard.get(id);
    if (heard?.term !== seen.term) {
      heard = { term: seen.term, since: now, at: new Map(), waiting: new Set() };
      this.#heard.set(id, heard);
    }
    // Who has just become a member is given its time from then on.
    for (const peer of allMembers(member.log.configuration.configuration)) {
      if (!heard.at.has(peer)) heard.at.set(peer, now);
    }
    for (const id of heard.waiting) heard.at.set(id, now);
    heard.waiting.clear();
    this.#check(member, heard);
  }

  /** Asked from time to time: a leader that does nothing at all has no turns. */
  look(member: MemberView): void {
    const heard = this.#heard.get(member.id);
    if (heard !== undefined) this.#check(member, heard);
  }

  #check(member: MemberView, { term, since, at }: Heard): void {
    // Who has just woken up hears first what waited, and looks at the time then.
    if (member.steadyMs() < slackMs) return;
    const oldest = member.now() - this.#electionTimeoutMs - slackMs;
    if (since >= oldest) return;
    const { configuration } = member.log.configuration;
    const isRecent = (id: MemberId): boolean => (at.get(id) ?? since) >= oldest;
    const isHeard = this.#history.isQuorum(configuration, ({ id }) => id === member.id || isRecent(id));
    check(isHeard, 'L5', () => `${member.id} leads in term ${term} and has not heard from a quorum`);
  }
}
