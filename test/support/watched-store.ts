/** The real store with the real hub of watches, fed with entries by hand. */
import { required } from '../../src/base/assert';
import type { Command } from '../../src/kv/command';
import { openKvStateMachine, type KvStateMachine } from '../../src/kv/state-machine';
import type { Watch } from '../../src/kv/watch';
import { defaultWatchHubOptions, WatchHub, type WatchHubOptions } from '../../src/kv/watch-hub';
import type { Result } from '../../src/kv/result';
import { FakeTurns } from './fake-history';
import { entries } from './kv-entries';

const anyBytes = 1;

/** One member's store. */
export class WatchedStore {
  readonly machine: KvStateMachine;
  readonly turns = new FakeTurns();
  readonly #hub: WatchHub;

  constructor(options: Partial<WatchHubOptions> = {}, path = ':memory:') {
    this.machine = openKvStateMachine({ path, clusterId: 7n, commitDelayMs: 0 });
    const { machine: reader, turns: scheduler } = this;
    this.#hub = new WatchHub({ reader, scheduler, options: { ...defaultWatchHubOptions, ...options } });
    this.machine.addListener(this.#hub);
  }

  /** Applies each command with an entry of its own, all in one batch. */
  apply(...commands: readonly Command[]): readonly Result[] {
    const results = this.machine.apply(entries(this.machine.appliedIndex + 1, commands));
    return results.map((result) => required(result, 'a command has a result'));
  }

  /** Removes everything that compactions have left behind. */
  sweep(): void {
    while (this.machine.compactStep());
  }

  /** A watch of everything. @param startRevision 0 for the next one */
  watch(startRevision: number): Watch {
    const all = { range: { start: Buffer.alloc(0), end: undefined } };
    const onReady = () => undefined;
    return this.#hub.open({
      ...all,
      startRevision,
      withoutPuts: false,
      withoutDeletes: false,
      withPrevious: false,
      onReady,
    });
  }

  /** Takes one revision, or as many as fit; in words: `2 a=1`, `3 a deleted`. Nothing, or that it is compacted. */
  take(watch: Watch, maxBytes = anyBytes): readonly string[] {
    const batch = watch.take(maxBytes);
    if (batch === undefined) return [];
    if (batch.kind === 'compacted') return [`compacted at ${String(batch.compactRevision)}`];
    return batch.events.map(({ change: { revision, kind, record } }) => {
      const [key, value] = [record.key, record.value].map((bytes) => Buffer.from(bytes).toString());
      return `${String(revision)} ${String(key)}${kind === 'put' ? `=${String(value)}` : ' deleted'}`;
    });
  }

  /** As `take`, with the turns that it needs. */
  takeOne(watch: Watch): readonly string[] {
    const some = this.take(watch);
    if (some.length > 0 || this.turns.isIdle) return some;
    this.turns.settle();
    return this.take(watch);
  }

  /** Takes all there is, with the turns that it needs. */
  takeAll(watch: Watch): readonly string[] {
    const all: string[] = [];
    for (;;) {
      const some = this.takeOne(watch);
      all.push(...some);
      if (some.length === 0 || some[0]?.startsWith('compacted') === true) return all;
    }
  }
}
