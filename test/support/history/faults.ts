/** Faults of real processes, one after the other, each undone before the next: kill -9, SIGSTOP, a pulled cable. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rng } from '../../../src/base/rng';
import { shuffled } from '../../../src/sim/world/chance';
import type { LinkedCluster } from '../linked-cluster';
import type { ProcessMember } from '../process-cluster';
import type { Recorder } from './recorder';

export type FaultKind = 'kill -9' | 'SIGSTOP' | 'partition';

export const faultKinds: readonly FaultKind[] = ['kill -9', 'SIGSTOP', 'partition'];

/** How long each lasts, milliseconds: longer than an election takes. */
const lastsMs = 1500;
/** And between two, so that whatever was in doubt is done. */
const restMs = 3000;

/** Injects one fault after the other until stopped. */
export class FaultLoop {
  /** How often each struck, by kind and role. */
  readonly struck = new Map<string, number>();
  readonly #cluster: LinkedCluster;
  readonly #recorder: Recorder;
  readonly #rng: Rng;
  readonly #running: Promise<void>;
  #isStopped = false;
  /** Every kind struck the leader and a follower. */
  hasDoneARound = false;

  constructor(cluster: LinkedCluster, recorder: Recorder, rng: Rng) {
    this.#cluster = cluster;
    this.#recorder = recorder;
    this.#rng = rng;
    this.#running = this.#run();
  }

  /** How often a kind struck. */
  count(kind: FaultKind): number {
    return [...this.struck].reduce((sum, [name, times]) => (name.startsWith(kind) ? sum + times : sum), 0);
  }

  /** Ends when the last fault is undone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      const round = faultKinds.flatMap((kind) => [
        { kind, isLeader: true },
        { kind, isLeader: false },
      ]);
      for (const { kind, isLeader } of shuffled(this.#rng, round)) {
        if (this.#isStopped) return;
        await sleep(restMs);
        const leader = await this.#cluster.leader();
        const others = this.#cluster.members.filter((member) => member !== leader);
        await this.#strike(kind, isLeader ? leader : (shuffled(this.#rng, others)[0] ?? leader));
        const name = `${kind} of ${isLeader ? 'the leader' : 'a follower'}`;
        this.struck.set(name, (this.struck.get(name) ?? 0) + 1);
      }
      this.hasDoneARound = true;
    }
  }

  async #strike(kind: FaultKind, member: ProcessMember): Promise<void> {
    const cluster = this.#cluster;
    this.#recorder.note(kind, member.name);
    switch (kind) {
      case 'kill -9':
        await cluster.end(member, 'SIGKILL');
        await sleep(lastsMs);
        cluster.startMember(member);
        break;
      case 'SIGSTOP':
        cluster.signal(member, 'SIGSTOP');
        await sleep(lastsMs);
        cluster.signal(member, 'SIGCONT');
        break;
      case 'partition':
        cluster.isolate(member);
        await sleep(lastsMs);
        cluster.heal();
    }
    this.#recorder.note(`${kind} undone`, member.name);
  }
}
