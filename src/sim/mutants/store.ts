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
    find: 'version.version += 1;',
    replace: '',
    seeds: soon,
  },
  {
    name: 'a deleted key stays',
    breaks: 'K1',
    file: 'kv/key-index',
    find: 'return this.#tree.delete(key);',
    replace: 'return this.#tree.has(key);',
    seeds: soon,
  },
  {
    name: 'a delete makes no revision',
    breaks: 'K1',
    file: 'kv/state-machine',
    find: 'const revision = nextRevision(draft);\n        this.#store.insert(tombstone',
    replace: 'const { revision } = draft;\n        this.#store.insert(tombstone',
    seeds: soon,
  },
  {
    name: 'the result depends on how entries are batched',
    breaks: 'N5',
    file: 'kv/state-machine',
    find: 'results = entries.map((entry) => this.#applyEntry(entry, draft));',
    replace:
      'results = entries.map((entry, at) => { if (at === 3) draft.revision += 1; return this.#applyEntry(entry, draft); });',
    seeds: later,
  },
  {
    name: 'a list ends too early',
    breaks: 'K1',
    file: 'kv/state-machine',
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
