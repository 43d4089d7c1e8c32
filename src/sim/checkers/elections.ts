/** S1 one leader in a term, S4 it holds what was committed before, S9 one vote, S11 only to the up-to-date, S12 pre-votes change nothing. */
import type { LogPosition, MemberId, Persist, RequestVote, RequestVoteResponse } from '../../raft';
import type { PeerMessage, SnapshotOffer } from '../../transport/transport';
import { check, type Checker } from './checker';
import { sameEntry, type History } from './history';
import type { MemberView } from './member-view';

/** A request for a vote, when it came, on the receiver's clock, and what the receiver's log was then. */
interface Asked {
  readonly request: RequestVote;
  readonly at: number;
  readonly last: LogPosition;
}

interface Contact {
  readonly leader: MemberId;
  readonly term: number;
}

/** What one member has heard of elections in its present life, or said of them in any. */
interface Heard {
  /** The highest term in anything but requests for votes. */
  term: number;
  /** Every request, by candidate, kind and term. An answer may have waited for the disk, so any of them may be meant. */
  readonly requests: Map<string, Asked[]>;
  /** The highest term of a request for a real vote. */
  askedTerm: number;
  /** Who granted a pre-vote, by the term asked about. */
  readonly preVotes: Map<number, Set<MemberId>>;
  /** When the leader of this term was last heard, on the member's clock as of the turn that handled it. */
  contact: (Contact & { readonly at: number }) | undefined;
  /** The same, heard since the last turn. */
  newContact: Contact | undefined;
}

export interface ElectionRules {
  readonly electionTimeoutMs: number;
}

export class ElectionChecker implements Checker {
  readonly names = ['S1', 'S4', 'S9', 'S11', 'S12'];
  elections = 0;
  readonly #history: History;
  readonly #rules: ElectionRules;
  readonly #votes = new Map<string, MemberId>();
  readonly #heard = new Map<MemberId, Heard>();

  constructor(history: History, rules: ElectionRules) {
    this.#history = history;
    this.#rules = rules;
  }

