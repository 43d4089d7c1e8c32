/** Mistakes in linearizable reads. */
import { later, rarely, soon, type Mutant } from './mutant';

export const readMutants: readonly Mutant[] = [
  {
    name: 'confirms a read without asking anybody',
    breaks: 'K3',
    file: 'raft/read-index',
    find: 'if (confirmed < reads.round)\n        return;',
    replace: '',
    seeds: rarely,
  },
  {
    name: 'confirms a read before an entry of its own term is committed',
    breaks: 'K3',
    file: 'raft/read-index',
    find: 'if (state.commitIndex < leading.firstIndex)\n        return;',
    replace: '',
    seeds: later,
  },
  {
    name: 'confirms a read with a round that began before it',
    breaks: 'K3',
    file: 'raft/read-index',
    find: 'reads.round++;',
    replace: 'reads.round = Math.max(reads.round, 1);',
    seeds: rarely,
  },
  {
    name: 'tells the index where its term began',
    breaks: 'K3',
    file: 'raft/read-index',
    find: 'ids: reads.waiting, readIndex: state.commitIndex',
    replace: 'ids: reads.waiting, readIndex: leading.firstIndex',
    seeds: soon,
  },
  {
    name: 'uses one id for all attempts to read',
    breaks: 'K3',
    file: 'node/callers',
    find: 'const requestId = this.#nextRequestId++;\n            this.#reads',
    replace: 'const requestId = 1;\n            this.#reads',
    seeds: rarely,
  },
  {
    name: 'takes an answer to an earlier attempt for the present one',
    breaks: 'K3',
    file: 'node/reads',
    find: 'if (this.#attempt?.id !== id)\n            return;\n        this.#confirmed',
    replace: 'if (this.#attempt === undefined)\n            return;\n        this.#confirmed',
    seeds: rarely,
  },
  {
    name: 'reads before it has applied what it must show',
    breaks: 'K3',
    file: 'node/reads',
    find: 'if (confirmed.readIndex > index)',
    replace: 'if (false)',
    seeds: soon,
  },
  {
    name: 'lets a read join a round that is on its way',
    breaks: 'K3',
    file: 'raft/read-index',
    find: 'reads.waiting.push(id);',
    replace: 'if (reads.confirming === undefined) reads.waiting.push(id); else reads.confirming.ids.push(id);',
    seeds: rarely,
  },
];
