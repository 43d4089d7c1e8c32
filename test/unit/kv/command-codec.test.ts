/** The bytes of commands: pinned, and refused when they are anything else. */
import type { Command, PlainCommand, RangeOperation } from '../../../src/kv/command';
import { deleteOperation, putOperation, unnamed } from '../../../src/kv/command-builders';
import { BatchEncoder, decodeCommand, decodeEntry, encodeCommand } from '../../../src/kv/command-codec';
import { bytes, del, expectError, put } from '../../support/kv-entries';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function batchOf(...commands: readonly Command[]): Buffer {
  const encoder = new BatchEncoder();
  for (const command of commands) encoder.add(command);
  return encoder.finish();
}

const range: RangeOperation = {
  kind: 'range',
  range: { start: bytes('a'), end: undefined },
  revision: 5,
  limit: 300,
  sortTarget: 'mod',
  sortOrder: 'descend',
  keysOnly: true,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: -1,
  minCreateRevision: 7,
  maxCreateRevision: 0,
};

const transaction: PlainCommand = {
  kind: 'txn',
  compares: [
    { range: deleteOperation(bytes('k')).range, operator: 'greater', target: { kind: 'version', number: -2 } },
    { range: { start: bytes(''), end: bytes('z') }, operator: 'not-equal', target: { kind: 'lease', lease: -1n } },
    { range: { start: bytes('a'), end: undefined }, operator: 'less', target: { kind: 'value', value: bytes('v') } },
  ],
  success: [putOperation({ key: bytes('k'), value: bytes('v'), form: 'text', lease: 9n, grantTtl: 60 }), range],
  failure: [{ kind: 'txn', compares: [], success: [deleteOperation(bytes('d'))], failure: [] }],
};

const requestId = hex('0190b0c0 0000 7000 8000 000000000001');

const pinned: readonly (readonly [string, Command, string])[] = [
  ['a put of text', put('ab', 'xyz'), '02 00 01 01 02 6162 03 78797a'],
  [
    'a put of bytes',
    unnamed(putOperation({ key: bytes('k'), value: hex('00ff'), form: 'bytes' })),
    '02 00 01 00 01 6b 02 00ff',
  ],
  ['a put of an empty value', put('k', ''), '02 00 01 01 01 6b 00'],
  [
    'a put of everything',
    unnamed({
      ...putOperation({ key: bytes('k'), value: bytes('v'), form: 'bytes', lease: -2n, grantTtl: 300 }),
      ...{ keepValue: true, keepLease: true, returnPrevious: true },
    }),
    '02 00 01 3e 01 6b 01 76 feffffffffffffff ac02',
  ],
  ['a delete', del('ab'), '02 00 02 00 02 6162 00'],
  [
    'a delete of a range',
    unnamed({ kind: 'delete', range: { start: bytes('a'), end: bytes('c') }, returnPrevious: true }),
    '02 00 02 02 01 61 01 63 01',
  ],
  ['a request id', { ...del('a'), requestId }, '02 01 0190b0c0000070008000000000000001 02 00 01 61 00'],
  ['a compaction', unnamed({ kind: 'compact', revision: 2 ** 40 }), '02 00 10 808080808020'],
  ['a grant', unnamed({ kind: 'lease-grant', id: 1n, ttl: 60 }), '02 00 11 0100000000000000 3c'],
  ['a revocation', unnamed({ kind: 'lease-revoke', id: -1n }), '02 00 12 ffffffffffffffff'],
  ['renewals', unnamed({ kind: 'lease-renew', ids: [1n, 2n] }), '02 00 13 02 0100000000000000 0200000000000000'],
  [
    'an expiry',
    unnamed({ kind: 'lease-expire', term: 3, leases: [{ id: 1n, grantIndex: 4, renewals: 5 }] }),
    '02 00 14 03 01 0100000000000000 04 05',
  ],
  ['the time', unnamed({ kind: 'advance-clock', term: 3, elapsedMs: 1000 }), '02 00 15 03 e807'],
  [
    'an alarm',
    unnamed({ kind: 'alarm', action: 'raise', alarm: 'corrupt', memberId: 2n ** 64n - 1n }),
    '02 00 16 01 01 ffffffffffffffff',
  ],
  [
    'an alarm of the quota',
    unnamed({ kind: 'alarm', action: 'clear', alarm: 'quota', memberId: 0n }),
    '02 00 16 00 02 0000000000000000',
  ],
  ['a setting', unnamed({ kind: 'configure', quotaBytes: 0 }), '02 00 17 01 00'],
  ['no setting', unnamed({ kind: 'configure', quotaBytes: undefined }), '02 00 17 00'],
  [
    'a transaction',
    unnamed(transaction),
    '02 00 04 03 00 01 6b 01 00 feffffffffffffff 02 00 01 7a 03 04 ffffffffffffffff 01 01 61 02 03 01 76' +
      '02 01 31 01 6b 01 76 0900000000000000 3c 03 01 01 61 05 ac02 03 02 01 00 01 00 08 01' +
      '01 04 00 01 02 00 01 64 00 00',
  ],
  [
    'a range below all revisions',
    unnamed({ kind: 'txn', compares: [], success: [{ ...range, revision: -1 }], failure: [] }),
    '02 00 04 00 01 03 01 01 61 ffffffffffffff0f ac02 03 02 01 00 01 00 08 01 00',
  ],
];

