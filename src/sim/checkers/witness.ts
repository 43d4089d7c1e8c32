/** Sees everything in the simulated world, from the disks to the clients, and keeps the first violation. */
import type { Configuration, Entry, MemberId, Persist } from '../../raft';
import type { PeerMessage } from '../../transport/transport';
import type { Answer, Call, ReadAnswer } from '../workload/call';
import { AnswerChecker } from './answers';
import { ApplyChecker } from './applying';
import { Violation } from './checker';
import { ContactChecker } from './contact';
import { History } from './history';
import type { MemberView } from './member-view';
import { ModelChecker } from './model';
import { Watch } from './watch';

export interface WitnessOptions {
  readonly members: ReadonlyMap<MemberId, MemberView>;
  readonly configuration: Configuration;
  readonly electionTimeoutMs: number;
}

export class Witness {
  readonly history: History;
  readonly watch: Watch;
  readonly applying: ApplyChecker;
  violation: Violation | undefined;
  readonly #answers: AnswerChecker;
  readonly #contact: ContactChecker;

  constructor({ members, configuration, electionTimeoutMs }: WitnessOptions) {
    const history = new History(members, configuration);
    const model = new ModelChecker();
    this.history = history;
    this.applying = new ApplyChecker(history);
    this.#answers = new AnswerChecker(history, model);
    this.#contact = new ContactChecker(history, { electionTimeoutMs });
    this.watch = new Watch({ history, electionTimeoutMs, more: [model, this.applying, this.#contact] });
  }

  started(member: MemberView, appliedIndex: number): void {
    this.applying.restarted(member.id, appliedIndex);
    this.watch.started(member);
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

  turned(member: MemberView): void {
    this.#guard(() => this.watch.turned(member));
  }

  applied(member: MemberView, entries: readonly Entry[], results: readonly string[]): void {
    this.#guard(() => this.watch.applied(member, entries, results));
  }

  /** From time to time, also at a member that does nothing. */
  looked(member: MemberView): void {
    this.#guard(() => this.#contact.look(member));
  }

  invoked(call: Call): void {
    this.#answers.invoked(call);
  }

  /** A member answers; the answer may still be lost. */
  answered(call: Call, answer: Answer, life: string): void {
    this.#guard(() => this.#answers.answered(call, answer, life));
  }

  /** The whole store of a member. */
  shown(answer: ReadAnswer): void {
    this.#guard(() => this.#answers.shown(answer));
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
