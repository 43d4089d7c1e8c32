/** Unary RequestVote calls of peers that wait for this member's answer. */
import type { MemberId, RequestVote, RequestVoteResponse } from '../raft';

/** One waiting call. Exactly one of the two functions is called, once. */
export interface PendingVote {
  answer(response: RequestVoteResponse): void;
  /** No answer came in time, or too many wait. */
  giveUp(): void;
}

interface Waiting {
  readonly request: RequestVote;
  readonly call: PendingVote;
  readonly timer: NodeJS.Timeout;
}

/** Bounded per peer and in time. */
export class PendingVotes {
  readonly #maxPerPeer: number;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<MemberId, Waiting[]>();

  constructor(maxPerPeer: number, timeoutMs: number) {
    this.#maxPerPeer = maxPerPeer;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Waits for the answer to `request`. If too many wait, the oldest is given up.
   *
   * @returns forgets the call, which the peer has taken back
   */
  add(from: MemberId, request: RequestVote, call: PendingVote): () => void {
    const list = this.#waiting.get(from) ?? [];
    this.#waiting.set(from, list);
    const waiting: Waiting = {
      request,
      call,
      timer: setTimeout(() => {
        if (this.#remove(from, waiting)) call.giveUp();
      }, this.#timeoutMs),
    };
    list.push(waiting);
    const [oldest] = list;
    if (list.length > this.#maxPerPeer && oldest !== undefined && this.#remove(from, oldest)) oldest.call.giveUp();
    return () => {
      this.#remove(from, waiting);
    };
  }

  /**
   * Hands an answer to the call it belongs to, if that still waits. A refusal carries the voter's term, which may be any:
   * it goes to the oldest call. An answer says what it is about, so it can do no harm on the wrong call.
   *
   * @returns false if none waits for it
   */
  answer(to: MemberId, response: RequestVoteResponse): boolean {
    const list = this.#waiting.get(to) ?? [];
    const candidates = list.filter(({ request }) => request.preVote === response.preVote);
    const exact = candidates.find(({ request }) => request.term === response.term);
    const waiting = exact ?? (response.voteGranted ? undefined : candidates[0]);
    if (waiting === undefined) return false;
    this.#remove(to, waiting);
    waiting.call.answer(response);
    return true;
  }

  /** Gives up all. */
  clear(): void {
    for (const [from, list] of [...this.#waiting]) {
      for (const waiting of [...list]) if (this.#remove(from, waiting)) waiting.call.giveUp();
    }
  }

  /** Keeps nothing of peers that wait for nothing: anyone of the cluster may call. */
  #remove(from: MemberId, waiting: Waiting): boolean {
    const list = this.#waiting.get(from) ?? [];
    const at = list.indexOf(waiting);
    if (at === -1) return false;
    list.splice(at, 1);
    if (list.length === 0) this.#waiting.delete(from);
    clearTimeout(waiting.timer);
    return true;
  }
}