describe('encodeCommand', () => {
  it.each(pinned)('writes %s as it always did, since the log keeps it for ever', (_, command, expected) => {
    expect(encodeCommand(command).toString('hex')).toBe(hex(expected).toString('hex'));
  });

  it.each(pinned)('gives %s back', (_, command, expected) => {
    expect(decodeCommand(hex(expected))).toEqual(command);
  });

  it('asserts what a decoder would refuse: such an entry would stop every member', () => {
    const deep = (depth: number): PlainCommand => {
      let txn: PlainCommand & { readonly kind: 'txn' } = { kind: 'txn', compares: [], success: [], failure: [] };
      for (let level = 1; level < depth; level++) txn = { ...txn, success: [txn] };
      return txn;
    };
    expect(() => encodeCommand(put('', 'v'))).toThrow('a key is not empty');
    expect(() => encodeCommand({ ...del('a'), requestId: bytes('short') })).toThrow('a request id is a UUID');
    expect(() => encodeCommand(unnamed({ kind: 'compact', revision: -1 }))).toThrow('not negative');
    expect(() => encodeCommand(unnamed({ kind: 'compact', revision: 2 ** 53 }))).toThrow('a safe integer');
    expect(decodeCommand(encodeCommand(unnamed(deep(256))))).toEqual(unnamed(deep(256)));
    expect(() => encodeCommand(unnamed(deep(257)))).toThrow('nest no deeper');
    const orphan = putOperation({ key: bytes('k'), value: bytes('v'), form: 'text', grantTtl: 1 });
    expect(() => encodeCommand(unnamed(orphan))).toThrow('has an id');
  });

  it.each([1, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 21])('keeps a key of %i bytes', (length) => {
    const key = Buffer.alloc(length, 'k');
    const { command } = decodeCommand(encodeCommand(put(key.toString(), 'v')));
    expect(command.kind === 'put' && Buffer.compare(command.key, key)).toBe(0);
    expect({ ...command, key: '' }).toMatchObject({ kind: 'put', value: bytes('v'), form: 'text' });
  });

  it('tells a repetition by the bytes after the request id', () => {
    const other = { ...del('a'), requestId: Buffer.alloc(16) };
    expect(decodeEntry(encodeCommand(other))).toMatchObject({ named: hex('02 00 01 61 00') });
    expect(decodeEntry(batchOf(put('b', ''), other))).toMatchObject([{}, { named: hex('02 00 01 61 00') }]);
  });
});

describe('BatchEncoder', () => {
  it('writes several commands as they always were, since the log keeps them for ever', () => {
    const expected = hex('03 00 01 01 01 6b 00 01 0190b0c0000070008000000000000001 02 00 01 61 00');
    expect(batchOf(put('k', ''), { ...del('a'), requestId })).toEqual(expected);
    expect(decodeEntry(expected)).toMatchObject([put('k', ''), { ...del('a'), requestId }]);
  });

  it('writes one alone as a command alone', () => {
    expect(batchOf(del('a'))).toEqual(encodeCommand(del('a')));
  });

  it('tells how many bytes each takes', () => {
    const encoder = new BatchEncoder();
    expect([encoder.add(del('a')), encoder.add(put('ab', 'xyz')), encoder.count]).toEqual([6, 10, 2]);
  });

  it.each([
    ['a batch of nothing', '03'],
    ['a batch of one', '03 00 02 00 01 61 00'],
    ['a batch whose last command is cut off', '03 00 02 00 01 61 00 00 02 00 01'],
  ])('refuses %s', (_, payload) => {
    expectError(() => decodeEntry(hex(payload)), 'damaged', 'a committed command cannot be understood');
  });
});

