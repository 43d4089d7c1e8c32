/** Mistakes in storage and state machine. */
import { later, soon, type Mutant } from './mutant';

export const storeMutants: readonly Mutant[] = [
  {
    name: 'the storage keeps a removed suffix',
    breaks: 'S3',
    file: 'storage/memory-storage',
    find: 'disk.entries.length = kept;',
    replace: 'disk.entries.length = Math.max(kept, disk.entries.length - entries.length);',
    seeds: later,
  },
  {
    name: 'the storage reports a write as done before it is',
    breaks: 'S8',
    file: 'storage/memory-storage',
    find: 'const done = (0, deferred_1.deferred)();',
    replace: 'const done = (0, deferred_1.deferred)(); done.resolve();',
    seeds: soon,
  },
  {
    name: 'the storage forgets the vote',
    breaks: 'S9',
    file: 'storage/memory-storage',
    find: 'disk.hardState = hardState ?? disk.hardState;',
    replace: 'disk.hardState = { ...(hardState ?? disk.hardState), votedFor: undefined };',
    seeds: soon,
  },
  {
    name: 'the version of a key does not grow',
    breaks: 'K1',
    file: 'kv/key-index',
    find: 'entry.version += 1;',
    replace: '',
    seeds: soon,
  },
  {
    name: 'a deleted key stays',
    breaks: 'K1',
    file: 'kv/key-index',
    find: 'this.#living.delete(key);\n        const older',
    replace: 'const older',
    seeds: soon,
  },
  {
    name: 'a delete makes no revision',
    breaks: 'K1',
    file: 'kv/command-applier',
    find: 'const result = this.#writer.delete(range, returnPrevious);\n        this.#writer.finish();',
    replace: 'const result = this.#writer.delete(range, returnPrevious);',
    seeds: soon,
  },
  {
    name: 'the result depends on how entries are batched',
    breaks: 'N5',
    file: 'kv/state-machine',
    find: 'results = entries.map((entry) => applyEntry(entry, applier, batch));',
    replace:
      'results = entries.map((entry, at) => { if (at === 3) batch.facts.revision += 1; return applyEntry(entry, applier, batch); });',
    seeds: later,
  },
  {
    name: 'a list ends too early',
    breaks: 'K1',
    file: 'kv/key-records',
    find: 'more = records.length === limit;',
    replace: 'more = records.length === Math.min(limit, 2);',
    seeds: soon,
  },
  {
    name: 'a list leaves out the first key',
    breaks: 'K1',
    file: 'kv/key-index',
    find: 'if (last === undefined || start > last)\n            return;',
    replace: "if (last === undefined || start > last)\n            return;\n        start += '\\0';",
    seeds: soon,
  },
];
