/** Builders for tests of the core: one member under test, scripted events, and a time that only the test moves. */
import { seededRng } from '../../src/base/rng';
import { allMembers, defaultRaftOptions, encodeConfiguration, Raft, simpleConfiguration } from '../../src/raft';
import type { AppendEntries, AppendEntriesResponse, Entry, Event, LogPosition, LogStart } from '../../src/raft';
import type {
  Configuration,
  InstallSnapshot,
  MemberChange,
  MemberId,
  Message,
  PeerStatus,
  RaftOptions,
  RaftStatus,
  RequestVote,
  RequestVoteResponse,
  TermRun,
  TimeoutNow,
  Update,
} from '../../src/raft';

export type { Event, Message } from '../../src/raft';

/** The member under test, and its peers. */
export const self = 1n;
export const peerB = 2n;
export const peerC = 3n;
export const peerD = 4n;
export const peerE = 5n;
export const three: readonly MemberId[] = [self, peerB, peerC];
export const five: readonly MemberId[] = [self, peerB, peerC, peerD, peerE];

/** Short times and small numbers, so that tests can name them. */
export const testOptions: RaftOptions = { ...defaultRaftOptions, electionTimeoutMs: 100, heartbeatIntervalMs: 20 };

/** What a member under test starts from. Everything in it is durable. */
export interface Setup {
  readonly id?: MemberId;
  readonly voters?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** Parts of the first configuration beside voters and learners. */
  readonly configuration?: Partial<Configuration>;
  /** Default: the term of the last entry. */
  readonly term?: number;
  readonly votedFor?: MemberId;
  /** As `index:term`, such as `1:1 2:1 3:2`. Default: empty. */
  readonly log?: string;
  /** Default: 0, or the term of an entry before the first one. */
  readonly termBeforeFirst?: number;
  /** How many of the newest entries are in memory. Default: all. */
  readonly inMemory?: number;
  readonly applied?: number;
  readonly options?: Partial<RaftOptions>;
  readonly seed?: number;
}

/** One member's core with a clock and a disk that the test operates. */
export class TestMember {
  readonly raft: Raft;
  readonly peers: readonly MemberId[];
  now = 0;
  /** The last `Persist` handed out. */
  sequence = 0;

  constructor(setup: Setup) {
    const { id = self, voters = three, learners = [], applied = 0 } = setup;
    const entries = parseLog(setup.log ?? '');
    const hardState = { term: setup.term ?? entries.at(-1)?.term ?? 0, votedFor: setup.votedFor };
    const configuration = { ...simpleConfiguration(voters), learners, ...setup.configuration };
    this.peers = allMembers(configuration).filter((peer) => peer !== id);
    this.raft = new Raft({
      id,
      options: { ...testOptions, ...setup.options },
      rng: seededRng(setup.seed ?? 1),
      hardState,
      log: logStart(entries, setup.inMemory ?? entries.length, setup.termBeforeFirst ?? 0),
      configuration: {
        index: 0,
        configuration,
        context: new Uint8Array(),
      },
      configurationEntries: entries.filter(({ kind }) => kind === 'configuration'),
      appliedIndex: applied,
      now: 0,
      checkInvariants: true,
    });
  }

  get status(): RaftStatus {
    return this.raft.status;
  }

  get role(): string {
    return this.status.role;
  }

  /** The entries in memory, drawn as `index:term`. */
  get log(): string {
    const { firstIndex, lastIndex } = this.status;
    for (let first = firstIndex; first <= lastIndex; first++) {
      const entries = this.raft.entries(first, lastIndex, Infinity);
      if (entries !== undefined) return drawLog(entries);
    }
    return '';
  }

  turn(...events: Event[]): Update {
    const update = this.raft.turn(events, this.now);
    if (update.persist !== undefined) this.sequence = update.persist.sequence;
    return update;
  }

  receive(from: MemberId, message: Message): Update {
    return this.turn({ kind: 'receive', from, message });
  }

  /** Time passes, and the member looks at its timeouts. */
  advance(ms: number): Update {
    this.now += ms;
    return this.turn({ kind: 'tick' });
  }

  /** Waits exactly until the member's next timeout. */
  timeOut(): Update {
    return this.advance(Math.max(0, this.raft.nextTickAt - this.now));
  }

  /** The disk has finished everything up to `sequence`; by default everything. */
  persisted(sequence = this.sequence): Update {
    return this.turn({ kind: 'persisted', sequence });
  }

