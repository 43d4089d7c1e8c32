/** A cluster whose life is written down as a story that anybody can read, and compared with the one on file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Configuration, MemberId, Message, Persist, Update } from '../../src/raft';
import { CoreCluster, type ClusterSetup, type Packet, type Seat } from './core-cluster';
import { drawLog } from './raft';

/** `A` is member 1. */
function nameOf(id: MemberId): string {
  return String.fromCharCode(64 + Number(id));
}

const legend = `3:2 is the entry at place 3 of a log, made in term 2. "->" is a message that arrives, "-x" one that is lost.`;

/** A cluster that writes down what it does. Logs are drawn as `index:term`. */
export class Story {
  readonly cluster: CoreCluster;
  readonly #lines: string[] = [];
  readonly #commitIndexes = new Map<MemberId, number>();
  readonly #configurations = new Map<MemberId, string>();
  #hero: MemberId | undefined;

  constructor(title: string, setup: ClusterSetup) {
    this.#lines.push(`# ${title}`, '', legend);
    this.cluster = new CoreCluster({
      ...setup,
      observer: {
        delivered: (packet) => {
          this.#packet(packet, '->');
        },
        lost: (packet) => {
          this.#packet(packet, '-x');
        },
        updated: (seat, update) => {
          this.#updated(seat, update);
        },
        written: (seat, persist) => {
          this.#written(seat, persist);
        },
      },
    });
  }

  /** A sentence of the narrator. */
  tell(sentence: string): void {
    this.#lines.push('', sentence, '');
  }

  /** Of what happens inside, only what this member does, says and hears is told (not what it fails to hear). */
  about(id: MemberId, happen: () => void): void {
    this.#hero = id;
    happen();
    this.#hero = undefined;
  }

  /** Time passes in which everybody acts as soon as it has to. */
  live(ms: number): void {
    for (const end = this.cluster.now + ms; this.cluster.now < end;) {
      this.cluster.advance(1);
      this.goOn();
    }
  }

  /** Time passes in which nobody acts. */
  wait(ms: number): void {
    this.cluster.now += ms;
  }

  /** Messages travel and disks write, each for a millisecond, until `done` or nothing moves. Some messages get lost. */
  goOn({ losing, until }: { losing?: (packet: Packet) => boolean; until?: () => boolean } = {}): void {
    const { cluster } = this;
    const isBusy = (): boolean =>
      cluster.wire.length > 0 || cluster.ids.some((id) => cluster.seat(id).queue.length > 0);
    for (let round = 0; isBusy() && until?.() !== true; round++) {
      if (round > 1000) throw new Error('the story does not end');
      this.wait(1);
      if (losing !== undefined) cluster.drop(losing);
      for (let count = cluster.wire.length; count > 0 && until?.() !== true; count--) cluster.deliver();
      for (const id of cluster.ids) if (cluster.seat(id).queue.length > 0) cluster.finishDisk(id);
    }
  }

  /** A member's patience ends, and ends again, until it leads. */
  elect(id: MemberId): void {
    for (let attempt = 0; attempt < 5; attempt++) {
      this.cluster.timeOut(id);
      this.goOn({ until: () => this.cluster.raft(id).status.role === 'leader' });
      if (this.cluster.raft(id).status.role === 'leader') return;
    }
    throw new Error(`${nameOf(id)} is not elected`);
  }

  crash(id: MemberId): void {
    this.#line(nameOf(id), 'CRASHES');
    this.cluster.crash(id);
  }

  restart(id: MemberId): void {
    this.cluster.restart(id);
    this.#line(nameOf(id), 'starts again with what its disk holds');
  }

  /** Draws the logs of some members, by default of all. */
  logs(ids: readonly MemberId[] = this.cluster.ids): void {
    this.#lines.push('');
    for (const id of ids) {
      const seat = this.cluster.seat(id);
      const state = seat.raft === undefined ? 'is down' : `${seat.raft.status.role} in term ${seat.raft.status.term}`;
      const committed = seat.raft === undefined ? '' : `, committed up to ${seat.raft.status.commitIndex}`;
      this.#lines.push(`    ${nameOf(id)}  [${this.cluster.drawLog(id)}]  ${state}${committed}`);
    }
    this.#lines.push('');
  }

  /** Compares with the story on file; writes it only with UPDATE_SCENARIOS=1, and never in CI. */
  expectAsOnFile(file: string): void {
    const text = `${this.#lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()}\n`;
    if (process.env['UPDATE_SCENARIOS'] === '1' && process.env['CI'] === undefined) writeFileSync(file, text);
    if (!existsSync(file)) throw new Error(`${file} is missing; UPDATE_SCENARIOS=1 writes it`);
    expect(text).toBe(readFileSync(file, 'utf8'));
  }

  #line(who: string, text: string): void {
    if (this.#hero !== undefined && !who.includes(nameOf(this.#hero))) return;
    this.#lines.push(`${String(this.cluster.now).padStart(6)} ms  ${who.padEnd(7)} ${text}`);
  }

  #packet({ from, to, message }: Packet, arrow: string): void {
    if (arrow === '-x' && to === this.#hero) return;
    const lost = arrow === '-x' ? '  (lost)' : '';
    this.#line(`${nameOf(from)} ${arrow} ${nameOf(to)}`, `${inWords(message)}${lost}`);
  }

