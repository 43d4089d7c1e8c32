/** Which entries take long: `apply` ends before them if it is asked to. */
import type { Command } from '../../../src/kv/command';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { joinCommands, encodeCommand } from '../../../src/kv/command-codec';
import { openKvStateMachine, type KvStateMachine } from '../../../src/kv/state-machine';
import type { Entry } from '../../../src/raft';
import { attached, bytes, del, entries, put } from '../../support/kv-entries';

const longFromKeys = 4;
let machine: KvStateMachine;

const range = (start: string, end: string) => ({ start: bytes(start), end: bytes(end) });
const deleteRange = (start: string, end: string) =>
  ({ kind: 'delete', range: range(start, end), returnPrevious: false }) as const;
const comparison = (start: string, end: string) =>
  ({ range: range(start, end), operator: 'equal', target: { kind: 'version', number: 1 } }) as const;
const all = deleteRange('a', 'z');
const few = deleteRange('a', 'e');
const aPut = putOperation({ key: bytes('k'), value: bytes('v'), form: 'text' });

/** True if it ends before the entry of these commands. */
function takesLong(...commands: readonly Command[]): boolean {
  const encoded = commands.map(encodeCommand);
  const [first] = encoded;
  if (first === undefined) throw new Error('a command is given');
  const payload = encoded.length === 1 ? first : joinCommands(encoded);
  const entry: Entry = { index: machine.appliedIndex + 1, term: 1, kind: 'command', payload };
  return machine.apply([entry], 'long').length === 0;
}

beforeEach(() => {
  machine = openKvStateMachine({ path: ':memory:', clusterId: 7n, longFromKeys });
  machine.apply(
    entries(1, [
      unnamed({ kind: 'lease-grant', id: 5n, ttl: 60 }),
      ...['a', 'b', 'c', 'd', 'e'].map((key) => attached(key, 5n)),
    ]),
  );
});
afterEach(async () => {
  await machine.close();
});

describe('An entry takes long', () => {
  it.each<[string, Command]>([
    ['a delete of many keys', unnamed(all)],
    ['a transaction that deletes them', unnamed({ kind: 'txn', compares: [], success: [all], failure: [] })],
    ['one that does so otherwise', unnamed({ kind: 'txn', compares: [], success: [aPut], failure: [all] })],
    [
      'one within another',
      unnamed({
        kind: 'txn',
        compares: [],
        success: [{ kind: 'txn', compares: [], success: [few, few], failure: [] }],
        failure: [],
      }),
    ],
    [
      'a transaction that compares them',
      unnamed({ kind: 'txn', compares: [comparison('a', 'z')], success: [aPut], failure: [] }),
    ],
    ['the end of a lease of many keys', unnamed({ kind: 'lease-revoke', id: 5n })],
    ['its running out', unnamed({ kind: 'lease-expire', term: 1, leases: [{ id: 5n, grantIndex: 1, renewals: 0 }] })],
  ])('%s', (_, command) => {
    expect(takesLong(command)).toBe(true);
    expect(machine.appliedIndex).toBe(6);
    expect(machine.get(bytes('a'))).toMatchObject({ version: 1 });
  });

  it.each<[string, Command]>([
    ['a put', put('f', '1')],
    ['a delete of a key', del('a')],
    ['a delete of few', unnamed(few)],
    ['a delete of nothing', unnamed(deleteRange('x', 'z'))],
    ['a transaction of few', unnamed({ kind: 'txn', compares: [], success: [few], failure: [] })],
    ['the end of a lease that is not there', unnamed({ kind: 'lease-revoke', id: 6n })],
  ])('%s does not', (_, command) => {
    expect(takesLong(command)).toBe(false);
    expect(machine.appliedIndex).toBe(7);
  });

  it('when its commands are many together', () => {
    const puts = ['p', 'q', 'r', 's', 't'].map((key) => put(key, '1'));
    expect(takesLong(...puts)).toBe(true);
    expect(takesLong(...puts.slice(1))).toBe(false);
  });

  it('and ends what is applied: those before it are done, it is done when it is asked for', () => {
    const given = entries(7, [put('f', '1'), unnamed(all), put('g', '1')]);
    expect(machine.apply(given, 'long')).toMatchObject([{ kind: 'put', revision: 7 }]);
    expect(machine.appliedIndex).toBe(7);
    expect(machine.apply(given.slice(1), 'long')).toEqual([]);
    expect(machine.revision).toBe(7);
    expect(machine.apply(given.slice(1))).toMatchObject([
      { kind: 'delete', revision: 8, deleted: 6 },
      { kind: 'put', revision: 9 },
    ]);
  });
});
