/** The members of the cluster as this member knows them, and the way to change them. */
import type { Scheduler } from '../base/clock';
import type { Logger } from '../base/logger';
import type { ConfigurationAt, MemberId, Update } from '../raft';
import type { PeerMessage, Transport } from '../transport/transport';
import type { CallContext } from './call';
import type { Driver } from './driver';
import { decodeDirectory, standingOf, type ListedMember } from './member-directory';
import { MembershipDesk, type DeskAnswer } from './membership-desk';
import type { Wish } from './membership-plan';
import { MembershipRequests } from './membership-requests';
import { decodeDeskAnswer, decodeWish, encodeDeskAnswer, encodeWish } from './membership-wire';
import type { NodeOptions } from './options';

/** How long a member goes on after it learned that it was removed, ms. */
const lastWordsMs = 500;

/** What the membership works with. */
export interface MembershipParts {
  readonly id: MemberId;
  readonly options: NodeOptions;
  readonly scheduler: Scheduler;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly driver: Pick<
    Driver<unknown>,
    'appliedIndex' | 'configuration' | 'peers' | 'post' | 'scheduleTurn' | 'status'
  >;
  /** Called once, as soon as it is certain that this member was removed: it can serve nobody any more. */
  onLeft(): void;
  /** Called once, a moment later. */
  onRemoved(): void;
  /** A wish must be handed to a leader again, a little later. */
  onRefused(): void;
}

