/** The all-seeing checker of a core cluster: the safety properties of Figure 3, and durability before speech. */
import { allMembers, decodeConfiguration, isMember, reachedByQuorum, simpleConfiguration } from '../../src/raft';
import type { Configuration, Entry, MemberId, Message, Persist, Update } from '../../src/raft';
import { quorumsMeet } from '../../src/sim/checkers/membership';
import type { Seat } from './core-cluster';

/** What a run really did: a test asserts these, so that a run which did nothing fails. */
export interface Volume {
  elections: number;
  commits: number;
  /** Persists that removed entries of another leader. */
  truncations: number;
  restarts: number;
  loads: number;
  readsConfirmed: number;
  readsFailed: number;
  acknowledgements: number;
}

/** What a run did of what changes the cluster itself. */
export interface ChangeVolume {
  compactions: number;
  /** Snapshots that took the place of a state. */
  installs: number;
  /** Configurations that were committed, and the joint ones among them. */
  configurations: number;
  joint: number;
  /** Transfers of leadership that ended with another leader, and those that did not. */
  transfersDone: number;
  transfersFailed: number;
  refusals: number;
  warnings: number;
}

interface Committed {
  readonly entry: Entry;
  /** The term of the leader that committed it. */
  readonly term: number;
}

/** Of a run that did nothing. */
export function noVolume(): Volume {
  return {
    elections: 0,
    commits: 0,
    truncations: 0,
    restarts: 0,
    loads: 0,
    readsConfirmed: 0,
    readsFailed: 0,
    acknowledgements: 0,
  };
}

/** Of a run that did nothing. */
export function noChanges(): ChangeVolume {
  return {
    compactions: 0,
    installs: 0,
    configurations: 0,
    joint: 0,
    transfersDone: 0,
    transfersFailed: 0,
    refusals: 0,
    warnings: 0,
  };
}

export class SafetyChecker {
  readonly volume = noVolume();
  readonly changes = noChanges();
  /** What was ever committed, by index - 1; kept over all crashes. */
  readonly committed: Committed[] = [];
  readonly #seats: ReadonlyMap<MemberId, Seat>;
  readonly #leaders = new Map<number, MemberId>();
  readonly #votes = new Map<string, MemberId>();
  readonly #commitIndexes = new Map<MemberId, number>();
  /** What was committed when each open read began. */
  readonly #reads = new Map<number, number>();
  #lastRead = 0;
  /** The latest configuration that was committed, and everybody who was a member of an earlier one and left. */
  #configuration: Configuration;
  readonly #formerMembers = new Set<MemberId>();

  constructor(seats: ReadonlyMap<MemberId, Seat>) {
    this.#seats = seats;
    this.#configuration = simpleConfiguration([...seats.keys()]);
  }

  /** A number for a read; what is committed now must be visible to it. */
  beginRead(): number {
    this.#reads.set(++this.#lastRead, this.committed.length);
    return this.#lastRead;
  }

  afterRestart(seat: Seat): void {
    this.volume.restarts++;
    this.#commitIndexes.set(seat.id, seat.applied.length);
  }

  beforePersist(seat: Seat, { entries, snapshot }: Persist): void {
    for (const entry of entries) this.#checkOwnConfiguration(seat, entry);
    if (snapshot !== undefined) {
      check(snapshot.last.index > seat.applied.length, `N3: a snapshot never moves ${seat.id} back`);
      return;
    }
    const first = entries[0]?.index ?? Infinity;
    if (first > seat.log.length) return;
    this.volume.truncations++;
    check(first > seat.applied.length, `${seat.id} removes no applied entry`);
  }

