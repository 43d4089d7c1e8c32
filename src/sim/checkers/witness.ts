/** Sees everything in the simulated world, from the disks to the clients, and keeps the first violation. */
import type { ResultTexts } from '../model/result-text';
import type { Configuration, Entry, LogPosition, MemberId, Persist } from '../../raft';
import type { PeerMessage, SnapshotOffer } from '../../transport/transport';
import type { WatchBatch } from '../../kv/watch';
import type { Memory } from '../model/requests';
import type { Answer, Call, ReadAnswer } from '../workload/call';
import type { WatchSession } from '../workload/watcher';
import { AnswerChecker } from './answers';
import { ApplyChecker } from './applying';
import { Violation } from './checker';
import { ContactChecker } from './contact';
import { History } from './history';
import { LeaseChecker, type LeaseCheckerOptions } from './leases';
import type { MemberView } from './member-view';
import { MembershipChecker } from './membership';
import { ModelChecker } from './model';
import { ReadLeaseChecker } from './read-leases';
import { SnapshotChecker } from './snapshots';
import { Watch } from './watch';
import { WatchingChecker } from './watching';

export interface WitnessOptions {
  readonly members: ReadonlyMap<MemberId, MemberView>;
  readonly configuration: Configuration;
  readonly electionTimeoutMs: number;
  readonly maxPromotionLag: number;
  /** What members remember of requests. */
  readonly memory: Memory;
  readonly leases: LeaseCheckerOptions;
}

export class Witness {
  readonly history: History;
  readonly watch: Watch;
  readonly applying: ApplyChecker;
  readonly snapshots: SnapshotChecker;
  readonly membership: MembershipChecker;
  readonly model: ModelChecker;
  readonly leases: LeaseChecker;
  readonly watching: WatchingChecker;
  violation: Violation | undefined;
  readonly #answers: AnswerChecker;
  readonly #contact: ContactChecker;

  constructor(options: WitnessOptions) {
    const { members, configuration, electionTimeoutMs, maxPromotionLag, memory } = options;
    const history = new History(members, configuration);
    const model = new ModelChecker(memory);
    this.history = history;
    this.model = model;
    this.leases = new LeaseChecker(model, options.leases);
    this.watching = new WatchingChecker(model);
    this.applying = new ApplyChecker(history);
    this.snapshots = new SnapshotChecker(history, memory);
    this.membership = new MembershipChecker(history, { maxPromotionLag });
    this.#answers = new AnswerChecker(history, model);
    this.#contact = new ContactChecker(history, { electionTimeoutMs });
    this.watch = new Watch({
      history,
      electionTimeoutMs,
      // The model first: others ask it what an entry has done.
      more: [
        this.membership,
        model,
        this.leases,
        this.applying,
        this.snapshots,
        this.#contact,
        new ReadLeaseChecker(history),
      ],
    });
  }

  started(member: MemberView, appliedIndex: number): void {
    this.applying.restarted(member.id, appliedIndex);
    this.#guard(() => this.watch.started(member));
  }

  given(member: MemberView, persist: Persist): void {
    this.#guard(() => this.watch.given(member, persist));
  }

  durable(member: MemberView, persist: Persist): void {
    this.#guard(() => this.watch.durable(member, persist));
  }

  sent(member: MemberView, to: MemberId, message: PeerMessage): void {
    this.#guard(() => this.watch.sent(member, to, message));
  }

  received(member: MemberView, from: MemberId, message: PeerMessage): void {
    this.#guard(() => this.watch.received(member, from, message));
  }

  gone(member: MemberView, peer: MemberId): void {
    this.#guard(() => this.watch.gone(member, peer));
  }

  offered(member: MemberView, offer: SnapshotOffer): void {
    this.#guard(() => this.watch.offered(member, offer));
  }

  turned(member: MemberView): void {
    this.#guard(() => this.watch.turned(member));
  }

  applied(member: MemberView, entries: readonly Entry[], results: readonly ResultTexts[]): void {
    this.#guard(() => this.watch.applied(member, entries, results));
  }

  installed(member: MemberView, last: LogPosition, hash: string): void {
    this.#guard(() => this.watch.installed(member, last, hash));
  }

  /** From time to time, also at a member that does nothing. */
  looked(member: MemberView, inForce: readonly MemberId[]): void {
    this.#guard(() => {
      this.#contact.look(member);
      this.membership.looked(member, inForce);
    });
  }

  /** The front of a member's log is gone. */
  cut(member: MemberView, index: number): void {
    this.#guard(() => this.snapshots.cut(member, index));
  }

  /** An operator was told that this member was surely not added. */
  refusedMember(id: MemberId): void {
    this.#guard(() => this.membership.forbid(id));
  }

  invoked(call: Call): void {
    this.#answers.invoked(call);
  }

  /** A member answers; the answer may still be lost. */
  answered(call: Call, answer: Answer, life: string): void {
    this.#guard(() => {
      const index = this.#answers.answered(call, answer, life);
      if (index !== undefined) this.leases.answered(call, answer, index);
    });
  }

  /** The whole store of a member. */
  shown(answer: ReadAnswer): void {
    this.#guard(() => this.#answers.shown(answer));
  }

  opened(session: WatchSession): void {
    this.#guard(() => this.watching.opened(session));
  }

  took(session: WatchSession, batch: WatchBatch | undefined): void {
    this.#guard(() => this.watching.took(session, batch));
  }

  returned(call: Call): void {
    this.#guard(() => this.#answers.returned(call));
  }

  /** The members' code must not notice that it is watched. What comes after the first violation may be its consequence. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation ??= error;
    }
  }
}
