/** The reads that followers of a core cluster ask their leaders to confirm, on their way there. */
import type { MemberId } from '../../src/raft';
import type { CoreCluster } from './core-cluster';

interface Question {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly read: number;
}

export class CoreQuestions {
  readonly #cluster: CoreCluster;
  /** Oldest first. */
  #waiting: Question[] = [];

  constructor(cluster: CoreCluster) {
    this.#cluster = cluster;
  }

  /** A member asks whom it follows to confirm a read. */
  ask(id: MemberId): void {
    const { leader, role } = this.#cluster.raft(id).status;
    if (leader === undefined || role === 'leader') return;
    this.#waiting.push({ from: id, to: leader, read: this.#cluster.checker.beginRead() });
  }

  /** The oldest arrive, where somebody can hear them. */
  arrive(count = Infinity): void {
    for (const { from, to, read } of this.#waiting.splice(0, Math.min(count, this.#waiting.length))) {
      if (this.#cluster.reaches(from, to)) this.#cluster.step(to, { kind: 'read', id: read, askedBy: from });
    }
  }

  /** None of them ever arrives. */
  lose(): void {
    this.#waiting = [];
  }
}
