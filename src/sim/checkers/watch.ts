/** The checkers of the protocol, and of whatever else is given, joined: every observation goes to all that care for it. */
import type { ResultTexts } from '../model/result-text';
import type { Entry, LogPosition, MemberId, Persist } from '../../raft';
import type { PeerMessage, SnapshotOffer } from '../../transport/transport';
import type { Checker } from './checker';
import { CommitChecker } from './commits';
import { ElectionChecker } from './elections';
import type { History } from './history';
import { LogChecker } from './logs';
import type { MemberView } from './member-view';
import { PromiseChecker } from './promises';

export interface WatchOptions {
  readonly history: History;
  readonly electionTimeoutMs: number;
  /** Checkers of what stands above the protocol. */
  readonly more?: readonly Checker[];
}

/** Every method throws a `Violation` when an invariant is broken. */
export class Watch {
  readonly history: History;
  readonly elections: ElectionChecker;
  readonly logs: LogChecker;
  readonly promises: PromiseChecker;
  readonly #checkers: readonly Checker[];

  constructor({ history, electionTimeoutMs, more = [] }: WatchOptions) {
    this.history = history;
    this.elections = new ElectionChecker(history, { electionTimeoutMs });
    this.logs = new LogChecker(history);
    this.promises = new PromiseChecker(history);
    const commits = new CommitChecker(history, (entry) => this.#committed(entry));
    // In the order in which one relies on another: who leads, then what is committed, then what is made of it.
    this.#checkers = [this.elections, this.logs, this.promises, commits, ...more];
  }

  started(member: MemberView): void {
    for (const checker of this.#checkers) checker.started?.(member);
  }

  given(member: MemberView, persist: Persist): void {
    for (const checker of this.#checkers) checker.given?.(member, persist);
  }

  durable(member: MemberView, persist: Persist): void {
    for (const checker of this.#checkers) checker.durable?.(member, persist);
  }

  sent(member: MemberView, to: MemberId, message: PeerMessage): void {
    for (const checker of this.#checkers) checker.sent?.(member, to, message);
  }

  received(member: MemberView, from: MemberId, message: PeerMessage): void {
    for (const checker of this.#checkers) checker.received?.(member, from, message);
  }

  gone(member: MemberView, peer: MemberId): void {
    for (const checker of this.#checkers) checker.gone?.(member, peer);
  }

  offered(member: MemberView, offer: SnapshotOffer): void {
    for (const checker of this.#checkers) checker.offered?.(member, offer);
  }

  turned(member: MemberView): void {
    for (const checker of this.#checkers) checker.turned?.(member);
  }

  applied(member: MemberView, entries: readonly Entry[], results: readonly ResultTexts[]): void {
    for (const checker of this.#checkers) checker.applied?.(member, entries, results);
  }

  installed(member: MemberView, last: LogPosition, hash: string): void {
    for (const checker of this.#checkers) checker.installed?.(member, last, hash);
  }

  #committed(entry: Entry): void {
    for (const checker of this.#checkers) checker.committed?.(entry);
  }
}