  beforeWrite(seat: Seat, { hardState }: Persist): void {
    if (hardState === undefined) return;
    const { term, votedFor } = hardState;
    check(term >= seat.disk.hardState.term, `S10: the durable term of ${seat.id} never falls`);
    if (votedFor === undefined) {
      check(!this.#votes.has(`${seat.id} in ${term}`), `S9: ${seat.id} does not forget its vote in term ${term}`);
      return;
    }
    const earlier = this.#votes.get(`${seat.id} in ${term}`);
    check(earlier === undefined || earlier === votedFor, `S9: ${seat.id} votes once in term ${term}`);
    this.#votes.set(`${seat.id} in ${term}`, votedFor);
  }

  /** S8: what a message promises is on the disk before it leaves. */
  beforeSend(seat: Seat, to: MemberId, message: Message): void {
    const { hardState, entries } = seat.disk;
    const isPreVote = 'preVote' in message && message.preVote;
    if (!isPreVote) check(message.term <= hardState.term, `S8: ${seat.id} speaks of a durable term`);
    if (message.kind === 'request-vote-response' && message.voteGranted && !isPreVote) {
      const isDurable = hardState.term > message.term || hardState.votedFor === to;
      check(isDurable, `S8: the vote of ${seat.id} in term ${message.term} is durable`);
    }
    if (message.kind === 'append-entries-response' && message.success) {
      this.volume.acknowledgements++;
      check(message.matchIndex <= entries.length, `S8: ${seat.id} acknowledges what is durable`);
      this.#checkEqualsLeaderLog(seat, message);
    }
  }

  /** N1, S5: the state that came is what everybody applies. */
  afterInstall(seat: Seat): void {
    this.changes.installs++;
    this.afterApply(seat, 0);
  }

  afterUpdate(seat: Seat, update: Update): void {
    this.volume.loads += update.loads.length;
    this.changes.warnings += update.warnings.length;
    for (const { done } of update.transfers) this.changes[done ? 'transfersDone' : 'transfersFailed']++;
    for (const { accepted } of update.changes) if (!accepted) this.changes.refusals++;
    this.#checkMirror(seat);
    this.#checkLeader(seat);
    this.#checkCommit(seat, update.commitIndex);
    this.#checkLogMatching(seat);
    this.#checkNothingLost();
    this.#checkReads(update);
  }

  /** S5: every member applies the same entries, 1, 2, 3, and so on. */
  afterApply(seat: Seat, before: number): void {
    for (let at = before; at < seat.applied.length; at++) {
      const [entry, committed] = [seat.applied[at], this.committed[at]?.entry];
      check(same(entry, committed), `S5: ${seat.id} applies the committed entry at ${at + 1}`);
    }
  }

  /** Updates tell the whole truth: the log they describe is the log the core has. */
  #checkMirror(seat: Seat): void {
    const { raft, log } = seat;
    if (raft === undefined) return;
    const { lastIndex, lastTerm } = raft.status;
    check(lastIndex === log.length && lastTerm === (log.at(-1)?.term ?? 0), `${seat.id} persists its whole log`);
  }

