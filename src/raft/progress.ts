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
  /** The peer's log equals ours up to here, durably. Never falls. Always below `nextIndex`. */
  matchIndex = 0;
  /** Not a member any more: sent everything up to this entry, which removes it, so that it learns of it. */
  leavesAt: number | undefined;
  /** The next entry to send. */
  nextIndex: number;
  /** Probing: the one message is on its way, or left to the next heartbeat. */
  probeSent = false;
  /** Entries from `nextIndex` on are being read from storage. */
  loading = false;
  /** When the peer was last heard from in this term. */
  lastContactAt: number;
  /** When something was last sent. */
  lastSentAt = -Infinity;
  /** When `matchIndex` last moved, or the in-flight window was last empty. */
  lastProgressAt: number;
  /** The commit index the peer was last told. */
  sentCommit = 0;
  /** The latest round of leadership confirmation that was sent, and that came back. */
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

  /** The peer holds everything up to `matchIndex` durably. */
  onMatched(matchIndex: number, now: number): void {
    if (matchIndex > this.matchIndex) {
      this.matchIndex = matchIndex;
      this.lastProgressAt = now;
    }
    this.#free(matchIndex);
    // While a snapshot is sent, an old answer may come in; what counts is that the log now continues from there.
    if (this.state !== 'replicate' && matchIndex >= this.nextIndex - 1) this.#becomeReplicate();
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
  }

  /**
   * The peer refused entries after `rejectedIndex`; the logs may agree up to `lastPossible`.
   *
   * @returns false if the refusal is old news
   */
  onRejected(rejectedIndex: number, lastPossible: number): boolean {
    if (rejectedIndex <= this.matchIndex || this.state === 'snapshot') return false;
    if (this.state === 'probe' && rejectedIndex !== this.nextIndex - 1) return false;
    this.#becomeProbe(Math.min(lastPossible + 1, rejectedIndex));
    return true;
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

  /** A snapshot is wanted: the peer's next entry is no longer in the log. */
  onSnapshotNeeded(): void {
    this.#becomeProbe(this.nextIndex);
    this.state = 'snapshot';
  }

  /** The snapshot up to `lastIndex` was delivered, or was not; the next heartbeat finds out where the peer stands. */
  onSnapshotSent(lastIndex: number, delivered: boolean): void {
    if (this.state !== 'snapshot') return;
    this.#becomeProbe(delivered ? lastIndex + 1 : this.nextIndex);
    this.probeSent = true;
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
