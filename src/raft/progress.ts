/** What a leader knows of one peer's log, and how it sends to it. Every change of sending state is in this file. */
import { assert } from '../base/assert';
import type { RaftOptions } from './options';
import type { MemberId } from './types';

/** AppendEntries on its way, by its last entry. */
interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/**
 * - `snapshot`: what the peer lacks is no longer in the log; a snapshot is on its way and no entries are sent.
 * - `probe`: where the logs agree is not known; one message at a time, answered or given up at the next heartbeat.
 * - `replicate`: it is known; messages are pipelined up to the in-flight bounds.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** The leader's view of one peer (`nextIndex` and `matchIndex` of Figure 2, with flow control). */
export class Progress {
  readonly peer: MemberId;
  state: ProgressState = 'probe';
  /** The peer's log equals ours up to here, durably. Below `nextIndex`. Falls only if the peer proves to have lost it. */
  matchIndex = 0;
  /** The latest round of leadership confirmation when `matchIndex` last moved: whatever answers a later one is younger. */
  matchedRound = 0;
  /** Not a member any more: sent everything up to this entry, which removes it, so that it learns of it. */
  leavesAt: number | undefined;
  /** The next entry to send. */
  nextIndex: number;
  /** Probing: the one message is on its way, or left to the next heartbeat. */
  probeSent = false;
  /** Entries from `nextIndex` on are being read from storage. */
  loading = false;
  /** When the peer was last heard from in this term; at first, when it was first sent to. */
  lastContactAt: number;
  /** It was heard from in this term. */
  hasAnswered = false;
  /** When something was last sent that does not wait behind bulk. */
  lastSentAt = -Infinity;
  /** When `matchIndex` last moved, or the in-flight window was last empty. */
  lastProgressAt: number;
  /** The commit index the peer was last told. */
  sentCommit = 0;
  /** Callers at the peer wait for what is committed up to here. */
  awaitedCommit = 0;
  /** Somebody at the peer wants to hear of every commit at once. */
  followsClosely = false;
  /** The latest round of leadership confirmation that was sent and does not wait behind bulk, and that came back. */
  sentReadRound = 0;
  ackedReadRound = 0;
  readonly #inflight: Inflight[] = [];
  #inflightBytes = 0;

  constructor(peer: MemberId, nextIndex: number, now: number) {
    this.peer = peer;
    this.nextIndex = nextIndex;
    this.lastContactAt = now;
    this.lastProgressAt = now;
  }

  /** True if a message with entries may be sent now. */
  maySendEntries(options: RaftOptions): boolean {
    if (this.loading || this.state === 'snapshot') return false;
    if (this.state === 'probe') return !this.probeSent;
    return this.#inflight.length < options.maxInflightAppends && this.#inflightBytes < options.maxInflightBytes;
  }

  get hasInflight(): boolean {
    return this.#inflight.length > 0;
  }

  /** Bytes of entries that were sent and not yet acknowledged. */
  get inflightBytes(): number {
    return this.#inflightBytes;
  }

  /** True if the peer answered within the last `withinMs`. */
  isActive(now: number, withinMs: number): boolean {
    return this.hasAnswered && now - this.lastContactAt < withinMs;
  }

  /** The peer answered something. */
  onContact(now: number): void {
    this.lastContactAt = now;
    this.hasAnswered = true;
  }

  /** Callers at the peer wait for the commit of `index`. */
  onAwaited(index: number): void {
    this.awaitedCommit = Math.max(this.awaitedCommit, index);
  }