  started(member: MemberView): void {
    this.#heard.set(member.id, {
      term: 0,
      requests: new Map(),
      askedTerm: 0,
      preVotes: new Map(),
      contact: undefined,
      newContact: undefined,
    });
  }

  durable(member: MemberView, { hardState }: Persist): void {
    if (hardState === undefined) return;
    const { term, votedFor } = hardState;
    const key = `${member.id} in ${term}`;
    const earlier = this.#votes.get(key);
    check(earlier === undefined || earlier === votedFor, 'S9', () => `${key} voted for ${earlier} and ${votedFor}`);
    if (votedFor !== undefined) this.#votes.set(key, votedFor);
  }

  received(member: MemberView, from: MemberId, message: PeerMessage): void {
    const heard = this.#of(member);
    switch (message.kind) {
      case 'request-vote':
        hearRequest(member, heard, { from, request: message });
        if (!message.preVote) heard.askedTerm = Math.max(heard.askedTerm, message.term);
        return;
      case 'request-vote-response':
        this.#hearAnswer(heard, from, message);
        return;
      case 'append-entries':
        if (message.term >= (heard.newContact?.term ?? 0)) heard.newContact = { leader: from, term: message.term };
        heard.term = Math.max(heard.term, message.term);
        return;
      case 'append-entries-response':
        heard.term = Math.max(heard.term, message.term);
        return;
      case 'timeout-now':
        heard.term = Math.max(heard.term, message.term + 1);
        return;
      case 'forward-proposals':
      case 'forward-read':
      case 'forward-read-index':
      case 'forward-change':
      case 'forward-change-result':
      case 'forward-refused':
        return;
    }
  }

  /** Whoever is told that its leader's process has ended need not wait for it. */
  gone(member: MemberView, peer: MemberId): void {
    const heard = this.#of(member);
    if (heard.contact?.leader === peer) heard.contact = undefined;
    if (heard.newContact?.leader === peer) heard.newContact = undefined;
  }

  /** The term of an offer is heard with it; what comes of it counts only when the snapshot is whole. */
  offered(member: MemberView, { term }: SnapshotOffer): void {
    const heard = this.#of(member);
    heard.term = Math.max(heard.term, term);
  }

  sent(member: MemberView, to: MemberId, message: PeerMessage): void {
    if (message.kind !== 'request-vote-response' || !message.voteGranted) return;
    const heard = this.#of(member);
    const asked = heard.requests.get(nameOf(to, message)) ?? [];
    check(asked.length > 0, 'S9', () => `${member.id} votes for ${to} unasked in term ${message.term}`);
    check(
      asked.some(
        (one) => isUpToDate(one.request, one.last) || isUpToDate(one.request, durableLast(member, one.request)),
      ),
      'S11',
      () => `${member.id} votes in term ${message.term} for ${to}, whose log is older than its own`,
    );
    check(!asked.every((one) => this.#hearsLeader(member, heard, one)), 'S12', () => {
      return `${member.id} hears the leader of ${heard.contact?.term} and votes for ${to} in ${message.term}`;
    });
  }

  turned(member: MemberView): void {
    const heard = this.#of(member);
    const { seen, before } = member;
    if (seen === undefined) return;
    if (heard.newContact !== undefined) {
      if (heard.newContact.term === seen.term) heard.contact = { ...heard.newContact, at: member.now() };
      heard.newContact = undefined;
    }
    if (before !== undefined && seen.term > before.term) this.#checkTermRise(member, heard, seen.term);
    if (seen.role === 'leader') this.#checkLeader(member, seen.term);
  }

  /** §5.4.1, at the time of the decision: what the log was before this turn changed it, if it did. */
  given(member: MemberView, { hardState, entries }: Persist): void {
    const votedFor = hardState?.votedFor;
    if (votedFor === undefined || votedFor === member.id || entries.length > 0) return;
    const asked = this.#of(member).requests.get(nameOf(votedFor, { term: hardState?.term ?? 0, preVote: false })) ?? [];
    const { lastTerm: term, lastIndex: index } = member.log;
    const mayBe = asked.length === 0 || asked.some(({ request }) => isUpToDate(request, { term, index }));
    check(mayBe, 'S11', () => `${member.id} votes for ${votedFor}, whose log is older than its own ${index}:${term}`);
  }

  /** Thesis §4.2.3 and §9.6: who heard a leader before the request refuses it. */
  #hearsLeader(member: MemberView, heard: Heard, { request, at }: Asked): boolean {
    const { contact } = heard;
    if (contact === undefined || request.leadershipTransfer) return false;
    if (contact.at >= at || contact.term >= request.term) return false;
    // The term may have risen for another reason: then the leader that was heard is no longer one.
    if (heard.term > contact.term || member.seen?.term !== contact.term) return false;
    return member.now() - contact.at < this.#rules.electionTimeoutMs;
  }

  /** A term is entered because a message is of it, or because a quorum of pre-votes allows the election. */
  #checkTermRise(member: MemberView, heard: Heard, term: number): void {
    if (heard.term >= term) return;
    const isAsked = heard.askedTerm >= term;
    const mayCampaign = (): boolean =>
      this.#history.isQuorum(
        member.log.configuration.configuration,
        ({ id }) => id === member.id || heard.preVotes.get(term)?.has(id) === true,
      );
    check(isAsked || mayCampaign(), 'S12', () => `${member.id} enters term ${term} without a reason`);
  }

  #checkLeader(member: MemberView, term: number): void {
    const { leaders } = this.#history;
    const known = leaders.get(term);
    check(known === undefined || known === member.id, 'S1', () => `${known} and ${member.id} lead in term ${term}`);
    if (known !== undefined) return;
    leaders.set(term, member.id);
    this.elections++;
    // By S3 the last such entry brings all those before it.
    const last = this.#history.committed.findLast((committed) => committed.term < term)?.entry;
    if (last === undefined || last.index < 1) return;
    const isHeld = last.index <= member.log.start.index || sameEntry(member.log.at(last.index), last);
    check(isHeld, 'S4', () => `the leader ${member.id} of term ${term} lacks the committed entry ${last.index}`);
  }

  #hearAnswer(heard: Heard, from: MemberId, message: RequestVoteResponse): void {
    if (!message.preVote || !message.voteGranted) {
      heard.term = Math.max(heard.term, message.term);
      return;
    }
    const granted = heard.preVotes.get(message.term) ?? new Set();
    heard.preVotes.set(message.term, granted.add(from));
  }

  #of(member: MemberView): Heard {
    const heard = this.#heard.get(member.id);
    if (heard === undefined) throw new Error('a member is started before it does anything');
    return heard;
  }
}

function nameOf(candidate: MemberId, { term, preVote }: { readonly term: number; readonly preVote: boolean }): string {
  return `${preVote ? 'pre-vote' : 'vote'} of ${candidate} in ${term}`;
}

function hearRequest(
  member: MemberView,
  heard: Heard,
  { from, request }: { readonly from: MemberId; readonly request: RequestVote },
): void {
  const name = nameOf(from, request);
  const alike = heard.requests.get(name) ?? [];
  alike.push({ request, at: member.now(), last: { index: member.log.lastIndex, term: member.log.lastTerm } });
  heard.requests.set(name, alike);
}

/** §5.4.1 */
function isUpToDate({ lastLogIndex, lastLogTerm }: RequestVote, { index, term }: LogPosition): boolean {
  return lastLogTerm > term || (lastLogTerm === term && lastLogIndex >= index);
}

/** A vote must hold after a power cut too. Entries of its very term may have arrived since. */
function durableLast({ disk }: MemberView, { term }: RequestVote): LogPosition {
  let index = disk.lastIndex;
  while ((disk.entryAt(index)?.term ?? 0) >= term) index--;
  return { index, term: disk.entryAt(index)?.term ?? disk.lastRemoved.term };
}
