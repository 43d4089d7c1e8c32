/** N4: logs are cut only up to what is durable elsewhere. N1: a snapshot is the state that the committed entries give, whoever took it and whoever installed it. */
import { openKvStateMachine, type KvStateMachine } from '../../kv/state-machine';
import type { Entry, LogPosition, Persist } from '../../raft';
import { sameConfiguration } from '../../raft';
import { retentionOf, type Memory } from '../model/requests';
import { withoutProposer } from '../world/state-disk';
import { check, type Checker } from './checker';
import type { History } from './history';
import type { MemberView } from './member-view';

export class SnapshotChecker implements Checker {
  readonly names = ['N1', 'N4'];
  installs = 0;
  /** How often a log was shortened. */
  cuts = 0;
  readonly #history: History;
  /** A store of its own that replays what is committed, when somebody asks. */
  #replica: KvStateMachine | undefined;
  readonly #hashes = new Map<number, string>();

  readonly #memory: Memory;

  constructor(history: History, memory: Memory) {
    this.#history = history;
    this.#memory = memory;
  }

  /** The configuration that comes with a snapshot is the one in force where it ends. */
  given(member: MemberView, { snapshot }: Persist): void {
    if (snapshot === undefined) return;
    const { last, configuration } = snapshot;
    const agreed = this.#history.configurationAt(last.index);
    const isSame =
      agreed.index === configuration.index && sameConfiguration(agreed.configuration, configuration.configuration);
    check(isSame, 'N1', () => `the snapshot up to ${last.index} brings ${member.id} a wrong configuration`);
  }

  /** N4: only what a durable state stands for leaves the log. */
  cut({ id, durableStateIndex }: MemberView, index: number): void {
    this.cuts++;
    check(
      index <= durableStateIndex,
      'N4',
      () => `the log of ${id} begins after ${index}, its state may be at ${durableStateIndex}`,
    );
  }

  installed({ id }: MemberView, { index }: LogPosition, hash: string): void {
    this.installs++;
    const expected = this.#hashAt(index);
    check(
      hash === expected,
      'N1',
      () => `the snapshot up to ${index} on ${id} is not what the entries up to there give`,
    );
  }

  close(): void {
    void this.#replica?.close();
  }

  #hashAt(index: number): string {
    const known = this.#hashes.get(index);
    if (known !== undefined) return known;
    if (this.#replica === undefined || this.#replica.appliedIndex > index) {
      this.close();
      this.#replica = openKvStateMachine({ path: ':memory:', clusterId: 1n, retention: retentionOf(this.#memory) });
    }
    const entries: Entry[] = this.#history.committed
      .slice(this.#replica.appliedIndex, index)
      .map(({ entry }) => withoutProposer(entry));
    this.#replica.apply(entries);
    const hash = this.#replica.hash();
    this.#hashes.set(index, hash);
    return hash;
  }
}
