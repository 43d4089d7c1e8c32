/** The judge of the histories of real processes: which call of unknown outcome made which revision is open. */
import type { PlainCommand } from '../../../src/kv/command';
import { noLease } from '../../../src/kv/command';
import { deleteOperation, putOperation } from '../../../src/kv/command-builders';
import type { KeyRecord } from '../../../src/kv/result';
import type { CallOutcome } from '../../../src/sim/workload/call';
import { mutation } from '../../../src/sim/workload/operation-kind';
import { judge } from '../../support/history/judge';
import type { RecordedCall } from '../../support/history/recorded-call';
import { Timeline } from '../../support/history/timeline';
import type { WatchedEvent } from '../../support/history/watch-log';

const bytes = (text: string): Buffer => Buffer.from(text);
const put = (key: string): PlainCommand => putOperation({ key: bytes(key), value: bytes('x'), form: 'text' });
const remove = (key: string): PlainCommand => deleteOperation(bytes(key));
const all: PlainCommand = {
  kind: 'delete',
  range: { start: bytes('k1/'), end: bytes('k10') },
  returnPrevious: false,
};

/** Events as a watch tells them, of revisions that each put or delete some keys. */
function eventsOf(...changes: readonly (readonly [kind: 'put' | 'delete', ...keys: string[]])[]): WatchedEvent[] {
  const created = new Map<string, { revision: number; version: number }>();
  return changes.flatMap(([kind, ...keys], at) =>
    keys.map((key): WatchedEvent => {
      const revision = at + 2;
      const before = created.get(key) ?? { revision, version: 0 };
      if (kind === 'put') created.set(key, { ...before, version: before.version + 1 });
      else created.delete(key);
      const isPut = kind === 'put';
      const record: KeyRecord = {
        key: bytes(key),
        value: bytes(isPut ? 'x' : ''),
        form: isPut ? 'text' : 'bytes',
        createRevision: isPut ? before.revision : 0,
        modRevision: revision,
        version: isPut ? before.version + 1 : 0,
        lease: noLease,
      };
      return { revision, kind, record, at: revision };
    }),
  );
}

/** Calls of which nobody knows what became, or that were refused. */
function callsOf(outcome: CallOutcome, ...commands: readonly PlainCommand[]): RecordedCall[] {
  return commands.map((command, id) => ({
    id,
    client: 0,
    kind: command.kind,
    api: 'native',
    members: 'm1',
    operation: mutation(command),
    deadlineMs: 0,
    invokedAt: 0,
    invokedAtMs: 0,
    returnedAt: Infinity,
    outcome,
    answer: undefined,
    error: undefined,
  }));
}

const verdict = (calls: readonly RecordedCall[], events: readonly WatchedEvent[]) =>
  judge(calls, new Timeline(events), (revision) => revision);

describe('the judge of histories', () => {
  // A delete of `b` may be that of all keys, while there is no other: then the latter has nobody to make it.
  const events = eventsOf(
    ['put', 'k1/b'],
    ['delete', 'k1/b'],
    ['put', 'k1/b'],
    ['put', 'k1/c'],
    ['delete', 'k1/b', 'k1/c'],
  );
  const puts = [put('k1/b'), put('k1/b'), put('k1/c')];

  it.each([
    ['first', [...puts, all, remove('k1/b')]],
    ['last', [remove('k1/b'), all, ...puts]],
  ])('finds who made what, with the call that fits twice %s', (_, commands) => {
    expect(verdict(callsOf('ambiguous', ...commands), events)).toMatchObject({ violations: [], lateEffects: 5 });
  });

  it('lets no call make two revisions', () => {
    const { violations } = verdict(callsOf('ambiguous', ...puts, all), events);
    expect(violations).toHaveLength(1);
  });

  it('names the refused call that would have made a revision', () => {
    const calls = [...callsOf('ambiguous', ...puts, remove('k1/b')), ...callsOf('definite', all)];
    const { violations } = verdict(calls, events);
    expect(violations).toEqual([expect.stringMatching(/^revision 6 has no explanation: .*near: .*definite/)]);
  });
});