  /** Entries up to `lastIndex` were sent. */
  onSent(lastIndex: number, bytes: number, now: number): void {
    assert(lastIndex >= this.nextIndex, 'a message with entries moves on');
    if (this.state === 'probe') {
      this.probeSent = true;
      return;
    }
    if (this.#inflight.length === 0) this.lastProgressAt = now;
    this.#inflight.push({ lastIndex, bytes });
    this.#inflightBytes += bytes;
    this.nextIndex = lastIndex + 1;
  }

  /** The peer holds everything up to `matchIndex` durably; `round` is the latest round of leadership confirmation. */
  onMatched(matchIndex: number, now: number, round: number): void {
    if (matchIndex > this.matchIndex) {
      this.matchIndex = matchIndex;
      this.matchedRound = round;
      this.lastProgressAt = now;
    }
    this.#free(matchIndex);
    // While a snapshot is sent, an old answer may come in; what counts is that the log now continues from there.
    if (this.state !== 'replicate' && matchIndex >= this.nextIndex - 1) this.#becomeReplicate();
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
  }

  /**
   * The peer refused entries after `rejectedIndex`, which it never acknowledged; the logs may agree up to `lastPossible`.
   *
   * @returns false if the refusal is old news
   */
  onRejected(rejectedIndex: number, lastPossible: number): boolean {
    assert(rejectedIndex > this.matchIndex, 'what the peer acknowledged and refuses is another matter');
    if (this.state === 'snapshot') return false;
    if (this.state === 'probe' && rejectedIndex !== this.nextIndex - 1) return false;
    this.#becomeProbe(Math.min(lastPossible + 1, rejectedIndex));
    return true;
  }

  /** What was sent to follow `matchIndex` came before the entry there, and was refused: it is sent again. */
  onOvertaken(): void {
    assert(this.hasInflight, 'what is refused was sent');
    this.#becomeProbe(this.matchIndex + 1);
  }

  /** The peer proved to lack what it acknowledged; the logs may agree up to `lastPossible`. It begins from nothing. */
  onEntriesLost(lastPossible: number): void {
    this.matchIndex = 0;
    // A snapshot that is on its way is wanted all the more.
    if (this.state !== 'snapshot') this.#becomeProbe(lastPossible + 1);
  }

  /**
   * What is in flight may be lost: the next heartbeat finds out where the peer stands. Nothing is sent before, so that a
   * peer that cannot be reached is not asked again and again.
   */
  onLost(): void {
    if (this.state === 'snapshot') return;
    // While probing, the place in question stays: `matchIndex` may be 0 only because the peer never answered.
    this.#becomeProbe(this.state === 'probe' ? this.nextIndex : this.matchIndex + 1);
    this.probeSent = true;
  }

  /** A snapshot is wanted: the peer's next entry is no longer in the log, which begins with `firstIndex`. */
  onSnapshotNeeded(firstIndex: number): void {
    assert(firstIndex > this.nextIndex, 'a snapshot stands for entries the log no longer holds');
    this.#becomeProbe(firstIndex);
    this.state = 'snapshot';
  }

  /** The snapshot up to `lastIndex` was delivered, or was not; the next heartbeat finds out where the peer stands. */
  onSnapshotSent(lastIndex: number, delivered: boolean): void {
    if (this.state !== 'snapshot') return;
    this.#becomeProbe(delivered ? Math.max(this.nextIndex, lastIndex + 1) : this.nextIndex);
    this.probeSent = true;
  }

  /** A heartbeat is about to ask about the place before `nextIndex`, which must be one whose term the log still knows. */
  beforeProbe(firstIndex: number): void {
    this.nextIndex = Math.max(this.nextIndex, firstIndex);
  }

  #becomeReplicate(): void {
    this.state = 'replicate';
    this.probeSent = false;
    this.nextIndex = this.matchIndex + 1;
  }

  #becomeProbe(nextIndex: number): void {
    this.state = 'probe';
    this.probeSent = false;
    this.loading = false;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.#inflight.length = 0;
    this.#inflightBytes = 0;
  }

  #free(matchIndex: number): void {
    let freed = 0;
    for (const { lastIndex, bytes } of this.#inflight) {
      if (lastIndex > matchIndex) break;
      this.#inflightBytes -= bytes;
      freed++;
    }
    this.#inflight.splice(0, freed);
  }
}
