/** Joins the checkers: every observation goes to all of those that care for it. The first violation is kept. */
import type { Configuration, Entry, MemberId, Persist } from '../../raft';
import type { PeerMessage } from '../../transport/transport';
import type { Answer, Call } from '../workload/call';
import { AnswerChecker } from './answers';
import { ApplyChecker } from './applying';
import { Violation, type Checker } from './checker';
import { CommitChecker } from './commits';
import { ContactChecker } from './contact';
import { ElectionChecker } from './elections';
import { History } from './history';
import { LogChecker } from './logs';
import type { MemberView } from './member-view';
import { ModelChecker } from './model';
import { PromiseChecker } from './promises';

export interface WitnessOptions {
  readonly members: ReadonlyMap<MemberId, MemberView>;
  readonly configuration: Configuration;
  readonly electionTimeoutMs: number;
}

export class Witness {
  readonly history: History;
  readonly elections: ElectionChecker;
  readonly logs: LogChecker;
  readonly promises: PromiseChecker;
  readonly applying: ApplyChecker;
  readonly model = new ModelChecker();
  readonly answers: AnswerChecker;
  readonly contact: ContactChecker;
  violation: Violation | undefined;
  readonly #checkers: readonly Checker[];

  constructor({ members, configuration, electionTimeoutMs }: WitnessOptions) {
    const history = new History(members, configuration);
    this.history = history;
    this.elections = new ElectionChecker(history, { electionTimeoutMs });
    this.logs = new LogChecker(history);
    this.promises = new PromiseChecker(history);
    this.applying = new ApplyChecker(history);
    this.answers = new AnswerChecker(history, this.model);
    this.contact = new ContactChecker(history, { electionTimeoutMs });
    const commits = new CommitChecker(history, (entry) => this.#committed(entry));
    // In the order in which one relies on another: who leads, then what is committed, then what is made of it.
    this.#checkers = [
      ...[this.elections, this.logs, this.promises, commits],
      ...[this.model, this.applying, this.contact],
    ];
  }

  started(member: MemberView, appliedIndex: number): void {
    this.applying.restarted(member.id, appliedIndex);
    for (const checker of this.#checkers) checker.started?.(member);
  }

  given(member: MemberView, persist: Persist): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.given?.(member, persist);
    });
  }

  durable(member: MemberView, persist: Persist): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.durable?.(member, persist);
    });
  }

  sent(member: MemberView, to: MemberId, message: PeerMessage): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.sent?.(member, to, message);
    });
  }

  received(member: MemberView, from: MemberId, message: PeerMessage): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.received?.(member, from, message);
    });
  }

  turned(member: MemberView): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.turned?.(member);
    });
  }

  applied(member: MemberView, entries: readonly Entry[], results: readonly string[]): void {
    this.guard(() => {
      for (const checker of this.#checkers) checker.applied?.(member, entries, results);
    });
  }

  invoked(call: Call): void {
    this.answers.invoked(call);
  }

  answered(call: Call, answer: Answer, life: string): void {
    this.guard(() => this.answers.answered(call, answer, life));
  }

  returned(call: Call): void {
    this.guard(() => this.answers.returned(call));
  }

  /** Keeps the first violation; what comes after it may be its consequence. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation ??= error;
    }
  }

  #committed(entry: Entry): void {
    for (const checker of this.#checkers) checker.committed?.(entry);
  }
}
