/** One member at work: the driver with its callers, its snapshots, its members, and what other members ask of it. */
import type { TurnScheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import { between, type Rng } from '../base/rng';
import type { MemberId, RaftOptions, StateMachine, Update } from '../raft';
import type { Storage } from '../storage/storage';
import type { PeerMessage, Transport } from '../transport/transport';
import type { CallContext, MembershipAuthority, Proposer } from './call';
import { Callers } from './callers';
import type { CommandGroups } from './command-groups';
import { Driver, type TurnListener } from './driver';
import { ForwardDesk } from './forward-desk';
import { LogCompaction } from './log-compaction';
import { standingOf, type ListedMember } from './member-directory';
import { Membership } from './membership';
import type { Wish } from './membership-plan';
import type { NodeOptions } from './options';
import { PeerRegistry } from './peer-registry';
import { SnapshotReception } from './snapshot-reception';
import { SnapshotSender } from './snapshot-sender';
import type { NodeStatus } from './status';

/** What a node is made of. */
export interface NodeParts<Result> {
  readonly id: MemberId;
  readonly raftOptions: RaftOptions;
  readonly nodeOptions: NodeOptions;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly stateMachine: StateMachine<Result>;
  /** Without it, every command has an entry of its own. */
  readonly groups: CommandGroups<Result> | undefined;
  readonly scheduler: TurnScheduler;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Check the core's invariants after every turn. */
  readonly checkInvariants: boolean;
  /** Called once, when the member must not go on: its disk failed or its own code is wrong. Nobody is answered after. */
  readonly onFatal: (error: Error) => void;
  /** Called once, when it is certain that this member was removed from the cluster; it should be stopped then. */
  readonly onRemoved: () => void;
}

/** A leader with a slow disk does not try to hand over more often than this, ms. */
const resignIntervalMs = 5000;

/** A member of the cluster, over interfaces only: the same in production and in the simulator. */
export class Node<Result> implements Proposer<Result>, MembershipAuthority {
  readonly #parts: NodeParts<Result>;
  readonly #driver: Driver<Result>;
  readonly #callers: Callers<Result>;
  readonly #forwards: ForwardDesk;
  readonly #membership: Membership;
  readonly #compaction: LogCompaction;
  readonly #sender: SnapshotSender;
  readonly #reception: SnapshotReception;
  readonly #registry: PeerRegistry;
  #mayResignAt = -Infinity;
  /** Removed from the cluster: it is about to be stopped, and others must be asked. */
  #hasLeft = false;

  constructor(parts: NodeParts<Result>) {
    const { nodeOptions: options, stateMachine, logger, transport, scheduler } = parts;
    this.#parts = parts;
    const onFatal = (error: Error): void => {
      this.#callers.halt();
      parts.onFatal(error);
    };
    const { maxApplyBytes } = options;
    const driver = new Driver({ ...parts, maxApplyBytes, onFatal }, this.#listener());
    this.#driver = driver;
    const onRefused = (): void => {
      this.#callers.retryLater();
    };
    const onLeft = (): void => {
      this.#hasLeft = true;
      this.#callers.stop();
    };
    this.#membership = new Membership({ ...parts, options, driver, onRefused, onLeft });
    this.#callers = new Callers({ ...parts, options, driver, membership: this.#membership });
    this.#forwards = new ForwardDesk(transport);
    const { snapshotRetryMs: retryMs } = options;
    this.#sender = new SnapshotSender({ stateMachine, transport, scheduler, logger, driver, retryMs });
    this.#compaction = new LogCompaction({ ...parts, options, driver, sender: this.#sender });
    this.#reception = new SnapshotReception({ stateMachine, logger, driver });
    this.#registry = this.#makeRegistry();
  }

  /** Joins the cluster: listens to peers, and campaigns when it hears of no leader. */
  async start(): Promise<void> {
    this.#driver.start();
    this.#membership.start();
    await this.#parts.transport.start({
      admit: (peer, incarnation) => this.#registry.admit(peer, incarnation),
      refused: (by) => {
        this.#condemnSelf(by);
      },
      receive: (from, message) => {
        this.#receive(from, message);
      },
      unreachable: (peer) => {
        this.#driver.post({ kind: 'unreachable', peer });
      },
      gone: (peer) => {
        this.#driver.post({ kind: 'peer-gone', peer });
      },
      reached: (peer) => {
        this.#driver.post({ kind: 'peer-reached', peer });
      },
      acceptSnapshot: (from, offer) => {
        if (!this.#driver.isRunning) return Promise.reject(notRunning());
        return this.#reception.accept(from, offer);
      },
    });
  }

  /** Leaves without a word to the others, tells waiting callers what is known. Storage and state machine stay open. */
  async stop(): Promise<void> {
    if (this.#driver.stop()) {
      this.#callers.stop();
      this.#membership.stop();
    }
    await this.#parts.transport.stop();
  }

  propose(command: Uint8Array, call: CallContext): Promise<Result> {
    return this.#serves ? this.#callers.propose(command, call) : Promise.reject(notRunning());
  }

  readBarrier(call: CallContext): Promise<void> {
    return this.#serves ? this.#callers.readBarrier(call) : Promise.reject(notRunning());
  }

  /** Whether this member, while it follows, is to hear of every commit at once (`follow-closely` of the core). */
  followClosely(wanted: boolean): void {
    this.#driver.post({ kind: 'follow-closely', wanted });
  }

  members(): readonly ListedMember[] {
    return this.#membership.members;
  }

  newMemberId(): MemberId {
    const { rng } = this.#parts;
    // Drawn, not derived from the name: a member that comes back under an old name is another one (invariant M7).
    return BigInt(between(rng, 1, 2 ** 31)) * 2n ** 32n + BigInt(rng.nextUint32());
  }

  changeMembers(wish: Wish, call: CallContext): Promise<number> {
    if (!this.#serves) return Promise.reject(notRunning());
    const done = this.#membership.request(wish, call);
    this.#callers.wake();
    return done;
  }

  /**
   * Hands leadership over if this member has it, as before it stops. Returns when that is done, or nobody took it within
   * an election timeout. Whoever leads by then keeps it. Never rejects.
   */
  async resign(): Promise<void> {
    if (!this.#driver.isRunning) return;
    const answer = await this.#membership.resign();
    if (answer.kind === 'refused') {
      this.#parts.logger.warn({ reason: answer.message }, 'leadership was not handed over');
    }
  }

  get term(): number {
    return this.#driver.status.term;
  }

  status(): NodeStatus {
    const { role, term, leader, commitIndex, firstIndex, lastIndex, durableIndex } = this.#driver.status;
    return {
      role,
      term,
      leader,
      commitIndex,
      appliedIndex: this.#driver.appliedIndex,
      firstLogIndex: firstIndex,
      lastLogIndex: lastIndex,
      durableLogIndex: durableIndex,
      hasQuorum: this.#serves && this.#driver.hasQuorum,
      holdsReadLease: this.#driver.holdsReadLease,
      peers: this.#driver.peers.map(({ peer, state, matchIndex, silentMs }) => ({
        ...{ id: peer, state, matchIndex, silentMs },
      })),
    };
  }

  #makeRegistry(): PeerRegistry {
    const { storage, scheduler, logger } = this.#parts;
    return new PeerRegistry({
      known: storage.loaded.peerIncarnations,
      clock: scheduler,
      logger,
      isMember: (peer) => standingOf(this.#driver.configuration.configuration, peer) !== undefined,
      note: (peer, incarnation) => {
        this.#driver.whenDone(storage.notePeer(peer, incarnation), () => undefined);
      },
    });
  }

  /**
   * This member is not what a peer knew it as: it may have forgotten votes and entries that others count on. It says
   * nothing more, and sees to it that it does not come back either, however often it is started.
   */
  #condemnSelf(by: MemberId): void {
    if (!this.#driver.stop()) return;
    this.#callers.halt();
    const { id, storage, onFatal } = this.#parts;
    const name = this.members().find((member) => member.id === id)?.name ?? String(id);
    const error = refusedByPeer(name, by);
    const end = (): void => {
      onFatal(error);
    };
    // Whether that became durable or not, it must stop.
    storage.condemn().then(end, end);
  }

  get #serves(): boolean {
    return this.#driver.isRunning && !this.#hasLeft;
  }

  #listener(): TurnListener<Result> {
    return {
      beforeTurn: () => {
        this.#callers.supplyLeader();
      },
      onEntryApplied: (entry, result) => {
        this.#callers.onEntryApplied(entry, result);
        this.#compaction.onEntryApplied(entry);
      },
      onApplied: (appliedIndex) => {
        this.#callers.onApplied(appliedIndex);
        this.#membership.onApplied(appliedIndex);
        this.#compaction.cutIfDue();
      },
      onInstalled: (last) => {
        this.#parts.logger.info({ index: last.index }, 'a snapshot was installed');
        this.#callers.onInstalled(last);
        this.#compaction.onInstalled(last.index);
        this.#reception.onInstalled();
      },
      onUpdate: (update) => {
        this.#onUpdate(update);
        this.#callers.onTurnEnded();
      },
    };
  }

  #onUpdate(update: Update): void {
    for (const result of update.proposed) {
      if (result.id > 0) this.#forwards.onProposed(result);
      else this.#callers.onProposed(result);
    }
    for (const result of update.reads) {
      if (result.id > 0) this.#forwards.onRead(result);
      else this.#callers.onRead(result);
    }
    for (const warning of update.warnings) {
      this.#parts.logger.error({ ...warning }, 'a peer lacks what it had acknowledged: its disk was wiped or set back');
    }
    if (update.change !== undefined) this.#announce(update.change);
    for (const peer of update.snapshots) this.#sender.send(peer);
    this.#reception.onTurn(update.install);
    this.#membership.onUpdate(update);
    this.#resignIfSlow();
  }

  #announce({ role, term, leader }: NonNullable<Update['change']>): void {
    this.#parts.logger.info({ role, term, leader }, 'role, term or leader changed');
    // Whoever waits for a leader may have one now.
    this.#driver.scheduleTurn();
  }

  /** A leader that cannot write cannot lead; one with a better disk should. */
  #resignIfSlow(): void {
    const { scheduler, logger, nodeOptions } = this.#parts;
    const { diskDelayMs } = this.#driver;
    if (diskDelayMs < nodeOptions.slowDiskMs || this.#driver.status.role !== 'leader') return;
    const now = scheduler.now();
    if (now < this.#mayResignAt) return;
    this.#mayResignAt = now + resignIntervalMs;
    logger.warn({ diskDelayMs }, 'the disk of this leader is slow: it hands leadership over');
    void this.resign();
  }

  #receive(from: MemberId, message: PeerMessage): void {
    switch (message.kind) {
      case 'forward-proposals':
      case 'forward-read': {
        const event = this.#forwards.admit(from, message);
        if (event !== undefined) this.#driver.post(event);
        return;
      }
      case 'forward-read-index':
        this.#callers.onReadConfirmed(message.requestId, message.readIndex);
        return;
      case 'forward-refused':
        this.#callers.onRefused(message.requestId, message.reason);
        return;
      case 'forward-change':
      case 'forward-change-result':
        this.#membership.receive(from, message);
        return;
      case 'append-entries':
      case 'append-entries-response':
      case 'request-vote':
      case 'request-vote-response':
      case 'timeout-now':
        this.#driver.post({ kind: 'receive', from, message });
    }
  }
}

function refusedByPeer(name: string, by: MemberId): QuorateError {
  return new QuorateError(
    'refused-to-start',
    `member ${name} is known to the others with another disk (or a newer copy of this one): its data was lost or set ` +
      `back, or it was started twice (says member ${by}). Remove it and add a new one: quorate member replace ${name} ...`,
  );
}

function notRunning(): QuorateError {
  return new QuorateError('stopping', 'this member is stopping; nothing was done');
}
