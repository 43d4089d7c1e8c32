/** The consensus core: hands each event to its room and collects what comes of it. Dispatch only; the rules are elsewhere. */
import { assert, required, unreachable } from '../base/assert';
import type { Rng } from '../base/rng';
import { receiveAppendEntries, receiveAppendEntriesResponse, sendAcknowledgement } from './append-entries';
import { decodeConfiguration } from './configuration-codec';
import { configurationAt } from './configuration-history';
import { campaignSoonAfterStart, onElectionTimeout, onPeerGone, onPeerReached } from './election';
import type { Event } from './event';
import { checkInvariants, invariantSnapshot } from './invariants';
import { onPrefixRemoved, receiveInstallSnapshot } from './install-snapshot';
import { receiveTimeoutNow, receiveTransfer } from './leadership-transfer';
import { RaftLog, type LogStart } from './log';
import { receiveChange } from './membership-change';
import type { Message } from './messages';
import type { RaftOptions } from './options';
import { onPersisted, takePersist } from './persistence';
import { mayReadUnderLease, receiveRead } from './read-index';
import { hasQuorumContact, leaderDeadline, receiveLoaded, receiveProposals, supplyPeers } from './replication';
import { receiveRequestVote, receiveRequestVoteResponse } from './request-vote';
import { becomeFollower, resetElectionTimer } from './role';
import { newTurn, type RaftState } from './state';
import { peersOf, statusOf, type PeerStatus, type RaftStatus } from './status';
import type { ConfigurationAt, Entry, HardState, MemberId, SnapshotDescription } from './types';
import type { Update } from './update';

/** What a member starts from. */
export interface RaftConfig {
  readonly id: MemberId;
  readonly options: RaftOptions;
  readonly rng: Rng;
  /** As found in storage: everything in it is durable. */
  readonly hardState: HardState;
  readonly log: LogStart;
  /** The configuration in force at the beginning of the log. */
  readonly configuration: ConfigurationAt;
  /** The configuration entries of the log. */
  readonly configurationEntries: readonly Entry[];
  /** What the state machine has applied, hence is committed; within the log. */
  readonly appliedIndex: number;
  /** The present, in milliseconds on the clock of all later events. */
  readonly now: number;
  /** Check every invariant after every turn. Costs a few microseconds a turn. */
  readonly checkInvariants: boolean;
}

/**
 * One member of a Raft cluster, as a deterministic function of its inputs: given the same start, events, times and seed
 * it gives the same updates. Does nothing by itself: no I/O, no timers, no clock, no chance.
 */
export class Raft {
  readonly #state: RaftState;
  readonly #checks: boolean;