  /** S1 election safety, S4 leader completeness. */
  #checkLeader(seat: Seat): void {
    if (seat.raft?.status.role !== 'leader') return;
    const { term } = seat.raft.status;
    const known = this.#leaders.get(term);
    check(known === undefined || known === seat.id, `S1: term ${term} has one leader, not ${known} and ${seat.id}`);
    if (known !== undefined) return;
    this.#leaders.set(term, seat.id);
    this.volume.elections++;
    for (const committed of this.committed) {
      if (committed.term >= term) break;
      const { entry } = committed;
      check(same(seat.log[entry.index - 1], entry), `S4: the leader ${seat.id} of ${term} holds entry ${entry.index}`);
    }
  }

  /** S6, S7, S14. */
  #checkCommit(seat: Seat, commitIndex: number): void {
    const before = this.#commitIndexes.get(seat.id) ?? 0;
    check(commitIndex >= before, `S6: the commit index of ${seat.id} never falls`);
    this.#commitIndexes.set(seat.id, commitIndex);
    for (let index = before + 1; index <= commitIndex; index++) {
      const [entry, committed] = [seat.log[index - 1], this.committed[index - 1]];
      if (committed === undefined) this.#recordCommit(seat, index, commitIndex);
      else check(same(entry, committed.entry), `S14: ${seat.id} commits at ${index} what others committed there`);
    }
  }

  #recordCommit(seat: Seat, index: number, commitIndex: number): void {
    const { raft, log } = seat;
    const [entry, last] = [log[index - 1], log[commitIndex - 1]];
    const term = raft?.status.term ?? 0;
    // One that commits its own removal has stepped down by now.
    check(this.#leaders.get(term) === seat.id, `S7: a leader commits first, not ${seat.id}`);
    check(last?.term === term, `S7: the leader of ${term} counts only for entries of its own term`);
    check(entry !== undefined, 'what is committed is in the log');
    if (entry === undefined) return;
    this.committed.push({ entry, term });
    this.volume.commits++;
    const { configuration } = raft?.configuration ?? {};
    const isOnQuorum = configuration !== undefined && this.#isOnQuorum(entry, configuration);
    check(isOnQuorum, `S7: entry ${index} of term ${entry.term} is durable on a quorum`);
    if (entry.kind === 'configuration') this.#recordConfiguration(entry);
  }

  /** M4: each quorum of one configuration shares a member with each of the next. M7: nobody returns. */
  #recordConfiguration(entry: Entry): void {
    const { configuration } = decodeConfiguration(entry.payload) ?? {};
    check(configuration !== undefined, `a configuration is committed at ${entry.index}`);
    if (configuration === undefined) return;
    this.changes.configurations++;
    if (configuration.outgoing.length > 0) this.changes.joint++;
    check(quorumsMeet(this.#configuration, configuration), `M4: quorums before and after ${entry.index} meet`);
    for (const member of allMembers(configuration)) {
      check(!this.#formerMembers.has(member), `M7: ${member} was a member before and is not again`);
    }
    for (const member of allMembers(this.#configuration)) {
      if (!isMember(configuration, member)) this.#formerMembers.add(member);
    }
    this.#configuration = configuration;
  }

  /** M3: who leads changes the configuration only after it has committed an entry of its own term. */
  #checkOwnConfiguration({ id, raft, log }: Seat, entry: Entry): void {
    if (entry.kind !== 'configuration' || raft?.status.role !== 'leader' || entry.term !== raft.status.term) return;
    const committed = log[raft.status.commitIndex - 1];
    check(committed?.term === entry.term, `M3: ${id} has committed an entry of term ${entry.term} before a change`);
  }

  /** S13: the last committed entry stays on a disk of every quorum (and with it all before, by log matching). */
  #checkNothingLost(): void {
    const last = this.committed.at(-1);
    if (last === undefined) return;
    const lack = (member: MemberId): number => (this.#holds(member, last.entry) ? 0 : 1);
    check(reachedByQuorum(this.#configuration, lack) === 0, `S13: entry ${last.entry.index} is never lost`);
  }

  #isOnQuorum(entry: Entry, configuration: Configuration): boolean {
    return reachedByQuorum(configuration, (member) => (this.#holds(member, entry) ? 1 : 0)) === 1;
  }

  #holds(member: MemberId, entry: Entry): boolean {
    return same(this.#seats.get(member)?.disk.entries[entry.index - 1], entry);
  }

  /** S3: equal index and term mean equal logs up to there. */
  #checkLogMatching(seat: Seat): void {
    for (const other of this.#seats.values()) {
      if (other.raft === undefined || other === seat) continue;
      let at = Math.min(seat.log.length, other.log.length) - 1;
      while (at >= 0 && seat.log[at]?.term !== other.log[at]?.term) at--;
      for (; at >= 0; at--) {
        check(same(seat.log[at], other.log[at]), `S3: ${seat.id} and ${other.id} agree at ${at + 1}`);
      }
    }
  }

  /** A success names a stretch that equals the log of the leader it goes to. */
  #checkEqualsLeaderLog(seat: Seat, message: { readonly term: number; readonly matchIndex: number }): void {
    const leader = this.#seats.get(this.#leaders.get(message.term) ?? 0n);
    if (leader?.raft?.status.role !== 'leader' || leader.raft.status.term !== message.term) return;
    const [mine, theirs] = [seat.disk.entries[message.matchIndex - 1], leader.log[message.matchIndex - 1]];
    check(
      message.matchIndex === 0 || same(mine, theirs),
      `S8: ${seat.id} holds the leader's log to ${message.matchIndex}`,
    );
  }

  /** K3: a confirmed read sees everything that was committed anywhere before it began. */
  #checkReads({ reads }: Update): void {
    for (const read of reads) {
      const committedBefore = this.#reads.get(read.id);
      check(committedBefore !== undefined, `read ${read.id} is answered once`);
      this.#reads.delete(read.id);
      if (!read.confirmed) {
        this.volume.readsFailed++;
        continue;
      }
      this.volume.readsConfirmed++;
      check(read.readIndex >= (committedBefore ?? 0), `K3: read ${read.id} sees what was committed before it`);
    }
  }
}

function same(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.index === b.index && a.term === b.term && a.kind === b.kind && equalBytes(a.payload, b.payload);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(`safety: ${sentence}`);
}