/** Follows the configuration in force: who is reached where, who is gone. Passes wishes to the leader's desk. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #desk: MembershipDesk;
  readonly #requests: MembershipRequests;
  #followed: ConfigurationAt | undefined;
  #members: readonly ListedMember[] = [];
  /** Members of the directory that left the configuration, and perhaps do not know it yet. */
  #leaving: readonly MemberId[] = [];
  /** The configuration followed says that this member was one and is none any more. */
  #isFormer = false;
  #wasRemoved = false;

  constructor(parts: MembershipParts) {
    const { id, options, scheduler, driver } = parts;
    this.#parts = parts;
    this.#requests = new MembershipRequests(options);
    this.#desk = new MembershipDesk({
      id,
      scheduler,
      retryMs: options.retryIntervalMs,
      maxWaiting: options.maxWaitingChanges,
      status: () => driver.status,
      configuration: () => driver.configuration,
      peers: () => driver.peers,
      post: (event) => {
        driver.post(event);
      },
    });
  }

  /** The members of the configuration in force, by name. */
  get members(): readonly ListedMember[] {
    return this.#members;
  }

  get isIdle(): boolean {
    return this.#requests.isIdle;
  }

  /** Reaches the members that the log names. Before the transport starts. */
  start(): void {
    this.#follow();
  }

  /**
   * Has the leader, wherever it is, change the members or hand over leadership.
   *
   * @returns the log index since which it holds; applied here
   * @throws QuorateError with outcome `not-done`: `change-refused`, `no-leader`, `overloaded`, `stopping`; with outcome
   *   `unknown`: `outcome-unknown`
   */
  request(wish: Wish, call: CallContext): Promise<number> {
    const done = this.#requests.add(wish, call);
    this.#parts.driver.scheduleTurn();
    return done;
  }

  /** Hands over the leadership that this member has, if it has it: a wish that no other leader is asked for. */
  resign(): Promise<DeskAnswer> {
    return new Promise((resolve) => {
      this.#desk.take({ $case: 'transfer', value: { name: '' } }, resolve);
    });
  }

  /** Hands what waits to the leader. */
  supplyLeader(leader: MemberId, nextRequestId: () => number): void {
    for (;;) {
      const outgoing = this.#requests.takeNext(nextRequestId());
      if (outgoing === undefined) return;
      const { requestId, wish } = outgoing;
      if (leader === this.#parts.id) {
        this.#desk.take(wish, (answer) => {
          this.#onAnswer(requestId, answer);
        });
      } else {
        const payload = encodeWish(wish);
        const sent = this.#parts.transport.send(leader, { kind: 'forward-change', requestId, payload });
        if (!sent) {
          this.#onAnswer(requestId, { kind: 'not-leader' });
          return;
        }
      }
    }
  }

  /** Another member passes a wish on, or answers one. */
  receive(from: MemberId, message: Extract<PeerMessage, { kind: 'forward-change' | 'forward-change-result' }>): void {
    const { requestId, payload } = message;
    if (message.kind === 'forward-change-result') {
      const answer = decodeDeskAnswer(payload);
      if (answer !== undefined) this.#onAnswer(requestId, answer);
      return;
    }
    const wish = decodeWish(payload);
    if (wish === undefined) return;
    this.#desk.take(wish, (answer) => {
      const reply: PeerMessage =
        answer.kind === 'not-leader'
          ? { kind: 'forward-refused', requestId, reason: 'not-leader' }
          : { kind: 'forward-change-result', requestId, payload: encodeDeskAnswer(answer) };
      this.#parts.transport.send(from, reply);
    });
  }

  /** A leader did not take the request; returns false if it is none of these. */
  onNotTaken(requestId: number): boolean {
    return this.#requests.onAnswer(requestId, { kind: 'not-leader' }, this.#parts.driver.appliedIndex);
  }

  /** A turn of the core is over. */
  onUpdate(update: Update): void {
    this.#follow();
    this.#desk.onUpdate(update);
    this.#noticeRemoval(update.commitIndex);
  }

  onApplied(index: number): void {
    this.#requests.onApplied(index);
  }

  sweep(now: number, leader: MemberId | undefined): void {
    this.#requests.sweep(now, leader);
  }

  stop(): void {
    this.#desk.stop();
    this.#requests.stop();
  }

  #onAnswer(requestId: number, answer: DeskAnswer): void {
    this.#requests.onAnswer(requestId, answer, this.#parts.driver.appliedIndex);
    if (answer.kind === 'not-leader') this.#parts.onRefused();
  }

  /** Reaches the members of the configuration in force, and those that leave until they have been told. */
  #follow(): void {
    const { driver, transport } = this.#parts;
    const inForce = driver.configuration;
    const isNew = inForce !== this.#followed;
    if (!isNew && this.#leaving.length === 0) return;
    const directory = decodeDirectory(inForce.context);
    const told = new Set(driver.peers.filter(({ isLeaving }) => isLeaving).map(({ peer }) => peer));
    const leaving = directory.filter(({ id }) => told.has(id));
    if (!isNew && leaving.length === this.#leaving.length) return;
    this.#followed = inForce;
    this.#isFormer = inForce.configuration.removed.includes(this.#parts.id);
    this.#leaving = leaving.map(({ id }) => id);
    this.#members = directory
      .flatMap(({ id, name, peerAddress, clientAddress, awaitsStart }) => {
        const standing = standingOf(inForce.configuration, id);
        return standing === undefined ? [] : [{ id, name, peerAddress, clientAddress, standing, awaitsStart }];
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const reached = [...this.#members, ...leaving].filter(({ id }) => id !== this.#parts.id);
    transport.updatePeers(reached.map(({ id, peerAddress }) => ({ id, address: peerAddress })));
  }

  #noticeRemoval(commitIndex: number): void {
    const { index } = this.#parts.driver.configuration;
    if (this.#wasRemoved || !this.#isFormer || index > commitIndex) return;
    this.#wasRemoved = true;
    this.#parts.logger.warn({ index }, 'this member was removed from the cluster');
    this.#requests.stop();
    this.#parts.onLeft();
    // What it still has to say, to the caller who had it removed and to the others, gets a moment to leave.
    this.#parts.scheduler.after(lastWordsMs, () => {
      this.#parts.onRemoved();
    });
  }
}