  propose(...sizes: number[]): Update {
    const proposals = sizes.map((size) => ({ kind: 'command' as const, payload: new Uint8Array(size) }));
    return this.turn({ kind: 'propose', id: 1, term: this.status.term, proposals });
  }

  /** Asks for another configuration. */
  change(changes: readonly MemberChange[], force = false): Update {
    return this.turn({ kind: 'change-configuration', id: 1, changes, context: new Uint8Array(), force });
  }

  /** Asks to hand over leadership. */
  transfer(to?: MemberId): Update {
    return this.turn({ kind: 'transfer-leadership', id: 1, to });
  }

  /** The configuration in force, its parts that are not empty. */
  get configuration(): Partial<Configuration> {
    const configuration: Readonly<Record<string, unknown>> = { ...this.raft.configuration.configuration };
    const isThere = (part: unknown): boolean => (Array.isArray(part) ? part.length > 0 : part === true);
    return Object.fromEntries(Object.entries(configuration).filter(([, part]) => isThere(part)));
  }

  /** What this leader knows of one peer. */
  peer(id: MemberId): PeerStatus {
    const found = this.raft.peers(this.now).find(({ peer }) => peer === id);
    if (found === undefined) throw new Error(`no peer ${id}`);
    return found;
  }

  read(id: number): Update {
    return this.turn({ kind: 'read', id });
  }

  /** A peer says that it holds everything of this leader's log up to `matchIndex`. */
  acknowledge(peer: MemberId, matchIndex = this.status.lastIndex, readRound = 0): Update {
    return this.receive(peer, success({ term: this.status.term, matchIndex, readRound }));
  }
}

/** A member as it starts. */
export function member(setup: Setup = {}): TestMember {
  return new TestMember(setup);
}

/** A member that follows `leader`, which has found the logs to agree. */
export function follower(setup: Setup & { readonly leader?: MemberId } = {}): TestMember {
  const started = member({ term: 1, ...setup });
  const { term, lastIndex, lastTerm } = started.status;
  const prev = { index: lastIndex, term: lastTerm };
  started.receive(setup.leader ?? peerB, appendEntries({ term, prev }));
  return started;
}

/** A member that asks around before an election in `term` (default 1). */
export function preCandidate(setup: Setup = {}): TestMember {
  const started = member({ ...setup, term: (setup.term ?? 1) - 1 });
  started.timeOut();
  return started;
}

/** A candidate of `term` (default 1). Its own vote is on the way to the disk. */
export function candidate(setup: Setup = {}): TestMember {
  const started = preCandidate(setup);
  const { term } = started.status;
  for (const peer of started.peers) {
    if (started.role === 'pre-candidate') started.receive(peer, vote({ term: term + 1, preVote: true }));
  }
  return started;
}

/** A leader of `term` (default 1) that began its term with a no-op after `log`. All it has is durable. */
export function leader(setup: Setup = {}): TestMember {
  const started = candidate(setup);
  started.persisted();
  const { term } = started.status;
  for (const peer of started.peers) {
    if (started.role === 'candidate') started.receive(peer, vote({ term }));
  }
  started.persisted();
  return started;
}

/** A leader whose peers all hold its log, which is committed. */
export function establishedLeader(setup: Setup = {}): TestMember {
  const started = leader(setup);
  for (const peer of started.peers) started.acknowledge(peer);
  return started;
}

/** `1:1 2:1 3:2`: index and term of each entry; equal positions have equal payloads. */
export function parseLog(text: string): Entry[] {
  const parts = text.split(' ').filter((part) => part !== '');
  return parts.map((part) => ({ ...parsePosition(part), kind: 'command', payload: new TextEncoder().encode(part) }));
}

export function drawLog(entries: readonly LogPosition[]): string {
  return entries.map(({ index, term }) => `${index}:${term}`).join(' ');
}

export function logStart(entries: readonly Entry[], inMemory = entries.length, termBeforeFirst = 0): LogStart {
  const termRuns: TermRun[] = [];
  for (const { index, term } of entries) {
    if (term !== termRuns.at(-1)?.term) termRuns.push({ firstIndex: index, term });
  }
  return {
    firstIndex: entries[0]?.index ?? 1,
    lastIndex: entries.at(-1)?.index ?? 0,
    termBeforeFirst,
    termRuns,
    tail: entries.slice(entries.length - inMemory),
  };
}

