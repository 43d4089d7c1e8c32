/** Mistakes with watches. */
import { later, type Mutant } from './mutant';

export const watchMutants: readonly Mutant[] = [
  {
    name: 'a watch that is parked goes on after what it has not taken',
    breaks: 'W3',
    file: 'kv/hub-watch',
    find: 'this.fallBehind(first);',
    replace: 'this.fallBehind(first + 1);',
    seeds: later,
  },
  {
    name: 'a watch loses what a snapshot brought',
    breaks: 'W3',
    file: 'kv/watch-hub',
    find: 'watch.fallBehind(Math.max(next, watch.startRevision));',
    replace: 'watch.fallBehind(Math.max(revision + 1, watch.startRevision));',
    seeds: later,
  },
  {
    name: 'a revision is split',
    breaks: 'W4',
    file: 'kv/hub-watch',
    find: 'const isNext = events.at(-1)?.change.revision !== queued.change.revision;',
    replace: 'const isNext = true;',
    seeds: later,
  },
  {
    name: 'a watch does not hear that what it needs is compacted',
    breaks: 'W5',
    file: 'kv/watch-catch-up',
    find: "return 'compacted';",
    replace: 'return [];',
    seeds: later,
  },
  {
    name: 'a watch is further than what it has taken',
    breaks: 'W6',
    file: 'kv/hub-watch',
    find: 'return first.change.revision - 1;',
    replace: 'return first.change.revision;',
    seeds: later,
  },
  {
    name: 'a watch is told what it does not want',
    breaks: 'W7',
    file: 'kv/hub-watch',
    find: "return kind === 'put' ? !this.#withoutPuts : !this.#withoutDeletes;",
    replace: 'return true;',
    seeds: later,
  },
];
