/** What is applied at once, and what later. */
import { Applier } from '../../../src/node/applier';
import { encodeProposal } from '../../../src/node/proposal-codec';
import type { ApplyUntil, Entry } from '../../../src/raft';

const entry = (index: number, text: string): Entry => ({
  index,
  term: 1,
  kind: 'command',
  payload: encodeProposal({ origin: 1n, number: index }, Buffer.from(text)),
});
const isLong = ({ payload }: Entry): boolean => Buffer.from(payload).toString() === 'long';

/** An applier with entries 1 to n committed, which are in memory or are not; `told` ends the wait. */
function makeApplier(texts: readonly string[], inMemory: boolean) {
  const entries = texts.map((text, at) => entry(at + 1, text));
  const from = (first: number): Entry[] => entries.slice(first - 1);
  const waiting: (() => void)[] = [];
  const applied: number[] = [];
  const calls: [number, ApplyUntil | undefined][] = [];
  const applier = new Applier<string>({
    raft: {
      status: { commitIndex: entries.length, durableIndex: entries.length },
      entries: (first) => (inMemory ? from(first) : undefined),
    },
    storage: { readEntries: ({ firstIndex }) => Promise.resolve(from(firstIndex)) },
    stateMachine: {
      appliedIndex: 0,
      apply: (given, until) => {
        calls.push([given.length, until]);
        const end = until === 'long' ? given.findIndex(isLong) : -1;
        return (end < 0 ? given : given.slice(0, end)).map(({ payload }) => Buffer.from(payload).toString());
      },
    },
    maxBytes: 1000,
    onApplied: ({ index }) => applied.push(index),
    tellAll: (told) => waiting.push(told),
  });
  return { applier, applied, waiting, calls };
}

describe('An applier', () => {
  it('applies what is before a long entry at once, that one alone when all have been told, and then the rest', () => {
    const { applier, applied, waiting, calls } = makeApplier(['a', 'b', 'long', 'c'], true);
    expect(applier.applyNext()).toBeUndefined();
    expect([applied, applier.appliedIndex, applier.hasWork]).toEqual([[1, 2], 2, false]);
    expect(applier.applyNext()).toBeUndefined();
    expect(applied).toEqual([1, 2]);
    waiting.pop()?.();
    expect(applier.hasWork).toBe(true);
    void applier.applyNext();
    expect(applied).toEqual([1, 2, 3]);
    void applier.applyNext();
    expect([applied, applier.hasWork]).toEqual([[1, 2, 3, 4], false]);
    expect(calls).toEqual([
      [4, 'long'],
      [1, 'end'],
      [1, 'long'],
    ]);
  });

  it('reports what it read from the log and applied although a long entry follows, which nobody was told of yet', async () => {
    const { applier, applied, waiting } = makeApplier(['a', 'long'], false);
    await applier.applyNext();
    expect([applied, applier.appliedIndex, waiting.length]).toEqual([[1], 1, 1]);
    expect(applier.hasWork).toBe(false);
  });

  it('goes on after a snapshot that took the place of an entry that others are told of', () => {
    const { applier, applied, waiting } = makeApplier(['long', 'a', 'b'], true);
    void applier.applyNext();
    applier.pause();
    applier.resumeAt(2);
    expect(applier.hasWork).toBe(false);
    waiting.pop()?.();
    void applier.applyNext();
    expect([applied, applier.appliedIndex]).toEqual([[3], 3]);
  });
});