describe('decodeCommand', () => {
  it('gives views on the payload, not copies', () => {
    const payload = encodeCommand(put('key', 'value'));
    const { command } = decodeCommand(payload);
    expect(command.kind === 'put' && command.value.buffer === payload.buffer).toBe(true);
    expect(command.kind === 'put' && command.key.buffer === payload.buffer).toBe(true);
  });

  it.each([
    ['nothing', '', 'it ends before its version'],
    ['a newer format', '04 00 02', 'its format is version 4'],
    ['several commands', '03 00 02 00 01 61 00 00 02 00 01 62 00', 'several commands'],
    ['a version alone', '02', 'it ends before its request id'],
    ['half a request id', '02 01 0000', 'its request id takes 16 bytes and there are 2'],
    ['another truth', '02 02 02', 'neither 0 nor 1'],
    ['no kind', '02 00', 'it ends before its kind'],
    ['an unknown kind', '02 00 09 6b', 'it is of kind 9'],
    ['a range outside of a transaction', '02 00 03 00 01 61', 'it is of kind 3'],
    ['an unknown flag', '02 00 01 40 01 6b 00', 'its flags are 64'],
    ['a key length in a longer form', '02 00 01 01 81 00 6b 00', 'not in the shortest form'],
    ['an endless length', '02 00 01 01 ffffffffffffffffff', 'larger than a safe integer'],
    ['the empty key', '02 00 01 01 00 01 76', 'its key is empty'],
    ['a key that is cut off', '02 00 01 01 03 6b6b', 'its key takes 3 bytes and there are 2'],
    ['lease 0, said aloud', '02 00 01 11 01 6b 00 0000000000000000', 'its lease has no id'],
    ['a time to live of nothing', '02 00 01 21 01 6b 00 05', 'its lease has no id'],
    ['bytes after the end', '02 00 02 00 01 61 00 00', '1 bytes follow its end'],
    ['a range of an unknown shape', '02 00 02 03 01 61 00', 'its range is of shape 3'],
    ['one key as a range', '02 00 02 02 01 61 02 6100 00', 'not in the shortest form'],
    ['more elements than bytes', '02 00 13 05 0100000000000000', 'fewer bytes than 5 leases take'],
    ['a grant without an id', '02 00 11 0000000000000000 3c', 'its lease has no id'],
    ['a grant without a time', '02 00 11 0100000000000000 00', 'no time to live'],
    ['an unknown operator', '02 00 04 01 00 01 6b 04 00', 'its operator is 4'],
    ['an unknown operation', '02 00 04 00 01 05 00 00', 'of kind 5'],
  ])('refuses %s', (_, payload, message) => {
    expectError(() => decodeCommand(hex(payload)), 'damaged', message);
  });
});

describe('The first format, which old logs hold', () => {
  it.each([
    ['a put of text', '01 01 01 02 6162 78797a', put('ab', 'xyz')],
    [
      'a put of bytes',
      '01 01 02 01 6b 00ff',
      unnamed(putOperation({ key: bytes('k'), value: hex('00ff'), form: 'bytes' })),
    ],
    ['a put of an empty value', '01 01 01 01 6b', put('k', '')],
    ['a delete', '01 02 6162', del('ab')],
  ])('is understood: %s', (_, payload, expected) => {
    expect(decodeCommand(hex(payload))).toEqual(expected);
  });

  it.each([
    ['a version without a kind', '01', 'it ends before its kind'],
    ['an unknown kind', '01 03 6b', 'it is of kind 3'],
    ['a put without a form', '01 01', 'it ends before its form'],
    ['an unknown form', '01 01 03 01 6b', 'its value is of form 3'],
    ['half a key length', '01 01 01 80', 'it ends before its key'],
    ['a key length in a longer form', '01 01 01 81 00 6b', 'not in the shortest form'],
    ['a put of the empty key', '01 01 01 00 76', 'its key is empty'],
    ['a key that is cut off', '01 01 01 03 6b6b', 'its key takes 3 bytes and there are 2'],
    ['a delete of the empty key', '01 02', 'its key is empty'],
  ])('refuses %s', (_, payload, message) => {
    expectError(() => decodeCommand(hex(payload)), 'damaged', message);
  });
});
