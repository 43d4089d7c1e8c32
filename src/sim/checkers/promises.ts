/** S8: what a message promises is on the sender's disk before the message leaves. */
import type { AppendEntriesSuccess, MemberId } from '../../raft';
import type { PeerMessage } from '../../transport/transport';
import { check, type Checker } from './checker';
import { sameEntry, type History } from './history';
import type { MemberView } from './member-view';

export class PromiseChecker implements Checker {
  readonly names = ['S8'];
  acknowledgements = 0;
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  sent(member: MemberView, to: MemberId, message: PeerMessage): void {
    const { term: durableTerm, votedFor } = member.disk.hardState;
    switch (message.kind) {
      case 'request-vote':
        if (message.preVote) return;
        break;
      case 'request-vote-response':
        if (message.preVote && message.voteGranted) return;
        if (message.voteGranted) {
          const isDurable = durableTerm > message.term || (durableTerm === message.term && votedFor === to);
          check(isDurable, 'S8', () => `the vote of ${member.id} for ${to} in term ${message.term} is not durable`);
        }
        break;
      case 'append-entries':
      case 'timeout-now':
        break;
      case 'append-entries-response':
        if (message.success) this.#checkAcknowledgement(member, to, message);
        break;
      case 'forward-proposals':
      case 'forward-read':
      case 'forward-read-index':
      case 'forward-change':
      case 'forward-change-result':
      case 'forward-refused':
        return;
    }
    check(message.term <= durableTerm, 'S8', () => {
      return `${member.id} speaks of term ${message.term}, and ${durableTerm} is durable`;
    });
  }

  #checkAcknowledgement({ id, disk }: MemberView, to: MemberId, message: AppendEntriesSuccess): void {
    const { matchIndex, term } = message;
    this.acknowledgements++;
    check(matchIndex <= disk.lastIndex, 'S8', () => `${id} acknowledges ${matchIndex}, ${disk.lastIndex} is durable`);
    const leader = this.#history.members.get(to);
    if (matchIndex === 0 || leader?.seen?.role !== 'leader' || leader.seen.term !== term) return;
    const theirs = leader.log.at(matchIndex);
    if (theirs === undefined && matchIndex <= leader.log.lastIndex) return;
    const { lastRemoved } = disk;
    const isEqual =
      matchIndex > lastRemoved.index
        ? sameEntry(disk.entryAt(matchIndex), theirs)
        : matchIndex < lastRemoved.index || lastRemoved.term === leader.log.termAt(matchIndex);
    check(isEqual, 'S8', () => `${id} acknowledges another entry at ${matchIndex} than its leader ${to} holds`);
  }
}