  #updated(seat: Seat, update: Update): void {
    const who = nameOf(seat.id);
    if (update.change !== undefined) this.#line(who, roleInWords(seat.id, update.change));
    const before = this.#commitIndexes.get(seat.id) ?? 0;
    if (update.commitIndex > before) this.#line(who, `knows that everything up to ${update.commitIndex} is committed`);
    this.#commitIndexes.set(seat.id, update.commitIndex);
    this.#membershipTold(seat, update);
    for (const peer of update.snapshots) {
      this.#line(
        who,
        `finds that ${nameOf(peer)} lacks what its log no longer holds, and sends it a copy of its state`,
      );
    }
    for (const result of update.proposed) {
      this.#line(
        who,
        result.accepted ? `takes a command as entry ${result.firstIndex}` : 'refuses a command: it does not lead',
      );
    }
  }

  #membershipTold(seat: Seat, update: Update): void {
    const who = nameOf(seat.id);
    for (const answer of update.changes) {
      const text = answer.accepted
        ? `takes a change of members as entry ${answer.index}`
        : 'refuses a change of members';
      this.#line(who, answer.accepted ? text : `${text}: ${answer.reason}`);
    }
    for (const answer of update.transfers) {
      this.#line(who, answer.done ? 'has handed over leadership' : `could not hand over leadership: ${answer.reason}`);
    }
    const { index, configuration } = seat.raft?.configuration ?? {};
    if (index === undefined || configuration === undefined) return;
    const before = this.#configurations.get(seat.id);
    const now = `${index}: ${inNames(configuration)}`;
    this.#configurations.set(seat.id, now);
    // What everybody begins with is told by the title.
    if (before !== undefined && before !== now) this.#line(who, `counts from now on: ${inNames(configuration)}`);
  }

  #written(seat: Seat, { hardState, entries, snapshot }: Persist): void {
    const facts: string[] = [];
    if (snapshot !== undefined) facts.push(`a new state, up to ${drawLog([snapshot.last])}, in place of its own`);
    if (hardState !== undefined) {
      const vote = hardState.votedFor === undefined ? '' : ` with its vote for ${nameOf(hardState.votedFor)}`;
      facts.push(`term ${hardState.term}${vote}`);
    }
    if (entries.length > 0) facts.push(drawLog(entries));
    this.#line(nameOf(seat.id), `has on disk: ${facts.join(', and ')}`);
  }
}

function inNames({ voters, outgoing, learners, removed }: Configuration): string {
  const names = (members: readonly MemberId[]): string => members.map(nameOf).join(' ');
  const parts = [`${names(voters)} vote`];
  if (outgoing.length > 0) parts.push(`${names(outgoing)} must agree too`);
  if (learners.length > 0) parts.push(`${names(learners)} learn`);
  if (removed.length > 0) parts.push(`gone: ${names(removed)}`);
  return parts.join('; ');
}

function roleInWords(id: MemberId, { role, term, leader }: NonNullable<Update['change']>): string {
  switch (role) {
    case 'leader':
      return `becomes LEADER of term ${term}`;
    case 'candidate':
      return `becomes candidate in term ${term} and votes for itself`;
    case 'pre-candidate':
      return `hears of no leader and wonders whether it could win term ${term + 1}`;
    case 'follower':
      return leader === undefined || leader === id
        ? `is a follower in term ${term} and knows no leader`
        : `follows ${nameOf(leader)} in term ${term}`;
  }
}

function inWords(message: Message): string {
  const term = `[term ${message.term}]`;
  switch (message.kind) {
    case 'append-entries': {
      const { prevLogIndex, prevLogTerm, entries, leaderCommit } = message;
      const place = prevLogIndex === 0 ? 'at the start' : `after ${prevLogIndex}:${prevLogTerm}`;
      const what = entries.length === 0 ? `heartbeat; do you agree ${place}?` : `put ${drawLog(entries)} ${place}.`;
      return `${term} I lead: ${what} Committed up to ${leaderCommit}.`;
    }
    case 'append-entries-response': {
      if (message.success) return `${term} I hold your log up to ${message.matchIndex}, on disk.`;
      const hint = message.hintIndex === 0 ? 'nowhere' : `up to ${message.hintIndex}:${message.hintTerm}`;
      return `${term} No: I do not agree at ${message.rejectedIndex}; perhaps ${hint}.`;
    }
    case 'request-vote': {
      const last = message.lastLogIndex === 0 ? 'is empty' : `ends with ${message.lastLogIndex}:${message.lastLogTerm}`;
      const ask = message.preVote
        ? `Would you vote for me in term ${message.term}?`
        : `Vote for me in term ${message.term}!`;
      return `${ask} My log ${last}.`;
    }
    case 'request-vote-response':
      if (message.preVote) return message.voteGranted ? 'Yes, I would.' : `${term} No, I would not.`;
      return message.voteGranted ? `${term} You have my vote.` : `${term} No.`;
    case 'timeout-now':
      return `${term} Take over from me now.`;
    case 'install-snapshot':
      return `${term} Here is the state up to ${message.snapshot.last.index}:${message.snapshot.last.term}, in place of your log.`;
  }
}
