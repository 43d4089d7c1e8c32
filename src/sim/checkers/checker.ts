/** What a checker is: it watches everything that every member does, and says which invariant broke. */
import type { ResultTexts } from '../model/result-text';
import type { Entry, LogPosition, MemberId, Persist } from '../../raft';
import type { PeerMessage, SnapshotOffer } from '../../transport/transport';
import type { MemberView } from './member-view';

/** A broken invariant, by its name in docs/invariants.md. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, sentence: string) {
    super(`${invariant}: ${sentence}`);
    this.invariant = invariant;
  }
}

/** @throws Violation unless the sentence is true */
export function check(condition: boolean, invariant: string, sentence: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, sentence());
}

/**
 * Told of everything at the instant it happens; each method costs in proportion to what changed. Throws a `Violation`.
 * The optional methods are those it cares for.
 */
export interface Checker {
  /** The invariants it watches. */
  readonly names: readonly string[];
  /** A life of a member begins; its log is what its disk holds. */
  started?(member: MemberView): void;
  /** A member hands something to its storage. Its log is still the one before. */
  given?(member: MemberView, persist: Persist): void;
  /** A power cut would leave this from now on. */
  durable?(member: MemberView, persist: Persist): void;
  /** A message leaves. */
  sent?(member: MemberView, to: MemberId, message: PeerMessage): void;
  /** A message arrives, before the turn that handles it. */
  received?(member: MemberView, from: MemberId, message: PeerMessage): void;
  /** A member is told that a peer is gone, before the turn that handles it. */
  gone?(member: MemberView, peer: MemberId): void;
  /** A peer wants to send this member a snapshot. */
  offered?(member: MemberView, offer: SnapshotOffer): void;
  /** A turn has ended, or is about to apply: `member.seen` is new, `member.before` what it was. */
  turned?(member: MemberView): void;
  /** An entry is committed for the first time anywhere. */
  committed?(entry: Entry): void;
  /** The state machine has applied entries; the results are as text, equal for equal results. */
  applied?(member: MemberView, entries: readonly Entry[], results: readonly ResultTexts[]): void;
  /** A snapshot took the place of the state; `hash` is over all of it. */
  installed?(member: MemberView, last: LogPosition, hash: string): void;
}
