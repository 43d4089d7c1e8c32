/** What waits for the leader: which commands share an entry, and who is told what. */
import type { CommandGroups } from '../../../src/node/command-groups';
import { defaultNodeOptions } from '../../../src/node/options';
import { commandOf } from '../../../src/node/proposal-codec';
import { Proposals, type OutgoingBatch } from '../../../src/node/proposals';
import type { Entry } from '../../../src/raft';

type Result = string | readonly string[];

/** Commands are letters, joined by a plus; capitals stay alone. */
const letters: CommandGroups<Result> = {
  mayShare: (command) => /^[a-z]/u.test(String(Buffer.from(command))),
  join: (commands) => Buffer.from(commands.map((command) => String(Buffer.from(command))).join('+')),
  split: (result) => result as readonly string[],
};

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (payload: Uint8Array): string => String(Buffer.from(commandOf(payload)));
const forEver = { deadline: Infinity };

function makeProposals(options: { groups?: CommandGroups<Result>; maxSharedEntryBytes?: number } = {}) {
  const { groups, maxSharedEntryBytes = 100 } = options;
  const nodeOptions = { ...defaultNodeOptions, maxSharedEntryBytes };
  return new Proposals<Result>({ origin: 7n, firstNumber: 1, appliedTerm: 1, options: nodeOptions, groups });
}

/** The leader's log, from where each test begins. */
class Log {
  readonly #proposals: Proposals<Result>;
  #index = 0;

  constructor(proposals: Proposals<Result>) {
    this.#proposals = proposals;
  }

  /** Applies entries; each command gives itself. */
  apply({ term, payloads }: OutgoingBatch): void {
    for (const payload of payloads) {
      const entry: Entry = { index: ++this.#index, term, kind: 'command', payload };
      const results = text(payload).split('+');
      this.#proposals.onApplied(entry, results.length === 1 ? results[0] : results);
    }
  }
}

describe('Proposals', () => {
  it('lets commands that wait together share an entry, and gives each its own result', async () => {
    const proposals = makeProposals({ groups: letters });
    const answers = ['a', 'b', 'c'].map((letter) => proposals.add(bytes(letter), forEver));
    const batch = proposals.takeBatch(1, 1);
    expect(batch.payloads.map(text)).toEqual(['a+b+c']);
    new Log(proposals).apply(batch);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect(proposals.isIdle).toBe(true);
  });

  it('gives a command that cannot share, or is too large, an entry of its own, and keeps the order', async () => {
    const proposals = makeProposals({ groups: letters, maxSharedEntryBytes: 3 });
    const words = ['a', 'bb', 'cccc', 'd', 'E', 'f', 'g', 'h', 'i'];
    const answers = words.map((word) => proposals.add(bytes(word), forEver));
    const batch = proposals.takeBatch(1, 1);
    expect(batch.payloads.map(text)).toEqual(['a+bb', 'cccc', 'd', 'E', 'f+g+h', 'i']);
    new Log(proposals).apply(batch);
    expect(await Promise.all(answers)).toEqual(words);
  });

  it.each([
    ['without groups', {}],
    ['with 0 for their size', { groups: letters, maxSharedEntryBytes: 0 }],
  ])('gives every command an entry of its own %s', (_, options) => {
    const proposals = makeProposals(options);
    for (const letter of ['a', 'b']) void proposals.add(bytes(letter), forEver);
    expect(proposals.takeBatch(1, 1).payloads.map(text)).toEqual(['a', 'b']);
  });

  it('answers the others of an entry whose first caller has given up', async () => {
    const proposals = makeProposals({ groups: letters });
    const hasty = proposals.add(bytes('a'), { deadline: 10 }).catch((error: unknown) => error);
    const patient = proposals.add(bytes('b'), forEver);
    const batch = proposals.takeBatch(1, 1);
    proposals.sweep(20, 3n);
    expect(await hasty).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
    new Log(proposals).apply(batch);
    expect(await patient).toBe('b');
    expect(proposals.isIdle).toBe(true);
  });

  it('proposes what was refused again, together with what came since', async () => {
    const proposals = makeProposals({ groups: letters });
    const answers = ['a', 'b'].map((letter) => proposals.add(bytes(letter), forEver));
    proposals.takeBatch(1, 1);
    answers.push(proposals.add(bytes('c'), forEver));
    expect(proposals.onRefused(1, 'not-leader')).toBe(true);
    const batch = proposals.takeBatch(2, 2);
    expect(batch.payloads.map(text)).toEqual(['a+b+c']);
    new Log(proposals).apply(batch);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
  });

  it('takes the entry of a later term for its own, not one that was lost under the same number', async () => {
    const proposals = makeProposals({ groups: letters });
    const answers = ['a', 'b'].map((letter) =>
      proposals.add(bytes(letter), { deadline: letter === 'b' ? 10 : Infinity }),
    );
    const outcome = answers[1]?.catch((error: unknown) => error);
    proposals.takeBatch(1, 1);
    // An entry of term 2 stands before either of them: both are lost; one caller has no time for another attempt.
    proposals.onApplied({ index: 1, term: 2, kind: 'no-op', payload: bytes('') }, undefined);
    proposals.sweep(20, 3n);
    expect(await outcome).toMatchObject({ code: 'no-leader', outcome: 'not-done' });
    const again = proposals.takeBatch(2, 2);
    expect(again.payloads.map(text)).toEqual(['a']);
    new Log(proposals).apply(again);
    expect(await answers[0]).toBe('a');
    expect(proposals.isIdle).toBe(true);
  });

  it('tells all callers of an entry that the leader had no room for that nothing was written', async () => {
    const proposals = makeProposals({ groups: letters });
    const outcomes = ['a', 'b'].map((letter) => proposals.add(bytes(letter), forEver).catch((error: unknown) => error));
    proposals.takeBatch(1, 1);
    proposals.onRefused(1, 'overloaded');
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'overloaded', outcome: 'not-done' });
    expect(proposals.isIdle).toBe(true);
  });
});