export function parsePosition(text: string): LogPosition {
  const [index, term] = text.split(':').map(Number);
  if (index === undefined || term === undefined) throw new Error(`not a position: ${text}`);
  return { index, term };
}

/** A configuration in an entry of its own, drawn as a position: `configurationEntry('3:1', {...})`. */
export function configurationEntry(position: string, configuration: Configuration): Entry {
  const payload = encodeConfiguration({ configuration, context: new Uint8Array() });
  return { ...parsePosition(position), kind: 'configuration', payload };
}

/** Tells of a snapshot up to `last`, in which `voters` are the members since `configurationIndex`. */
export function installSnapshot(fields: {
  readonly term: number;
  readonly last: string;
  readonly voters?: readonly MemberId[];
  readonly configurationIndex?: number;
}): InstallSnapshot {
  const { term, last, voters = three, configurationIndex: index = 0 } = fields;
  const configuration = { index, configuration: simpleConfiguration(voters), context: new Uint8Array() };
  return { kind: 'install-snapshot', term, snapshot: { last: parsePosition(last), configuration } };
}

/** A heartbeat unless it has entries. */
export function appendEntries(fields: {
  readonly term: number;
  readonly prev?: string | LogPosition;
  readonly entries?: string | readonly Entry[];
  readonly commit?: number;
  readonly readRound?: number;
}): AppendEntries {
  const { term, prev = '0:0', entries = '', commit = 0, readRound = 0 } = fields;
  const before = typeof prev === 'string' ? parsePosition(prev) : prev;
  return {
    kind: 'append-entries',
    term,
    prevLogIndex: before.index,
    prevLogTerm: before.term,
    entries: typeof entries === 'string' ? parseLog(entries) : entries,
    leaderCommit: commit,
    readRound,
  };
}

export function success(fields: {
  readonly term: number;
  readonly matchIndex: number;
  readonly readRound?: number;
  readonly followsClosely?: boolean;
}): AppendEntriesResponse {
  return { kind: 'append-entries-response', success: true, readRound: 0, followsClosely: false, ...fields };
}

export function rejection(fields: {
  readonly term: number;
  readonly rejectedIndex: number;
  readonly hint: string;
  readonly readRound?: number;
}): AppendEntriesResponse {
  const { term, rejectedIndex, hint, readRound = 0 } = fields;
  const { index: hintIndex, term: hintTerm } = parsePosition(hint);
  return { kind: 'append-entries-response', success: false, term, rejectedIndex, hintIndex, hintTerm, readRound };
}

export function requestVote(fields: {
  readonly term: number;
  readonly last?: string;
  readonly preVote?: boolean;
  readonly leadershipTransfer?: boolean;
}): RequestVote {
  const { term, last = '0:0', preVote = false, leadershipTransfer = false } = fields;
  const { index: lastLogIndex, term: lastLogTerm } = parsePosition(last);
  return { kind: 'request-vote', term, lastLogIndex, lastLogTerm, preVote, leadershipTransfer };
}

/** A granted vote unless told otherwise. */
export function vote(fields: {
  readonly term: number;
  readonly voteGranted?: boolean;
  readonly preVote?: boolean;
}): RequestVoteResponse {
  return { kind: 'request-vote-response', voteGranted: true, preVote: false, ...fields };
}

export function timeoutNow(term: number): TimeoutNow {
  return { kind: 'timeout-now', term };
}

/** The messages of one kind in an update, to one member if told. */
export function sent<Kind extends Message['kind']>(
  update: Update,
  kind: Kind,
  to?: MemberId,
): Extract<Message, { kind: Kind }>[] {
  return update.messages
    .filter((envelope) => envelope.message.kind === kind && (to === undefined || envelope.to === to))
    .map(({ message }) => message as Extract<Message, { kind: Kind }>);
}

/** The only message of one kind in an update, to one member if told. */
export function onlySent<Kind extends Message['kind']>(
  update: Update,
  kind: Kind,
  to?: MemberId,
): Extract<Message, { kind: Kind }> {
  const [message, ...others] = sent(update, kind, to);
  if (message === undefined || others.length > 0) throw new Error(`expected one ${kind}, found ${1 + others.length}`);
  return message;
}

/** Entries sent to a peer, drawn, one text per message with entries. */
export function entriesSent(update: Update, to: MemberId): string[] {
  return sent(update, 'append-entries', to)
    .filter(({ entries }) => entries.length > 0)
    .map(({ entries }) => drawLog(entries));
}