  constructor(config: RaftConfig) {
    const log = new RaftLog(config.log);
    assert(config.appliedIndex <= log.lastIndex, 'what was applied is in the log');
    assert(config.appliedIndex >= log.firstIndex - 1, 'what was not applied is in the log');
    assert(config.hardState.term >= log.lastTerm, 'the term is not older than the log');
    const configurations = [config.configuration, ...config.configurationEntries.map(readConfiguration)];
    this.#checks = config.checkInvariants;
    this.#state = {
      id: config.id,
      options: config.options,
      rng: config.rng,
      now: config.now,
      term: config.hardState.term,
      votedFor: config.hardState.votedFor,
      log,
      commitIndex: config.appliedIndex,
      appliedIndex: config.appliedIndex,
      durableIndex: log.lastIndex,
      unpersisted: [],
      nextSequence: 1,
      configuration: (configurations.at(-1) ?? config.configuration).configuration,
      configurations,
      startedAt: config.now,
      role: 'follower',
      leader: undefined,
      leaderContactAt: -Infinity,
      electionDeadline: 0,
      verifiedIndex: 0,
      answeredReadRound: 0,
      acknowledgedIndex: 0,
      acknowledgedAt: -Infinity,
      reachedSinceStart: new Set(),
      followsClosely: false,
      campaign: undefined,
      leading: undefined,
      turn: newTurn(),
    };
    resetElectionTimer(this.#state);
    campaignSoonAfterStart(this.#state);
  }

  /** Handles one event at time `now`, which never falls. */
  step(event: Event, now: number): Update {
    return this.turn([event], now);
  }

  /** Handles events that arrived together, in order; what they cause leaves together. */
  turn(events: readonly Event[], now: number): Update {
    const state = this.#state;
    assert(now >= state.now, 'time never falls');
    const before = invariantSnapshot(state);
    const leaderBefore = state.leader;
    state.now = now;
    for (const event of events) dispatch(state, event);
    if (state.leading !== undefined) supplyPeers(state, state.leading);
    if (state.turn.acknowledge && state.role === 'follower' && state.leader !== undefined) sendAcknowledgement(state);
    const persist = takePersist(state);
    if (this.#checks) checkInvariants(before, state);
    const { role, term, leader } = state;
    const changed = role !== before.role || term !== before.term || leader !== leaderBefore;
    const { turn, commitIndex } = state;
    state.turn = newTurn();
    return {
      persist,
      messages: turn.messages,
      commitIndex,
      proposed: turn.proposed,
      reads: turn.reads,
      changes: turn.changes,
      transfers: turn.transfers,
      loads: turn.loads,
      snapshots: turn.snapshots,
      install: turn.install,
      warnings: turn.warnings,
      change: changed ? { role, term, leader } : undefined,
    };
  }

  /** When a `tick` is due at the latest, if nothing happens before. An earlier one does no harm. */
  get nextTickAt(): number {
    const state = this.#state;
    return state.leading === undefined ? state.electionDeadline : leaderDeadline(state, state.leading);
  }

  /**
   * Entries `first` to `last`, or as many of the first of them as fit in `maxBytes` (at least one).
   *
   * @returns `undefined` if they are no longer in memory: read them from storage
   */
  entries(first: number, last: number, maxBytes: number): readonly Entry[] | undefined {
    return this.#state.log.slice(first, last, maxBytes);
  }

  /** The configuration in force: the latest in the log, committed (`index` up to the commit index) or not. */
  get configuration(): ConfigurationAt {
    return required(this.#state.configurations.at(-1), 'there is a configuration');
  }

  /** A leader's view of every peer at time `now`; empty for others. */
  peers(now: number): readonly PeerStatus[] {
    return peersOf(this.#state, now);
  }

  /**
   * Describes a state that stands for all entries up to `index`: for a snapshot, or for what to start from once the log
   * begins after it.
   *
   * @param index from the place before the log's first entry to its last
   * @throws AssertionError outside the log
   */
  snapshotAt(index: number): SnapshotDescription {
    const term = required(this.#state.log.termAt(index), 'a snapshot ends within the log');
    return { last: { index, term }, configuration: configurationAt(this.#state, index) };
  }

  get status(): RaftStatus {
    return statusOf(this.#state);
  }

  /** True if this member leads with a quorum's consent, or follows a leader it heard from, within an election timeout. */
  hasQuorum(now: number): boolean {
    const state = this.#state;
    if (state.leading !== undefined) {
      return state.commitIndex >= state.leading.firstIndex && hasQuorumContact(state, state.leading, now);
    }
    return state.leader !== undefined && now - state.leaderContactAt < state.options.electionTimeoutMs;
  }

  /**
   * True if this member leads and, with `leaseReads`, would confirm a read at time `now` without asking anybody: then nobody
   * else leads in a later term, as long as clocks differ by no more than `maxClockDrift` (thesis §6.4.1).
   */
  holdsReadLease(now: number): boolean {
    const { leading } = this.#state;
    return leading !== undefined && mayReadUnderLease(this.#state, leading, now);
  }
}

function readConfiguration(entry: Entry): ConfigurationAt {
  const decoded = decodeConfiguration(entry.payload);
  assert(decoded !== undefined, 'a configuration entry of the log can be read');
  return { index: entry.index, ...decoded };
}

function dispatch(state: RaftState, event: Event): void {
  switch (event.kind) {
    case 'tick':
      onTick(state);
      return;
    case 'receive':
      receive(state, event.from, event.message);
      return;
    case 'propose':
      receiveProposals(state, event);
      return;
    case 'read':
      receiveRead(state, event);
      return;
    case 'persisted':
      onPersisted(state, event.sequence);
      return;
    case 'loaded':
      receiveLoaded(state, event.peer, event.entries);
      return;
    case 'applied':
      onApplied(state, event.index);
      return;
    case 'prefix-removed':
      onPrefixRemoved(state, event.index);
      return;
    case 'snapshot-sent':
      state.leading?.peers.get(event.peer)?.onSnapshotSent(event.lastIndex, event.delivered);
      return;
    case 'follow-closely':
      state.followsClosely = event.wanted;
      return;
    case 'change-configuration':
      receiveChange(state, event);
      return;
    case 'transfer-leadership':
      receiveTransfer(state, event.id, event.to);
      return;
    case 'unreachable':
      state.leading?.peers.get(event.peer)?.onLost();
      return;
    case 'peer-gone':
      onPeerGone(state, event.peer);
      return;
    case 'peer-reached':
      onPeerReached(state, event.peer);
      return;
    default:
      unreachable(event);
  }
}

function receive(state: RaftState, from: MemberId, message: Message): void {
  switch (message.kind) {
    case 'append-entries':
      receiveAppendEntries(state, from, message);
      return;
    case 'append-entries-response':
      receiveAppendEntriesResponse(state, from, message);
      return;
    case 'request-vote':
      receiveRequestVote(state, from, message);
      return;
    case 'request-vote-response':
      receiveRequestVoteResponse(state, from, message);
      return;
    case 'timeout-now':
      receiveTimeoutNow(state, from, message);
      return;
    case 'install-snapshot':
      receiveInstallSnapshot(state, from, message);
      return;
    default:
      unreachable(message);
  }
}

function onTick(state: RaftState): void {
  if (state.leading === undefined) {
    if (state.now >= state.electionDeadline) onElectionTimeout(state);
    return;
  }
  // Thesis §6.2: a leader that reaches no quorum serves nobody and must not look as if it did.
  if (!hasQuorumContact(state, state.leading, state.now)) becomeFollower(state, state.term, undefined);
}

function onApplied(state: RaftState, index: number): void {
  assert(index >= state.appliedIndex && index <= state.commitIndex, 'entries are applied in order once committed');
  state.appliedIndex = index;
  state.log.evict(Math.min(index, state.durableIndex), state.options.maxCachedBytes);
}
